"""Every combination of the paper's Table 11 on the w page, beside those that were chosen."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nap_core import methods
from nap_core.analysis import evaluation
from nap_core.figures import colours
from nap_core.figures.w_sensitivity import Sensitivity, combinations_picture, combinations_table, least_width
from nap_core.methods import EvaluationData
from nap_core.studies.study import SEARCHED, Study
from pages.components.methods import selected_methods
from pages.components.results import figure_view
from pages.components.results.comparison_choice import pick_metric
from pages.components.runs import method_run
from pages.components.study import workspace
from pages.components.study.cache import cached

TABLE_11 = tuple(f"nap+{record.name}" for record in methods.RECORDS.values() if record.published_w)


def sensitivity(study: Study, method: str, data: EvaluationData) -> Sensitivity:
    """A combination's curve, which is computed once, with the names, colours and marks of the study."""
    weight = workspace.weight(study, data, method)
    searched = weight.w if weight and weight.origin == SEARCHED else None
    palette = colours(study.id_dataset, study.ood_datasets)
    curve = cached((study, method), evaluation.weight_curve, data, method, spinner="Computing the curve …")
    return Sensitivity.of(method, curve, study.trained_on, workspace.titles(study), palette, searched)


def section(study: Study, data: EvaluationData, combinations: Sequence[str], opened: str, w: float) -> None:
    """The chosen ``combinations`` and those of Table 11 that wait for nothing, ``opened`` marked, all at ``w``."""
    rest = [spec for spec in TABLE_11 if spec not in combinations]
    able, waits, _unable = method_run.ready(study, data, rest)
    heading, control = st.columns([3, 2], vertical_alignment="bottom")
    heading.subheader("All combinations at once", anchor=False)
    with control:
        metric = pick_metric("w_metric", labelled=False)
    shown = [*combinations, *able]
    every = [sensitivity(study, spec, data) for spec in shown]
    figure_view.show(
        combinations_picture(every, metric, w, opened=methods.title(opened)),
        "w-combinations",
        scroll_width=least_width(len(every)),
    )
    if waits:
        st.button(
            f"Add {', '.join(map(methods.title, waits))} to the methods",
            key="w-add-combinations",
            icon=":material/add:",
            type="tertiary",
            help="They wait for the fit split; the page then offers to run it.",
            on_click=lambda: selected_methods.choose([*selected_methods.current(), *waits]),
        )
    weights = workspace.weights(study, data, shown)
    table = combinations_table(every, w, [weights[spec].w for spec in shown])
    percent = {name: st.column_config.NumberColumn(format="%.1f") for name in table.columns[3:]}
    st.dataframe(table, hide_index=True, column_config=percent, key="w-combinations-table")
    st.caption(
        "Averages over the OOD datasets, in percent. “Its w” is what every page uses for the combination: "
        + ("searched on distorted images where it can be, else the paper's." if study.weights else "the paper's.")
    )
