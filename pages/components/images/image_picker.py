"""A filmstrip of one side of the activation maps page: dataset, class, order, and the image that is picked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from nap_core import datasets, methods
from nap_core.figures.picture import three_digits
from nap_core.methods import EvaluationData
from nap_core.studies.study import Study
from pages.components.images import maps_state
from pages.components.images.gallery import Thumbnail, gallery
from pages.components.images.image_pools import Pool
from pages.components.study import workspace

AT_A_TIME = 40
_AS_IT_IS = "dataset order"
_ORDERS = {
    _AS_IT_IS: ("", 1),
    **{f"{methods.title(name)}, highest first": (name, -1) for name in methods.STANDARD},
    **{f"{methods.title(name)}, lowest first": (name, 1) for name in methods.STANDARD},
}


def pick(
    study: Study, data: EvaluationData, side: str, names: Sequence[str], pool_of: Callable[[str], Pool]
) -> tuple[Pool, int]:
    """Draw one side's controls and filmstrip; its pool and the image that is picked."""
    role = maps_state.SIDES[side]
    chosen = st.segmented_control(
        f"{role} dataset",
        names,
        key=maps_state.dataset_key(side),
        format_func=lambda one: datasets.title(one),
        required=True,
        label_visibility="collapsed",
        wrap=True,
        persist_state="session",
    )
    name = str(chosen)  # one is always chosen
    pool = pool_of(name)
    filters = st.columns([4, 6, 4], vertical_alignment="bottom")
    shows = filters[0].selectbox(
        f"{role} class",
        pool.classes,
        index=None,
        key=maps_state.class_key(side, name),
        placeholder="all" if pool.classes else "has none",
        disabled=not pool.classes,
        persist_state="session",
    )
    order = filters[1].selectbox(f"{role} order", list(_ORDERS), key=f"maps-{side}-order", persist_state="session")
    method, _ = _ORDERS[order]
    scores = score_of(study, data, pool, method) if method else None
    rows = _ordered(pool.rows_of(shows), scores, _ORDERS[order][1])
    filters[2].button(
        "Surprise me",
        key=f"maps-{side}-surprise",
        icon=":material/casino:",
        on_click=_surprise,
        args=(side, name, rows),
        width="stretch",
    )
    row = maps_state.row(side, name, len(pool))
    clicked = _filmstrip(pool, side, rows, row, scores, f"{name}-{shows}-{order}")
    if clicked is not None:
        maps_state.choose_row(side, name, clicked)
        st.rerun()
    return pool, row


def _surprise(side: str, name: str, rows: NDArray[np.int64]) -> None:
    maps_state.turn_to(side, name, int(np.random.default_rng().choice(rows)))


def _ordered(rows: NDArray[np.int64], scores: NDArray[np.float64] | None, direction: int) -> NDArray[np.int64]:
    return rows if scores is None else rows[np.argsort(direction * scores[rows], kind="stable")]


def _filmstrip(
    pool: Pool, side: str, rows: NDArray[np.int64], row: int, scores: NDArray[np.float64] | None, what: str
) -> int | None:
    """The strip that holds one part of the images, at first the part with ``row``; the row that was clicked just now.

    ``what`` says which images in which order: another list is another pagination, which starts anew.
    """
    place = st.container()
    parts, found = -(-len(rows) // AT_A_TIME), np.flatnonzero(rows == row)
    start = int(found[0]) // AT_A_TIME + 1 if len(found) else 1
    part = st.pagination(parts, default=start, key=f"maps-{side}-part-{what}-{maps_state.turns(side)}")
    shown = rows[(part - 1) * AT_A_TIME : part * AT_A_TIME]
    items = [
        Thumbnail(
            pool.thumbnail(int(one)),
            pool.caption(int(one)),
            three_digits(float(scores[one])) if scores is not None else f"as {pool.predicted(int(one))}",
            pool.colour,
        )
        for one in shown
    ]
    with place:
        position = next((index for index, one in enumerate(shown) if one == row), None)
        clicked = gallery(
            items, key=f"maps-{side}-strip", label=f"{pool.role} images of {pool.title}", selected=position
        )
    return None if clicked is None or clicked >= len(shown) else int(shown[clicked])


def score_of(study: Study, data: EvaluationData, pool: Pool, method: str) -> NDArray[np.float64]:
    """The score of every image of a pool under a method, (N,)."""
    if pool.name not in study.datasets:  # the stand-in for a reference bank
        weight = workspace.weight(study, data, method)
        return methods.score(method, pool.activations, data.context, w=weight.w if weight else None)
    scores = workspace.scores(study, data, method)
    return scores.id if pool.name == study.id_dataset else scores.ood[pool.name]
