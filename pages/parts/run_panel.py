"""The bar of a running study: images per second, time left, stop; and the button that starts or continues it."""

from __future__ import annotations

import streamlit as st

from nap_core import datasets
from nap_core.jobs import Job
from nap_core.study import Study, StudyActivations, default_study
from pages.parts import workspace


def require_activations(chosen: Study) -> StudyActivations:
    """The study's activations; where they are still to be made, the page ends here with the button or the bar."""
    found = workspace.activations(chosen)
    if found is None:
        offer(chosen, key="main")
        st.stop()
    return found


def offer(chosen: Study, key: str) -> None:
    """The bar while the study runs, else the button that runs it and what stands in the way."""
    job = workspace.jobs().get(chosen)
    if job is not None and job.state == "running":
        _bar(job, key)
        return
    if job is not None and job.state == "failed":
        st.error(f"The run ended early: {job.error} What was finished is kept.", icon=":material/error:")
    missing = workspace.missing_images(chosen)
    total = sum(missing.values())
    if job is not None and job.state in ("stopped", "failed"):
        label = f"Go on ({total:,} images left)"
    elif key == "sidebar":
        label = "Run the study"
    elif chosen == default_study():
        label = "Run the default study (about 10 s)"
    else:
        label = f"Run this study ({total:,} images)"
    st.button(
        label,
        key=f"run-{key}",
        type="primary",
        icon=":material/play_arrow:",
        on_click=workspace.start,
        args=(chosen,),
        width="stretch" if key == "sidebar" else "content",
    )
    if key == "main":
        names = ", ".join(f"{datasets.RECORDS[name].title} ({count:,})" for name, count in missing.items())
        st.caption(f"One forward pass over {names}. What is done is kept, so it can be stopped and continued.")


# Once a second: at 0.4 s the two bars kept Python so busy that extraction fell from 1,000 to 20 images/s on two cores.
@st.fragment(run_every=1.0)
def _bar(job: Job, key: str) -> None:
    if job.state != "running":
        st.rerun()
    now = job.progress
    if now is None:
        st.progress(0.0, text="Loading the model …")
    else:
        names = [datasets.RECORDS[name].title for name in job.study.datasets]
        share = (names.index(now.dataset) + now.done / now.total) / len(names)
        text = f"{now.dataset}: {now.done:,} of {now.total:,} · {now.images_per_second:,.0f} images/s"
        st.progress(min(share, 1.0), text=f"{text} · about {now.seconds_left:.0f} s left")
    st.button("Stop", key=f"stop-{key}", icon=":material/stop:", on_click=job.stop)
