"""Compare methods: the results table, a cell of it opened, and the images on which two methods disagree."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pandas as pd
import streamlit as st

from nap_core import evaluation, methods
from nap_core.comparison import AVERAGE, Metric, Scoreboard, scoreboard
from nap_core.evaluation import MethodScores
from nap_core.figures import colours
from nap_core.figures.compare_methods import METRIC_TITLES, caption, heat_table, least_width, roc_curves
from nap_core.figures.score_histograms import histograms
from nap_core.study import Study, StudyActivations
from pages.parts import method_picker, run_panel, workspace
from pages.parts.disagreements import disagreements
from pages.parts.picture import show
from pages.parts.scrolling import finger_scrolls

TABLE = "compare-table"


@st.cache_data(show_spinner=False, max_entries=256)
def _results(chosen: Study, method: str, _found: StudyActivations) -> pd.DataFrame:
    return evaluation.evaluate(_found, [method])


def _clicked() -> None:
    """Open the cell that was clicked since the last run. A second click on a cell takes its selection back."""
    points = st.session_state.get(TABLE, {}).get("selection", {}).get("points", [])
    cell = tuple(points[0]["customdata"][:2]) if points else None
    before = st.session_state.get("compare_clicked")
    if cell != before:
        st.session_state.compare_clicked = cell
        st.session_state.compare_method, st.session_state.compare_against = cell or before


def _pick_cell(board: Scoreboard, titles: dict[str, str]) -> tuple[str, str]:
    """The opened cell, by click or by the two boxes: at first the best method on the last column."""
    left, right = st.columns(2)
    best = board.methods.index(board.leaders(board.columns[-1])[0])
    method = left.selectbox(
        "Method",
        board.methods,
        index=best,
        format_func=methods.title,
        key="compare_method",
        bind="query-params",
        filter_mode=None,
    )
    against = right.selectbox(
        "Against",
        board.columns,
        index=len(board.columns) - 1,
        format_func=lambda name: "All OOD datasets" if name == AVERAGE else titles[name],
        key="compare_against",
        bind="query-params",
        filter_mode=None,
    )
    return method, against


def _open(
    rows: list[MethodScores], cell: tuple[str, str], chosen: Study, titles: dict[str, str], palette: dict[str, str]
) -> None:
    method, against = cell
    names = chosen.ood_datasets if against == AVERAGE else (against,)
    scores = next(row for row in rows if row.method == method)
    part = replace(scores, ood={name: scores.ood[name] for name in names})
    show(histograms([part], chosen.id_dataset, titles, palette, together=True), "compare-histogram")
    finger_scrolls("compare-histogram")
    show(roc_curves(rows, names, method, titles), "compare-roc")
    finger_scrolls("compare-roc")


st.title("Which method sees what?")
chosen = workspace.current_study()
found = run_panel.require_activations(chosen)
titles = workspace.titles(chosen)
palette = colours(chosen.id_dataset, chosen.ood_datasets)
method_picker.row()
rows = method_picker.scores(found)
results = pd.concat([_results(chosen, row.method, found) for row in rows], ignore_index=True)

metric: Metric = st.segmented_control(
    "Metric",
    get_args(Metric),
    default="fpr95",
    required=True,
    format_func=METRIC_TITLES.__getitem__,
    key="compare_metric",
    bind="query-params",
    label_visibility="collapsed",
)
board = scoreboard(results, metric)
_clicked()
table = st.container()  # drawn last: its frame follows the two boxes below it
st.subheader("One cell, opened")
cell = _pick_cell(board, titles)
with table:
    show(heat_table(board, rows, titles, palette, cell), TABLE, selection=("points",))
    finger_scrolls(TABLE, least_width(board))
    st.caption(caption(results, titles))
_open(rows, cell, chosen, titles, palette)
st.subheader("Where two methods part")
disagreements(chosen, rows, titles, palette)
