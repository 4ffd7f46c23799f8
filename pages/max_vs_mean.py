"""Does the peak stand above the mean? Every channel of every image as a point, and the channels that separate best."""

import streamlit as st

from nap_core.analysis.channels.kinds import ChannelKind, kind_of
from nap_core.analysis.channels.max_mean_points import Points, images_collected, points_of
from nap_core.analysis.channels.ranking import FLOOR
from nap_core.analysis.evaluation import MethodScores
from nap_core.errors import UserError
from nap_core.figures import Picture, colours
from nap_core.figures.max_vs_mean import MOST_DRAWN, TALLER, drawn_words, scatter
from nap_core.methods import EvaluationData
from nap_core.studies.study import Study
from pages.components.channels.channel_strip import aurocs, channel_strip, chosen_channel, write_address
from pages.components.images.selected_images import picked_images, region_of
from pages.components.results.figure_view import show
from pages.components.results.square import keep_square
from pages.components.runs import run_panel
from pages.components.study import workspace

Names = tuple[str, ...]


@st.cache_resource(show_spinner="Collecting the points …", max_entries=2)
def points(
    study: Study, names: Names, channel: int | None, floor: float | None, _found: EvaluationData
) -> list[Points]:
    every = (study.id_dataset, *names)
    counts = images_collected([_found.of(name) for name in every], channel=channel)
    return [
        points_of(name, _found.of(name), channel=channel, floor=floor, images=count)
        for name, count in zip(every, counts, strict=True)
    ]


@st.cache_resource(show_spinner="Drawing …", max_entries=4)
def drawing(
    study: Study,
    names: Names,
    channel: int | None,
    floor: float | None,
    id_in_front: bool,
    _parts: list[Points],
    _scores: MethodScores,
    _kind: ChannelKind,
) -> tuple[Picture, str]:
    hues = colours(study.id_dataset, study.ood_datasets)
    titles = workspace.titles(study)
    drawn = scatter(_parts, _scores, titles, hues, channel=channel, id_in_front=id_in_front, kind=_kind)
    return drawn, drawn_words(_parts, MOST_DRAWN, _kind)


def page() -> None:
    study = workspace.current_study()
    found = run_panel.require_activations(study)
    titles, hues = workspace.titles(study), colours(study.id_dataset, study.ood_datasets)
    channel = chosen_channel(found.id.activations.channels)
    write_address(channel)
    kind = kind_of(study.network())
    if kind.of_heads:
        st.info(_OF_HEADS, icon=":material/info:")
    names, id_in_front, floor = _controls(study, titles, with_floor=not kind.of_heads)
    if not names:
        st.info("Pick an OOD dataset to compare with.", icon=":material/info:")
        return
    scores = workspace.scores(study, found, "nap")
    parts = points(study, names, channel, floor, found)
    left, right = st.columns([5, 3], gap="medium")
    with left:
        keep_square("scatter", TALLER)
        picture, words = drawing(study, names, channel, floor, id_in_front, parts, scores, kind)
        event = show(picture, "scatter", selection=["box", "lasso"])
        st.caption(words)
    with right:
        channel_strip(found, names, *aurocs(study, names, found, kind), channel, hues, kind)
    picked_images(parts, region_of(event), scores, titles, hues, kind)


_OF_HEADS = (
    "The model is a Transformer: a point is one head of one image, or the mean over the heads. The mean of the class "
    "token’s attention is nearly the same everywhere, so only the height of a point tells something, and NAP is that "
    "height for the mean over the heads."
)


def _controls(study: Study, titles: dict[str, str], *, with_floor: bool) -> tuple[Names, bool, float | None]:
    """The OOD datasets in view, whether ID lies in front, and the mean up to which points are left out."""
    met, front, switch, number = st.columns([54, 14, 22, 12], vertical_alignment="bottom")
    picks = met.pills(
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
