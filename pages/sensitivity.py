"""How sensitive are the numbers? The number of images, their size, the TPR; and what NAP costs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nap_core.analysis.comparison import AVERAGE
from nap_core.metrics import Metric
from nap_core.studies.study import Study
from pages.components.controls import pick_one
from pages.components.methods import method_picker
from pages.components.results import sensitivity_sections
from pages.components.results.comparison_choice import pick_metric, pick_opened
from pages.components.runs import run_panel
from pages.components.study import workspace

SECTIONS = {"images": "Number of images", "size": "Input size", "tpr": "TPR", "cost": "Cost"}
WITHOUT_METHODS = "cost"


def pick_section() -> str:
    """Which of the four is shown."""
    return pick_one("What is varied", SECTIONS, "sensitivity", segments=True, label_visibility="collapsed")


def pick(study: Study, specs: Sequence[str], with_metric: bool) -> tuple[Metric, str, str]:
    """The one row of controls: the metric, the column of the results table, the method that is opened."""
    columns = (*([AVERAGE] if len(study.ood_datasets) > 1 else []), *study.ood_datasets)
    titles = workspace.titles(study)
    metric: Metric = "fpr95"
    with st.container(horizontal=True, vertical_alignment="bottom", key="sensitivity-controls"):
        if with_metric:
            metric = pick_metric("sensitivity_metric")
        opened = pick_opened("sensitivity_method", specs)
        sides = {name: "Average of the OOD datasets" if name == AVERAGE else titles[name] for name in columns}
        against = pick_one("Against", sides, "sensitivity_against", width=260)
    return metric, opened, against


st.title("How sensitive are the numbers?")
study = workspace.current_study()
activations = run_panel.require_activations(study)
section = pick_section()
if section == WITHOUT_METHODS:
    sensitivity_sections.cost_section(study)
else:
    method_picker.row()
    rows = method_picker.scores(study, activations)
    metric, opened, against = pick(study, [row.method for row in rows], with_metric=section != "tpr")
    if section == "images":
        sensitivity_sections.images_section(study, activations, rows, metric, against, opened)
    elif section == "size":
        sensitivity_sections.size_section(study, rows, metric, against, opened)
    else:
        sensitivity_sections.tpr_section(study, rows, against, opened)
