"""NAC-ME on the compare page: how much of its neurons' states the fit split covers, for models of the same data."""

from __future__ import annotations

from functools import partial

import streamlit as st

from nap_core import models, studies
from nap_core.methods.nac_me import model_coverage, stored_coverage
from nap_core.studies.study import Study
from nap_core.studies.study import context as scoring_context
from pages.components.runs import task
from pages.components.study import workspace


def coverage_of_models(study: Study) -> None:
    """A number for the study's model, where it has a fit split, and for each model of the catalogue that was trained
    on the same data and comes with one; or how to get it."""
    rivals = [name for name, one in models.RECORDS.items() if one.trained_on == study.trained_on and one.fit_dataset]
    offered = {name: studies.default_study(name) for name in rivals}
    fits = {name: one for name, one in offered.items() if studies.prepared(one)}
    if study.fit_dataset:
        fits[study.model] = study
    if not fits:
        st.caption(
            f"NAC-ME needs training images of {study.trained_on}, and none are there: the coverage of "
            f"{workspace.model_title(study)} cannot be measured. Pick a fit split in “Change the study”."
        )
        return
    for column, one in zip(st.columns(max(len(fits), 3)), fits.values(), strict=False):
        with column:
            _one(one)
    st.caption(
        "NAC-ME is the share of the area of its neurons' states that the fit split covers (Neuron Activation Coverage, "
        "ICLR 2024). Between models of the same data the larger was found to generalise better; between data it says "
        "nothing."
    )


def _one(of: Study) -> None:
    context = scoring_context(of, workspace.store(), workspace.device())
    title, coverage = workspace.model_title(of), stored_coverage(context)
    if coverage is not None:
        st.metric(f"NAC-ME of {title}", f"{coverage:.3f}")
        return
    task.result_of(
        ("NAC-ME", of.model, of.fit_dataset),
        partial(model_coverage, context),
        f"Measure NAC-ME of {title}",
        key=f"coverage-{of.model}",
    )
