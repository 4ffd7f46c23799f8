"""The oracle on the page of designs: what a classifier makes of maxima and means that has seen OOD labels."""

from __future__ import annotations

import streamlit as st

from nap_core.analysis import oracle
from nap_core.analysis.channels.kinds import kind_of
from nap_core.errors import UserError
from nap_core.figures import colours
from nap_core.figures.score_designs import oracle_picture
from nap_core.methods import EvaluationData
from nap_core.studies.study import Study
from pages.components.results import figure_view
from pages.components.runs import task
from pages.components.study import hints, workspace


def section(study: Study, data: EvaluationData) -> None:
    """The oracle's scatter, or the button that trains it."""
    st.subheader("What an oracle sees in maxima and means", anchor=False)
    try:
        count = oracle.planned(data)
    except UserError as error:
        st.info(hints.sentence(error), icon=":material/info:")
        return
    result = task.result_of(
        ("oracle", study),
        lambda callbacks: oracle.oracle(data, callbacks=callbacks),
        f"Train the oracle ({count:,} images)",
        key="oracle",
    )
    if result is not None:
        titles, palette = workspace.titles(study), colours(study.id_dataset, study.ood_datasets)
        figure_view.show(oracle_picture(result, titles, palette), "oracle", scroll_width=0)
    model = data.context.model
    channel = kind_of(model).one if model is not None else "channel"
    st.caption(
        "The oracle has seen OOD labels, which no method may: a neural network with one hidden layer, trained on the "
        f"maximum and mean of every {channel} to tell ID from OOD, on one half of {count:,} images, and asked about "
        "the other half (section 6.1 and Figure 4a of the paper). It shows what these two numbers hold, and how much "
        "of it the plain formula of NAP finds without a label."
    )
