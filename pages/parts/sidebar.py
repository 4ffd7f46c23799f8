"""The sidebar: the study in words, what changes it, and how it runs."""

from __future__ import annotations

import streamlit as st

from nap_core import datasets, models
from nap_core.errors import UserError
from nap_core.extraction import available_devices
from nap_core.study import Study, default_study
from pages.parts import run_panel, workspace

SIZES = (50, 100, 200, 500, 1000)


def study_sidebar() -> None:
    """Draw the visitor's study and its controls, and keep the address in step with it."""
    chosen = workspace.current_study()
    workspace.write_address(chosen)
    titles = workspace.titles(chosen)
    with st.sidebar:
        st.markdown("##### The study")
        met = ", ".join(titles[name] for name in chosen.ood_datasets)
        lines = (
            f"**{workspace.model_title(chosen)}**",
            f"knows **{titles[chosen.id_dataset]}**",
            f"meets **{met}**",
            f"**{chosen.images:,}** images each",
        )
        st.markdown("  \n".join(lines))
        if st.button("Change the study", icon=":material/tune:", width="stretch", key="change-study"):
            _change(chosen)
        if "link_fault" in st.session_state:
            st.warning(f"{st.session_state.link_fault} The default study is shown instead.")
        _status(chosen)


def _status(chosen: Study) -> None:
    if workspace.activations(chosen) is None:
        run_panel.offer(chosen, key="sidebar")
    else:
        st.caption(":material/check_circle: In the store: opens at once")
    job = workspace.jobs().get(chosen)
    speed = f" · {job.progress.images_per_second:,.0f} images/s in the last run" if job and job.progress else ""
    size = workspace.store().size_bytes() / 1e6
    st.caption(f"Device: {workspace.device_title()}{speed}  \nStore: {size:,.1f} MB")


@st.dialog("Change the study")
def _change(chosen: Study) -> None:
    model = st.selectbox(
        "Model",
        list(models.RECORDS),
        index=list(models.RECORDS).index(chosen.model),
        format_func=lambda name: f"{models.RECORDS[name].title} · knows {models.RECORDS[name].knows}",
    )
    start = chosen if model == chosen.model else default_study(model)
    id_names = [name for name, record in datasets.RECORDS.items() if _serves_as_id(name, record.role, model)]
    id_dataset = st.selectbox(
        "ID dataset", id_names, index=id_names.index(start.id_dataset), format_func=_title, key=f"id-{model}"
    )
    ood_names = [
        name for name, record in datasets.RECORDS.items() if record.role in ("ood", "id") and name != id_dataset
    ]
    ood = st.multiselect(
        "OOD datasets",
        ood_names,
        default=[name for name in start.ood_datasets if name in ood_names],
        format_func=_title,
        key=f"ood-{model}-{id_dataset}",
    )
    sizes = sorted({*SIZES, start.images})
    images = st.select_slider("Images of each", sizes, value=start.images, key=f"n-{model}")
    devices = ["", *available_devices()]
    device = st.selectbox(
        "Device",
        devices,
        index=devices.index(workspace.device() or ""),
        format_func=lambda name: name or "the best there is",
    )
    try:
        wanted = Study(model, id_dataset, tuple(ood), images)
    except UserError as error:
        st.info(str(error), icon=":material/info:")
        return
    missing = workspace.missing_images(wanted)
    st.caption(_what_is_cached(wanted, missing))
    if st.button("Use this study" if not missing else "Use and run this study", type="primary"):
        st.session_state.device = device or None
        workspace.choose_study(wanted)
        if missing:
            workspace.start(wanted)
        st.rerun()


def _serves_as_id(name: str, role: str, model: str) -> bool:
    return role == "id" or (role == "bank" and models.RECORDS[model].id_dataset == name)


def _title(name: str) -> str:
    return datasets.RECORDS[name].title


def _what_is_cached(wanted: Study, missing: dict[str, int]) -> str:
    marks = [
        f":material/schedule: {_title(name)}: {missing[name]:,} images to extract"
        if name in missing
        else f":material/check_circle: {_title(name)}: in the store"
        for name in wanted.datasets
    ]
    return "  \n".join(marks)
