"""Compare methods: the results table, a cell of it opened, what accuracy costs, who agrees, and where two part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from nap_core import methods
from nap_core.analysis.comparison import AVERAGE, Scoreboard, scoreboard
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures import colours
from nap_core.figures.compare_methods import (
    against_words,
    caption,
    correlation_picture,
    fpr_curves,
    heat_table,
    interval_picture,
    least_width,
    ood_positive_caption,
    pareto_picture,
    remarks,
    roc_curves,
)
from nap_core.figures.score_histograms import histograms
from nap_core.studies.study import Study
from pages.components.controls import pick_one
from pages.components.methods import method_picker, parameter_search
from pages.components.methods.nac_me import coverage_of_models
from pages.components.results import results_table, table_controls
from pages.components.results.comparison_choice import pick_metric
from pages.components.results.disagreements import disagreements
from pages.components.results.figure_view import show
from pages.components.runs import run_panel
from pages.components.study import workspace

TABLE = "compare-table"


def _clicked() -> None:
    """Open the cell that was clicked since the last run. A second click on a cell takes its selection back."""
    points = st.session_state.get(TABLE, {}).get("selection", {}).get("points", [])
    cell = tuple(points[0]["customdata"][:2]) if points else None
    before = st.session_state.get("compare_clicked")
    if cell != before:
        st.session_state.compare_clicked = cell
        opened = cell or before
        if opened:
            st.session_state.compare_method, st.session_state.compare_against = opened


def _forget_what_is_gone(specs: Sequence[str]) -> None:
    """A method that is no longer chosen, or not shown, is no longer opened or compared."""
    for key in ("compare_method", "compare_a", "compare_b"):
        if st.session_state.get(key, specs[0]) not in specs:
            del st.session_state[key]


def _pick_cell(board: Scoreboard, titles: dict[str, str]) -> tuple[str, str]:
    """The opened cell, by click or by the two boxes: at first the best method on the last column."""
    left, right = st.columns(2)
    best = board.leaders(board.columns[-1])[0]
    method = pick_one("Method", board.methods, "compare_method", titled=methods.title, first=best, place=left)
    sides = {name: "All OOD datasets" if name == AVERAGE else titles[name] for name in board.columns}
    against = pick_one("Against", sides, "compare_against", first=board.columns[-1], place=right)
    return method, against


def _open(
    rows: Sequence[MethodScores],
    cell: tuple[str, str],
    study: Study,
    titles: dict[str, str],
    palette: dict[str, str],
) -> None:
    method, against = cell
    names = study.ood_datasets if against == AVERAGE else (against,)
    scores = next(row for row in rows if row.method == method)
    part = replace(scores, ood={name: scores.ood[name] for name in names})
    show(histograms([part], study.id_dataset, titles, palette, together=True), "compare-histogram", scroll_width=0)
    st.caption(ood_positive_caption(part, against_words(names, titles)))
    curves = (
        (roc_curves(rows, names, method, titles), "compare-roc"),
        (fpr_curves(rows, names, method, titles), "compare-fpr"),
    )
    for column, (picture, key) in zip(st.columns(2, gap="medium"), curves, strict=True):
        with column:
            show(picture, key, scroll_width=0)


def _price_and_agreement(rows: Sequence[MethodScores], table: pd.DataFrame) -> None:
    """ID accuracy against AUROC, and the rank correlation."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("What accuracy costs")
        price = pareto_picture(table)
        if price is None:
            st.caption(
                "The classes of the ID images are not known here, so there is no ID accuracy to set beside AUROC."
            )
        else:
            show(price, "compare-pareto", scroll_width=0)
    with right:
        st.subheader("Who agrees with whom")
        alike = correlation_picture(rows)
        if alike is None:
            st.caption("It takes two methods to agree. Add another one.")
        else:
            show(alike, "compare-correlation", scroll_width=0)


st.title("Which method sees what?")
study = workspace.current_study()
data = run_panel.require_activations(study)
titles = workspace.titles(study)
palette = colours(study.id_dataset, study.ood_datasets)
method_picker.row()
every = method_picker.scores(study, data)

with st.container(horizontal=True, vertical_alignment="center", key="compare-controls"):
    metric = pick_metric("compare_metric", labelled=False)
    columns = (*study.ood_datasets, *([AVERAGE] if len(study.ood_datasets) > 1 else []))
    order = table_controls.pick_order(columns, titles)
    shown = table_controls.pick_shown([row.method for row in every])
    export = st.container(width="content")  # filled when there is something to take away
rows = [row for row in every if row.method in shown]
table = results_table.evaluated(study, data, shown)
board = scoreboard(table, metric)
below = list(dict.fromkeys(table.loc[table["below_chance"] != "", "method"]))
if order != table_controls.CHOSEN:
    board = board.sorted_by(order)
_forget_what_is_gone(shown)
_clicked()
place = st.container()  # drawn later: its frame follows the two boxes below it
intervals = results_table.intervals(study, rows)
with export:
    table_controls.offer_exports(study, rows, table, intervals, titles, palette)
st.subheader("One cell, opened")
cell = _pick_cell(board, titles)
with place:
    show(
        heat_table(board, rows, titles, palette, cell, intervals, below),
        TABLE,
        selection=("points",),
        scroll_width=least_width(board),
    )
    st.caption(caption(table, titles))
    for position, remark in enumerate(remarks(table)):
        with st.container(horizontal=True, vertical_alignment="center", key=f"remark-{position}"):
            st.caption(remark)
            if position < len(below):  # those of methods below chance come first
                parameter_search.offer(study, data, below[position], key=f"below-chance-{position}")
    parameter_search.say(shown)
_open(rows, cell, study, titles, palette)
if intervals is not None:
    show(interval_picture(board, intervals, cell[1], titles), "compare-intervals", scroll_width=0)
_price_and_agreement(rows, table)
st.subheader("How well the network's neurons are covered")
coverage_of_models(study)
st.subheader("Where two methods part")
disagreements(study, rows, titles, palette)
