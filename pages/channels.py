"""Which channels tell them apart? All channels ranked, what drives one of them, and how the classes use them."""

from collections.abc import Mapping, Sequence
from operator import attrgetter

import pandas as pd
import streamlit as st

from nap_core.analysis.channels import class_activation, ranking
from nap_core.analysis.channels.class_activation import ClassActivation
from nap_core.analysis.channels.kinds import ChannelKind, how_read, kind_of
from nap_core.errors import UserError
from nap_core.figures.channels import chosen_of, class_picture, ranking_picture, ranking_table, use_picture
from nap_core.figures.picture import percent
from nap_core.methods import EvaluationData
from nap_core.models import LoadedModel
from nap_core.studies.study import Study
from pages.components.channels.channel_detail import class_weights, distribution, drivers
from pages.components.channels.channel_strip import CHANNEL_PAGE, SCATTER, aurocs, chosen_channel
from pages.components.controls import pick_one
from pages.components.images import maps_state
from pages.components.images.image_pools import id_pool, ood_pool
from pages.components.results.figure_view import show
from pages.components.runs import run_panel
from pages.components.study import url_state, workspace
from pages.components.study.cache import cached

EVERY = "all"
_BOX, _CLICKED = "channels-box", "channels_clicked"
ORDERS = ("ratio", "maximum")


def ranked_channels(study: Study, names: Sequence[str], data: EvaluationData, kind: ChannelKind) -> pd.DataFrame:
    """Every channel by how well it tells ID from these OOD datasets."""
    areas, _ = aurocs(study, names, data, kind)
    maxima = [
        cached((study, of), ranking.average_maximum, [data.of(name) for name in of])
        for of in ((study.id_dataset,), tuple(names))
    ]
    return ranking_table(areas, maxima[0], maxima[1], kind)


def used(study: Study, data: EvaluationData, order: str, model: LoadedModel) -> ClassActivation:
    """What the channels answer to the ID images of each class."""
    values = kind_of(model).ratios if order == "ratio" else attrgetter("maximum")
    key = (study, order)
    spinner = "Gathering the classes …"
    return cached(
        key, class_activation.class_use, data.id.activations, model.classes, values, spinner=spinner, entries=8
    )


def page() -> None:
    study = workspace.current_study()
    data = run_panel.require_activations(study)
    model, titles = study.network(), workspace.titles(study)
    kind = kind_of(model)
    against, which = st.columns(2, gap="medium")
    sides = {EVERY: "all OOD datasets"} | {name: titles[name] for name in study.ood_datasets}
    ood = pick_one("Tell ID from", sides, f"channels-ood-{'-'.join(study.ood_datasets)}", linked=False, place=against)
    names = study.ood_datasets if ood == EVERY else (ood,)
    table = ranked_channels(study, names, data, kind)
    channel = chosen_channel(data.id.activations.channels, CHANNEL_PAGE)
    channel = int(table["channel"].iloc[0]) if channel is None else channel
    with which:
        _pick(table, channel, kind)
    url_state.write(channel=str(channel))
    words = titles[names[0]] if len(names) == 1 else f"{len(names)} OOD datasets"
    event = show(ranking_picture(table, channel, words, kind), "channels-ranked", selection=["points"])
    _take_click(event)
    ranked_on, every = (
        aurocs(study, names, data, kind)[1],
        sum(len(data.of(name)) for name in (study.id_dataset, *names)),
    )
    less = "" if ranked_on == every else f"Ranked on {ranked_on:,} of {every:,} images, the first of each dataset. "
    st.caption(
        f"A point is a {kind.one}; a click looks at it below. {less}50\N{NO-BREAK SPACE}% is chance. {how_read(model)}"
    )
    with st.expander(f"All {len(table):,} {kind.many} as a table", icon=":material/table:", key="channels-all"):
        _all_channels(table)
    _one(study, data, model, table, channel, names)
    _classes(study, data, model, table, channel)


def _pick(table: pd.DataFrame, channel: int, kind: ChannelKind) -> None:
    """The list of channels, the best separating first."""
    areas = table.set_index("channel")["auroc"]
    st.session_state[_BOX] = channel  # the list shows what was clicked in the figure, too
    st.selectbox(
        f"Look at {kind.one}, the best separating first",
        table["channel"].tolist(),
        format_func=lambda one: f"{kind.name(one).capitalize()}, AUROC {percent(areas[one])}",
        key=_BOX,
        on_change=_take_from_box,
    )


def _take_from_box() -> None:
    st.session_state[CHANNEL_PAGE] = int(st.session_state[_BOX])


def _take_click(event: Mapping[str, Mapping[str, list[dict[str, object]]]]) -> None:
    """Look at the channel whose point was clicked just now: the figure goes on telling an old click."""
    clicked = chosen_of(event["selection"]["points"])
    if clicked != st.session_state.get(_CLICKED):
        st.session_state[_CLICKED] = clicked
        if clicked is not None and clicked != st.session_state.get(CHANNEL_PAGE):
            st.session_state[CHANNEL_PAGE] = clicked
            st.rerun()


def _all_channels(table: pd.DataFrame) -> None:
    shown = pd.DataFrame(
        {
            "rank": table["rank"],
            "channel": table["name"],
            "AUROC, %": 100 * table["auroc"],
            "average maximum on ID": table["id_maximum"],
            "on OOD": table["ood_maximum"],
        }
    )
    formats = {"AUROC, %": "%.1f", "average maximum on ID": "%.3f", "on OOD": "%.3f"}
    columns = {name: st.column_config.NumberColumn(format=form) for name, form in formats.items()}
    st.dataframe(shown, hide_index=True, column_config=columns, key="channels-table")


def _one(
    study: Study, data: EvaluationData, model: LoadedModel, table: pd.DataFrame, channel: int, names: tuple[str, ...]
) -> None:
    """One channel: how its ratio is spread, which classes and which images drive it."""
    kind = kind_of(model)
    name = kind.name(channel)
    row = table[table["channel"] == channel].iloc[0]
    heading, maps, points = st.columns([4, 1, 1], vertical_alignment="bottom")
    heading.subheader(
        f"{name[0].upper()}{name[1:]}: rank {row['rank']:,} of {len(table):,}, AUROC {percent(float(row['auroc']))}",
        anchor=False,
    )
    if maps.button("See its maps", icon=":material/grid_view:", width="stretch", key="channels-maps"):
        _to_maps(channel)
    if points.button("See its points", icon=":material/scatter_plot:", width="stretch", key="channels-points"):
        st.session_state[SCATTER] = channel
        st.switch_page("pages/max_vs_mean.py", query_params={"channel": str(channel)})
    st.markdown(class_weights(model, channel))
    spread, classes = st.columns(2, gap="medium")
    with spread:
        st.markdown(f"**Its {'highest attention' if kind.of_heads else 'ratio'} on every dataset**")
        distribution(study, data, channel, kind, {})
    with classes:
        st.markdown("**The classes that drive it**")
        use = used(study, data, "ratio", model)
        weights = model.head_weight[:, channel] if model.logits_from_means and model.head_weight is not None else None
        show(class_picture(use, kind.ratio, channel, weights, kind), "channel-classes")
    fools = min(names, key=lambda one: aurocs(study, (one,), data, kind)[0][channel])
    left, right = st.columns(2, gap="medium")
    for side, pool, column in (("id", id_pool(study, data), left), ("ood", ood_pool(study, data, fools), right)):
        with column:
            st.markdown(f"**The {pool.role} images that drive it most** (maximum · mean)")
            clicked = drivers(side, pool, channel, kind)
        if clicked is not None:
            _to_maps(channel, (side, pool.name, clicked))
    if len(names) > 1:
        st.caption(
            f"Of the OOD datasets, the one is shown that this {kind.one} tells from ID images least. A click on an "
            "image shows its maps."
        )


def _to_maps(channel: int, image: tuple[str, str, int] | None = None) -> None:
    """Go to the activation maps of ``channel``, of an image of a side's dataset if one is given."""
    maps_state.choose_channel(channel)
    address = {"channel": str(channel)}
    if image:
        side, name, row = image
        address |= {maps_state.parameter(side): f"{name}:{row}", maps_state.FOLLOW: "1"}
    st.switch_page("pages/activation_maps.py", query_params=address)


def _classes(study: Study, data: EvaluationData, model: LoadedModel, table: pd.DataFrame, channel: int) -> None:
    """Classes × channels."""
    kind = kind_of(model)
    st.subheader(f"How the classes use the {kind.many}", anchor=False)
    order = "maximum"
    if not kind.of_heads:
        order = pick_one(
            "What a channel answers to a class", ORDERS, "channels_use", first="ratio", segments=True,
            titled=lambda one: f"average {ranking.ORDERS[one]}",
        )  # fmt: skip
    use = used(study, data, order, model)
    areas = table.sort_values("channel")["auroc"].to_numpy()
    what = f"average {kind.ratio if order == 'ratio' else 'maximum'}"
    show(use_picture(use, what, channel, areas, kind), "channels-classes")
    images, guessed = len(data.id.activations), use.predicted
    by = "by their labels" if not guessed else "by the class the network predicts, as their labels are not known"
    if 0 < guessed < images:
        by = f"by their labels, {guessed:,} without one by the class the network predicts"
    st.caption(
        f"{images:,} ID images of {len(use.names):,} classes, {by}. Each {kind.one} is drawn against its strongest "
        "class; classes that use them alike stand side by side. Of very many classes those that differ most from the "
        f"average are drawn, of very many {kind.many} those that separate best."
    )


st.title("Which channels tell them apart?", anchor=False)
try:
    page()
except UserError as error:
    st.error(str(error), icon=":material/error:")
