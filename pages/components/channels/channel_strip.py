"""The channels ranked by how well each alone separates ID from OOD; picking one narrows the scatter to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from nap_core.analysis.channels import separability
from nap_core.analysis.channels.kinds import ChannelKind
from nap_core.figures.max_vs_mean import sparkline
from nap_core.figures.picture import percent, three_digits
from nap_core.methods import EvaluationData
from nap_core.studies.study import Study
from pages.components.images import maps_state
from pages.components.images.gallery import Thumbnail, gallery
from pages.components.study import url_state
from pages.components.study.cache import cached

BEST = 12
ALL = -1  # in the list; None would read as "nothing chosen"
_BOX = "scatter-channel-box"
_ADDRESS = "channel"
SCATTER = "max_vs_mean_channel"
"""The session's name for the channel of the scatter."""
CHANNEL_PAGE = "channels_channel"
"""The session's name for the channel of the page of channels."""


def aurocs(
    study: Study, names: Sequence[str], data: EvaluationData, kind: ChannelKind
) -> tuple[NDArray[np.float64], int]:
    """The AUROC of each channel against the OOD datasets ``names`` joined, and how many images it was found on."""
    return cached(
        (study, tuple(names)),
        separability.ratio_auroc,
        data.id.activations,
        [data.of(name) for name in names],
        ratios=kind.ratios,
        spinner="Ranking the channels …",
        entries=32,
    )


def chosen_channel(count: int, state: str = SCATTER) -> int | None:
    """The channel that a page looks at, None for all; a session's first comes from the link. ``state`` is the session's
    name for it, the scatter's if none is given.

    A channel that the study's model does not have counts as none.
    """
    channel = url_state.at_first(state, _ADDRESS, url_state.whole)
    return channel if channel is not None and channel < count else None


def channel_strip(
    data: EvaluationData,
    names: Sequence[str],
    aurocs: NDArray[np.float64],
    ranked_on: int,
    channel: int | None,
    colours: Mapping[str, str],
    kind: ChannelKind,
) -> None:
    """Every channel by rank in a list, the best as sparklines.

    ``aurocs`` (C,) is against the OOD sets ``names`` and was found on ``ranked_on`` of the study's images.
    """
    ranked = [int(place) for place in np.argsort(-aurocs, kind="stable")]
    st.session_state[_BOX] = ALL if channel is None else channel  # the list shows what the strip below chose, too
    st.selectbox(
        f"{kind.many.capitalize()}, the best separating first",
        [ALL, *ranked],
        format_func=lambda place: (
            f"All {kind.many}"
            if place == ALL
            else f"{kind.name(place).capitalize()}, AUROC {percent(float(aurocs[place]))}"
        ),
        key=_BOX,
        on_change=_take_from_box,
    )
    if channel is not None:
        with st.container(horizontal=True, gap="small"):
            st.button(f"All {kind.many}", icon=":material/arrow_back:", on_click=_take, args=(None,))
            if st.button("See its maps", icon=":material/grid_view:"):
                maps_state.choose_channel(channel)
                st.switch_page("pages/activation_maps.py", query_params={_ADDRESS: str(channel)})
            if st.button("Its page", icon=":material/equalizer:", key="scatter-channel-page"):
                open_page(channel)
    shown = ranked[:BEST] if channel is None or channel in ranked[:BEST] else [*ranked[:BEST], channel]
    ratios = {name: kind.ratios(data.of(name), shown) for name in (data.id_name, *names)}
    span = 0.0, max(float(np.quantile(ratio, 0.998)) for ratio in ratios.values()) or 1.0
    clicked = gallery(
        [
            Thumbnail(
                sparkline({name: ratio[:, column] for name, ratio in ratios.items()}, colours, span),
                kind.short(place),
                f"AUROC {percent(aurocs[place])}",
            )
            for column, place in enumerate(shown)
        ],
        "channel-strip",
        label=f"{kind.many.capitalize()} by how well {kind.ratio} separates ID from OOD",
        selected=None if channel is None else shown.index(channel),
        wrap=True,
    )
    every = sum(map(len, ratios.values()))
    ranks = "" if ranked_on == every else f"Ranked on {ranked_on:,} of {every:,} images, the first of each dataset. "
    st.caption(
        f"How {kind.ratio} is spread on all images, from 0 to {three_digits(span[1])}. {ranks}An AUROC of "
        "50\N{NO-BREAK SPACE}% is chance, below it OOD peaks stand out more. A click narrows the scatter to a "
        f"{kind.one}, a second one widens it again."
    )
    if clicked is not None:
        _take(None if shown[clicked] == channel else shown[clicked])
        st.rerun()


def open_page(channel: int) -> None:
    """Go to the page of one channel."""
    st.session_state[CHANNEL_PAGE] = channel
    st.switch_page("pages/channels.py", query_params={_ADDRESS: str(channel)})


def _take_from_box() -> None:
    chosen = st.session_state[_BOX]
    _take(None if chosen == ALL else chosen)


def _take(channel: int | None) -> None:
    st.session_state[SCATTER] = channel
