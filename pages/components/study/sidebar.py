"""The sidebar: the study in words, what changes it, and how it runs."""

from __future__ import annotations

import streamlit as st

from nap_core.models import plugins
from nap_core.storage import byte_size
from nap_core.studies.study import Study
from pages.components.runs import run_panel
from pages.components.study import change_study, user_image_list, workspace


def study_sidebar() -> None:
    """Draw the visitor's study and its controls, and keep the address in step with it."""
    chosen = workspace.current_study()
    workspace.write_address(chosen)
    titles, stranger = workspace.titles(chosen), workspace.knows_a_stranger(chosen)
    with st.sidebar:
        st.markdown("##### The study")
        met = ", ".join(titles[name] for name in chosen.ood_datasets)
        lines = (
            f"**{workspace.model_title(chosen)}**",
            f"{'takes' if stranger else 'knows'} **{titles[chosen.id_dataset]}**{' as known' if stranger else ''}",
            f"meets **{met}**",
            f"**{chosen.images:,}** images each",
            *chosen.changes(),
        )
        st.markdown("  \n".join(lines), help=workspace.where_read(chosen.model, chosen.layer) or None)
        if stranger:
            st.caption(
                f":material/warning: {workspace.model_title(chosen)} was trained on {chosen.knows}: images that it "
                "does not know stand in for those that it does."
            )
        if st.button("Change the study", icon=":material/tune:", width="stretch", key="change-study"):
            change_study.dialog(chosen)
        if "link_fault" in st.session_state:
            st.warning(f"{st.session_state.link_fault} The default study is shown instead.")
        for fault in plugins.faults():
            st.warning(fault)
        user_image_list.unreadable(chosen)
        _status(chosen)


def _status(chosen: Study) -> None:
    if workspace.activations(chosen) is None:
        run_panel.offer(chosen, key="sidebar")
    else:
        st.caption(":material/check_circle: In the store: opens at once")
    job = workspace.jobs().get(chosen)
    passed = job.progress if job and job.progress and job.progress.unit == "images" else None
    speed = f" · {passed.speed:,.0f} images/s in the last run" if passed else ""
    size = workspace.store().size_bytes()
    st.caption(f"Device: {workspace.device_title()}{speed}  \nStore: {byte_size.in_words(size)}")
