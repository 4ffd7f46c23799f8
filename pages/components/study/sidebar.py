"""The sidebar: the study in words, what changes it, and how it runs."""

from __future__ import annotations

import streamlit as st

from nap_core import models
from nap_core.models import plugins
from nap_core.storage import byte_size
from nap_core.studies.study import Study
from pages.components.methods import weight_search
from pages.components.runs import run_panel
from pages.components.study import change_study, image_remarks, model_check, workspace


def study_sidebar() -> None:
    """Draw the visitor's study and its controls, and keep the address in step with it."""
    study = workspace.current_study()
    workspace.write_address(study)
    titles = workspace.titles(study)
    with st.sidebar:
        st.markdown("##### The study")
        lines = (
            f"**{workspace.model_title(study)}**",
            f"ID: **{titles[study.id_dataset]}**",
            f"OOD: **{', '.join(titles[name] for name in study.ood_datasets)}**",
            f"**{study.images:,}** images each",
            *study.changes(),
        )
        st.markdown("  \n".join(lines), help=workspace.where_read(study.model, study.layer) or None)
        if workspace.id_is_foreign(study):
            st.caption(
                f":material/warning: {workspace.model_title(study)} was trained on "
                f"{models.find(study.model).training_data}: the ID images "
                "show none of its classes."
            )
        if not study.trained_on:
            st.caption(
                ":material/help: What it was trained on has not been said: parameters and w that papers publish for "
                "one benchmark are not taken as its own."
            )
        if st.button("Change the study", icon=":material/tune:", width="stretch", key="change-study"):
            change_study.dialog(study)
        if "link_fault" in st.session_state:
            st.warning(f"{st.session_state.link_fault} The default study is shown instead.")
        for fault in plugins.faults():
            st.warning(fault)
        image_remarks.draw(study)
        _status(study)


def _status(study: Study) -> None:
    data = workspace.activations(study)
    if data is None:
        run_panel.offer(study, key="sidebar")
    else:
        st.caption(":material/check_circle: In the store: opens at once")
        model_check.warn(data)
    weight_search.waiting(study, data)
    job = workspace.jobs().get(study)
    passed = job.progress if job and job.progress and job.progress.unit == "images" else None
    speed = f" · {passed.speed:,.0f} images/s in the last run" if passed else ""
    size = workspace.store().size_bytes()
    st.caption(f"Device: {workspace.device_title()}{speed}  \nStore: {byte_size.in_words(size)}")
