"""A suspicious ID accuracy, said at the top of every page before any result."""

from __future__ import annotations

import streamlit as st

from nap_core.analysis.accuracy_check import accuracy_warning
from nap_core.errors import UserError
from pages.components.study import workspace
from pages.components.study.cache import cached


def show() -> None:
    """Draw what is suspicious about the ID accuracy of the visitor's study, once the study has run."""
    study = workspace.current_study()
    try:
        data = workspace.activations(study)
    except UserError:  # the page says what stands in its way
        return
    sentence = cached((study,), accuracy_warning, data) if data else None
    if sentence:
        with st.container(key="accuracy-warning"):
            st.warning(sentence, icon=":material/warning:")
