"""How far away must an image be? Near-OOD, far-OOD and covariate shift in one view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast, get_args

import pandas as pd
import streamlit as st

from nap_core import datasets, methods
from nap_core.analysis import covariate_shift
from nap_core.analysis.covariate_shift import Metric, Shifted, ShiftResult
from nap_core.errors import UserError
from nap_core.figures import colours
from nap_core.figures.near_and_far import accuracy_picture, cells_picture, findings, overview, table_12, table_12_words
from nap_core.figures.near_and_far.overview import TITLES
from nap_core.methods import EvaluationData
from nap_core.paper import published_tables
from nap_core.studies.near_far import OODGroup, cifar100_among, grouped, nearness
from nap_core.studies.study import Study
from pages.components.controls import pick_one
from pages.components.methods import method_picker
from pages.components.results import figure_view, results_table
from pages.components.results.comparison_choice import pick_opened
from pages.components.runs import run_panel, task
from pages.components.study import hints, workspace
from pages.components.study.cache import cached

OVERVIEW_WIDTH = 620  # pixels: on a narrower screen the figure scrolls sideways


def pick(study: Study, specs: Sequence[str]) -> tuple[Metric, str, dict[str, OODGroup]]:
    """The one row of controls: the metric, the method that is opened, which datasets are near and which far."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="near-and-far-controls"):
        measures = {name: TITLES[name] for name in get_args(Metric)}
        metric = cast(Metric, pick_one("Measure", measures, "shift_metric", segments=True))
        opened = pick_opened("shift_method", specs)
        with st.popover("Near or far?", icon=":material/social_distance:", key="near-or-far"):
            placed = _place(study)
    return metric, opened, placed


def _place(study: Study) -> dict[str, OODGroup]:
    """Two lists that a link shares; what nobody marks stays where the benchmarks put it."""
    marked = []
    for key, words in (("near", "These are near"), ("far", "These are far")):
        before = st.session_state.get(key)
        if before and not set(before) <= set(study.ood_datasets):  # of another study
            st.session_state[key] = [name for name in before if name in study.ood_datasets]
        marked.append(
            st.multiselect(
                words,
                study.ood_datasets,
                format_func=datasets.title,
                key=key,
                bind="query-params",
                placeholder="None but those below",
            )
        )
    placed = nearness(study, *marked)
    lines = [f"- {datasets.title(name)}: **{one.nearness}** ({one.why})" for name, one in placed.items()]
    st.caption("\n".join(lines))
    return placed


def shifted_images(study: Study) -> Shifted | None:
    """What is stored of the shifted ID images; None, with the bar, the button or a sentence, while there is not."""
    try:
        plan = covariate_shift.extraction_plan(study, workspace.device())
    except UserError as error:
        st.info(hints.sentence(error), icon=":material/info:")
        return None
    count, kinds = min(covariate_shift.IMAGES, study.images), len(covariate_shift.CORRUPTIONS)
    label = f"Shift {count:,} ID images: {kinds} corruptions × 5 severities ({{images}} to go through)"
    caption = (
        "The left half of the figure, covariate shift, needs one pass over distorted ID images; it serves every method."
    )
    if not task.is_extracted(("covariate shift", study), plan, label, caption, key="shift"):
        return None
    return covariate_shift.shifted(study, plan.run(workspace.store()))


def unplaced(placed: Mapping[str, OODGroup]) -> str:
    """Which datasets are neither near nor far by any benchmark; empty for none."""
    names = [datasets.title(name) for name, one in placed.items() if one.nearness == "unknown"]
    if not names:
        return ""
    return (
        f"Whether {' and '.join(names)} {'is' if len(names) == 1 else 'are'} near or far, no benchmark here says: mark "
        "it under “Near or far?” if you know."
    )


def details(one: ShiftResult, metric: Metric) -> None:
    """What is behind the left half, for the opened method."""
    if one.shift is None:
        if one.reason:
            st.info(f"{one.title} has no shifted images: {one.reason}", icon=":material/block:")
        return
    st.subheader(f"{one.title} under covariate shift", anchor=False)
    left, right = st.columns(2, gap="medium")
    with left:
        figure_view.show(cells_picture(one.shift, metric, one.title), "far-cells", scroll_width=0)
    with right:
        accuracy = accuracy_picture(one.shift, one.title)
        if accuracy is None:
            st.caption("The classes of the ID images are not known here, so there is no accuracy to show.")
        else:
            figure_view.show(accuracy, "far-accuracy", scroll_width=0)


def how_shifted(study: Study) -> str:
    """What the shifted images are, in words."""
    count, title = min(covariate_shift.IMAGES, study.images), datasets.title(study.id_dataset)
    return (
        f"The shifted images are the first {count:,} of {title}, each in {len(covariate_shift.CORRUPTIONS)} "
        f"corruptions with {covariate_shift.parameters_of(study)}'s parameters, as the network sees them; “clean ID” "
        "are these images unharmed. The threshold is that of all the study's ID images."
    )


def near_in_the_paper(study: Study, data: EvaluationData) -> None:
    """Table 12: CIFAR-10 against CIFAR-100."""
    st.subheader("Near-OOD in the paper: CIFAR-10 against CIFAR-100 (Table 12)", anchor=False)
    name, here = cifar100_among(study), None
    if name:
        specs = [part.spec for part in published_tables.COUNTERPARTS if part.table == "Table 12"]
        rows = [row for spec in specs if (row := _measured(study, data, spec)) is not None]
        here = pd.concat(rows).query("ood == @name") if rows else None
    table = table_12(here)
    percents = {head: st.column_config.NumberColumn(format="%.2f") for head in table.columns[2:]}
    st.dataframe(table, hide_index=True, column_config=percents, key="table-12")
    words = (
        f"{table_12_words(table)} Table 12 does not say its w; here it is Table 11's. In percent; “its network” is "
        f"the paper's {published_tables.NETWORK}, measured with this code"
    )
    if not name:
        words += ". To see your own network here, take CIFAR-10 as ID and CIFAR-100 among the OOD datasets"
    elif workspace.model_title(study) != published_tables.NETWORK:
        words += f"; this study has {workspace.model_title(study)}, so compare how methods rank, not their figures"
    st.caption(f"{words}.")


def _measured(study: Study, data: EvaluationData, spec: str) -> pd.DataFrame | None:
    try:
        # The w of Table 11, whatever the study takes.
        return results_table.at_weight(study, spec, methods.weight(methods.parse(spec), data.context), data)
    except UserError:  # its row stays empty
        return None


st.title("How far away must an image be?")
study = workspace.current_study()
activations = run_panel.require_activations(study)
method_picker.row()
rows = method_picker.scores(study, activations)
measure, method, places = pick(study, [row.method for row in rows])
titles = workspace.titles(study)
palette = colours(study.id_dataset, study.ood_datasets)
groups = grouped(places)
place = st.container()  # the button that completes the figure stands below it
shifted = shifted_images(study)
count = shifted.images if shifted else 0  # a study with shifted images has other results than one without
responses = [
    cached(
        (study, row.method, row.w, count), covariate_shift.respond, activations, shifted, row,
        spinner="Scoring the shifted images …",
    )
    for row in rows
]  # fmt: skip
with place:
    figure_view.show(
        overview(responses, measure, groups, method, titles, palette), "far-overview", scroll_width=OVERVIEW_WIDTH
    )
    if words := unplaced(places):
        st.caption(words)
    for sentence in findings(responses, method, groups, titles[study.id_dataset]):
        st.markdown(sentence)
silent = {one.method: one.reason for one in responses if one.reason and one.method != method}
if silent:
    st.caption(f"Without a left half: {', '.join(map(methods.title, silent))}, which need a pass of their own.")
details(next(one for one in responses if one.method == method), measure)
if shifted:
    st.caption(how_shifted(study))
near_in_the_paper(study, activations)
