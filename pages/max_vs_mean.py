"""Does the peak stand above the mean? Every channel of every image as a point, and the channels that separate best."""

import streamlit as st

from nap_core.analysis.channels.kinds import kind_of
from nap_core.analysis.channels.max_mean_points import points_of_each
from nap_core.analysis.channels.ranking import FLOOR
from nap_core.errors import UserError
from nap_core.figures import colours
from nap_core.figures.max_vs_mean import MOST_DRAWN, TALLER, drawn_words, scatter
from nap_core.studies.study import Study
from pages.components.channels.channel_strip import aurocs, channel_strip, chosen_channel
from pages.components.images.selected_images import picked_images, region_of
from pages.components.results.figure_view import show
from pages.components.results.square import keep_square
from pages.components.runs import run_panel
from pages.components.study import url_state, workspace
from pages.components.study.cache import cached

Names = tuple[str, ...]


def page() -> None:
    study = workspace.current_study()
    data = run_panel.require_activations(study)
    titles, hues = workspace.titles(study), colours(study.id_dataset, study.ood_datasets)
    channel = chosen_channel(data.id.activations.channels)
    url_state.write(channel=None if channel is None else str(channel))
    kind = kind_of(study.network())
    if kind.of_heads:
        st.info(_OF_HEADS, icon=":material/info:")
    names, id_in_front, floor = _controls(study, titles, with_floor=not kind.of_heads)
    if not names:
        st.info("Pick an OOD dataset to compare with.", icon=":material/info:")
        return
    scores = workspace.scores(study, data, "nap")
    key = (study, names, channel, floor)
    every = {name: data.of(name) for name in (study.id_dataset, *names)}
    parts = cached(
        key,
        points_of_each,
        every,
        channel=channel,
        floor=floor,
        spinner="Collecting the points …",
        entries=2,
        shared=True,
    )
    left, right = st.columns([5, 3], gap="medium")
    with left:
        keep_square("scatter", TALLER)
        options = {"channel": channel, "id_in_front": id_in_front, "kind": kind}
        picture = cached(
            (*key, id_in_front),
            scatter,
            parts,
            scores,
            titles,
            hues,
            **options,
            spinner="Drawing …",
            entries=4,
            shared=True,
        )
        event = show(picture, "scatter", selection=["box", "lasso"])
        st.caption(cached(key, drawn_words, parts, MOST_DRAWN, kind, entries=4))
    with right:
        channel_strip(data, names, *aurocs(study, names, data, kind), channel, hues, kind)
    picked_images(parts, region_of(event), scores, titles, hues, kind)


_OF_HEADS = (
    "The model is a Transformer: a point is one head of one image, or the mean over the heads. The mean of the class "
    "token’s attention is nearly the same everywhere, so only the height of a point tells something, and NAP is that "
    "height for the mean over the heads."
)


def _controls(study: Study, titles: dict[str, str], *, with_floor: bool) -> tuple[Names, bool, float | None]:
    """The OOD datasets in view, whether ID lies in front, and the mean up to which points are left out."""
    ood, front, switch, number = st.columns([54, 14, 22, 12], vertical_alignment="bottom")
    picks = ood.pills(
        "OOD datasets",
        study.ood_datasets,
        selection_mode="multi",
        default=study.ood_datasets,
        format_func=lambda name: titles[name],
        key=f"scatter-ood-{'-'.join(study.ood_datasets)}",
        wrap=True,
        persist_state="session",
    )
    in_front = front.segmented_control(
        "In front", ["ID", "OOD"], default="ID", required=True, key="scatter-front", persist_state="session"
    )
    picked = tuple(name for name in study.ood_datasets if name in picks)
    if not with_floor:
        return picked, in_front == "ID", None
    leave_out = switch.toggle(
        "Leave out means",
        value=True,
        key="scatter-leave-out",
        persist_state="session",
        help="The paper's figures leave out channels that hardly answer: a mean of 0.1 or less.",
    )
    floor = number.number_input(
        "up to", 0.0, None, FLOOR, 0.05, key="scatter-floor", disabled=not leave_out, persist_state="session"
    )
    return picked, in_front == "ID", floor if leave_out else None


st.title("Does the peak stand above the mean?", anchor=False)
try:
    page()
except UserError as error:
    st.error(str(error), icon=":material/error:")
