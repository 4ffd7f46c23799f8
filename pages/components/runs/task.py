"""Work of a page that takes longer than a moment: its button, its bar and its result."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

from nap_core.extraction import ExtractionPlan
from nap_core.runs.background import Task
from nap_core.storage.progress import RunCallbacks
from pages.components.runs.run_panel import is_running, share_done
from pages.components.study import workspace


def _start(owner: Hashable, work: Callable[[RunCallbacks], Any]) -> None:
    workspace.jobs().start_task(owner, work)


def is_extracted(owner: Hashable, plan: ExtractionPlan, label: str, caption: str, *, key: str) -> bool:
    """Whether the store holds all activations of ``plan``; while it does not, the button or the bar and ``caption`` are
    drawn.

    ``owner`` is the key of this work among all others, so it includes the study. ``label`` is the text of the button;
    "{images}" in it becomes the number of images that have still to be extracted.
    """
    missing = plan.missing(workspace.store()).total()
    if not missing:
        return True
    result_of(
        owner, lambda callbacks: plan.run(workspace.store(), callbacks), label.format(images=f"{missing:,}"), key=key
    )
    st.caption(f"{caption} What is done is kept, so it can be stopped and continued.")
    return False


def result_of(
    owner: Hashable,
    work: Callable[[RunCallbacks], Any],
    label: str,
    *,
    key: str,
    progress: Callable[[Task[Any]], tuple[float, str]] = share_done,
) -> Any:
    """The result of ``work``, once it has been run for ``owner``; None before, with its button or its bar drawn.

    ``owner`` is the key of this work among all others, so it includes the study. ``label`` is the text of the button;
    ``progress`` gives the share done and a line of text.
    """
    job = workspace.jobs().task_of(owner)
    if is_running(job, key, progress):
        return None
    if job is not None and job.state == "done":
        return job.result
    st.button(
        "Go on" if job is not None and job.state == "stopped" else label,
        key=f"run-{key}",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(owner, work),
    )
    return None
