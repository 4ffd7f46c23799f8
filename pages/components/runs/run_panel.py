"""The bar of a running study: images per second, time left, stop; and the button that starts or continues it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from nap_core import datasets, studies
from nap_core.runs.background import Job, StudyJob
from nap_core.studies.study import Study, StudyActivations
from pages.components.study import downloads, workspace

AnyJob = TypeVar("AnyJob", bound=Job[Any])


def require_activations(study: Study) -> StudyActivations:
    """The study's activations; where they are still to be made, the page ends here with the button or the bar."""
    found = workspace.activations(study)
    if found is None:
        offer(study, key="main")
        st.stop()
    return found


def require_prepared(study: Study) -> None:
    """Where a study has still to be downloaded or unpacked, the page ends here with the button or the bar."""
    if not studies.prepared(study):
        offer(study, key="main")
        st.stop()


def offer(study: Study, key: str) -> None:
    """The bar while the study runs, else the button that runs it and what stands in the way."""
    job = workspace.jobs().get(study)
    if job is not None and job.state == "running":
        bar(job, key, _progress)
        return
    if job is not None and job.state == "failed":
        st.error(f"The run ended early: {job.error} What was finished is kept.", icon=":material/error:")
    missing, files = workspace.missing_images(study), studies.missing_downloads(study)
    total, able = sum(missing.values()), True
    if key == "main":
        able = downloads.told(study)
    if job is not None and job.state in ("stopped", "failed"):
        label = f"Go on ({total:,} images left)"
    elif key == "sidebar":
        label = "Run the study"
    elif downloads.waits(study):
        label = f"Download and run this study ({total:,} images)"
    elif study == studies.default_study():
        label = "Run the default study (about 10 s)"
    else:
        label = f"Run this study ({total:,} images)"
    st.button(
        label,
        key=f"run-{key}",
        type="primary",
        icon=":material/play_arrow:",
        on_click=workspace.start,
        args=(study,),
        disabled=not able,
        width="stretch" if key == "sidebar" else "content",
    )
    if key == "sidebar" and files:
        st.caption(f":material/download: {downloads.described(files)}")
    if key == "main" and missing:
        names = ", ".join(f"{datasets.title(name)} ({count:,})" for name, count in missing.items())
        room = workspace.storage_words(study)
        st.caption(
            f"One forward pass over {names}{', ' if room else ''}{room}. "
            "What is done is kept, so it can be stopped and continued."
        )


def _progress(job: StudyJob) -> tuple[float, str]:
    now = job.progress
    if now is None:
        return 0.0, "Loading the model …"
    if now.unit != "images":
        return now.done / now.total if now.total else 0.0, downloads.progress_text(now)
    return images_done(job)


def images_done(job: Job[Any]) -> tuple[float, str]:
    """The share and the line of text of a job that sends images through a network."""
    now = job.progress
    if now is None:
        return 0.0, "Getting ready …"
    text = f"{now.done:,} of {now.total:,} images · {now.speed:,.0f} images/s"
    return now.done / now.total, f"{text} · about {now.seconds_left:.0f} s left"


# Once a second: at 0.4 s the two bars kept Python so busy that extraction fell from 1,000 to 20 images/s on two cores.
@st.fragment(run_every=1.0)
def bar(job: AnyJob, key: str, progress: Callable[[AnyJob], tuple[float, str]]) -> None:
    """The bar of a running job, whose ``progress`` is a share and a line of text, and the button that stops it."""
    if job.state != "running":
        st.rerun()
    share, text = progress(job)
    st.progress(min(share, 1.0), text=text)
    st.button("Stop", key=f"stop-{key}", icon=":material/stop:", on_click=job.stop)
