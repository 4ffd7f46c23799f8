"""The bar of a running study: images per second, time left, stop; and the button that starts or continues it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from nap_core import datasets, studies
from nap_core.methods import EvaluationData
from nap_core.runs.background import Job, StudyJob
from nap_core.studies.study import Study
from pages.components.study import downloads, workspace

AnyJob = TypeVar("AnyJob", bound=Job[Any])


def require_activations(study: Study) -> EvaluationData:
    """The study's activations; where they are still to be made, the page ends here with the button or the bar."""
    activations = workspace.activations(study)
    if activations is None:
        offer(study, key="main")
        st.stop()
    for sentence in activations.left_out(workspace.titles(study)):
        st.warning(sentence, icon=":material/warning:")
    _say_overlap(study, activations)
    return activations


def _say_overlap(study: Study, activations: EvaluationData) -> None:
    """The images that stand in two sets of the study, and the button that leaves them out or takes them in again."""
    if study.distinct:
        label, changed = "Keep images that stand in two sets", replace(study, distinct="")
    else:
        shared = workspace.overlaps(study, activations)
        if not shared:
            return
        titles = workspace.titles(study)
        st.warning(" ".join(one.sentence(titles) for one in shared), icon=":material/content_copy:")
        label, changed = "Leave them out", replace(study, distinct="1")
    st.button(label, key="overlap", on_click=workspace.choose_study, args=(changed,))


def require_prepared(study: Study) -> None:
    """Where a study has still to be downloaded or unpacked, the page ends here with the button or the bar."""
    if not studies.prepared(study):
        offer(study, key="main")
        st.stop()


def offer(study: Study, key: str) -> None:
    """The bar while the study runs, else the button that runs it and what stands in the way."""
    job = workspace.jobs().get(study)
    if is_running(job, key, _progress):
        return
    missing, files = workspace.missing_images(study), studies.missing_downloads(study)
    total, able = sum(missing.values()), True
    if key == "main":
        able = downloads.explain(study)
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
    if now is None or now.unit == "images":
        return share_done(job)
    return now.done / now.total if now.total else 0.0, downloads.progress_text(now)


def share_done(job: Job[Any]) -> tuple[float, str]:
    """The share done of a job and its line of text: "MNIST: 300 of 1,000 images · 250 images/s · about 3 s left"."""
    now = job.progress
    if now is None:
        return 0.0, "Getting ready …"
    speed = f"{now.speed:,.0f}" if now.speed >= 10 else f"{now.speed:.2g}"
    text = f"{now.title}: {now.done:,} of {now.total:,} {now.unit} · {speed} {now.unit}/s"
    return now.done / now.total, f"{text} · about {now.seconds_left:.0f} s left"


def is_running(job: AnyJob | None, key: str, progress: Callable[[AnyJob], tuple[float, str]] = share_done) -> bool:
    """Whether ``job`` runs, and then its bar is drawn; of a job that failed the error is drawn."""
    if job is not None and job.state == "running":
        bar(job, key, progress)
        return True
    if job is not None and job.state == "failed":
        st.error(f"The run ended early: {job.error} What was finished is kept.", icon=":material/error:")
    return False


# Once a second: at 0.4 s the two bars kept Python so busy that extraction fell from 1,000 to 20 images/s on two cores.
@st.fragment(run_every=1.0)
def bar(job: AnyJob, key: str, progress: Callable[[AnyJob], tuple[float, str]]) -> None:
    """The bar of a running job, whose ``progress`` is a share and a line of text, and the button that stops it."""
    if job.state != "running":
        st.rerun()
    share, text = progress(job)
    st.progress(min(share, 1.0), text=text)
    st.button("Stop", key=f"stop-{key}", icon=":material/stop:", on_click=job.stop)
