"""Pending work of the chosen methods: the button that runs it in the background, its bar, and why some cannot run."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import streamlit as st

from nap_core import methods
from nap_core.errors import UserError
from nap_core.methods import EvaluationData
from nap_core.runs import pending
from nap_core.runs.background import MethodsJob
from nap_core.runs.pending import PendingWork
from pages.components.runs.run_panel import is_running, share_done
from pages.components.study import workspace
from pages.components.study.cache import stamps

IN_FULL = 3  # as many reasons are shown at once; more are folded


@st.cache_resource(show_spinner=False)
def _settled() -> set[tuple[Hashable, tuple[int, ...], str]]:
    """Methods without pending work: it stays so, and reading the store takes time."""
    return set()


def ready(
    owner: Hashable, data: EvaluationData, specs: Sequence[str]
) -> tuple[list[str], dict[str, PendingWork], dict[str, str]]:
    """Of ``specs``: those without pending work, the pending work of others, why others cannot run."""
    job = workspace.jobs().methods_of(owner)
    able, waits = [], {}
    unable = {spec: reason for spec, reason in (job.unable if job else {}).items() if spec in specs}
    for spec in specs:
        if (owner, stamps(owner), spec) in _settled():
            able.append(spec)
            continue
        if spec in unable:
            continue
        try:
            needs = pending.waiting(data, spec)
        except UserError as error:
            unable[spec] = str(error)
            continue
        if needs:
            waits[spec] = needs
        else:
            _settled().add((owner, stamps(owner), spec))
            able.append(spec)
    return able, waits, unable


def offer(owner: Hashable, data: EvaluationData, waits: Mapping[str, PendingWork]) -> None:
    """The bar while methods run, else the pending work ``waits`` in words and the button that runs it."""
    job = workspace.jobs().methods_of(owner)
    if not waits and (job is None or job.state != "running"):
        return
    with st.container(border=True, key="method-run", gap="xsmall"):
        if is_running(job, "methods", _progress):
            return
        st.markdown(f"{_what(waits)} What is done is kept, so it can be stopped and continued.")
        go_on = job is not None and job.state in ("stopped", "failed") and set(waits) & set(job.specs)
        st.button(
            "Go on" if go_on else f"Run {'it' if len(waits) == 1 else f'these {len(waits)} methods'}",
            key="run-methods",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(owner, data, tuple(waits)),
        )


def _start(owner: Hashable, data: EvaluationData, specs: Sequence[str]) -> None:
    workspace.jobs().start_methods(owner, data, specs)


def _what(waits: Mapping[str, PendingWork]) -> str:
    """ "KNN and ViM wait for the fit split, 5,000 training images to be seen once. ODIN waits for a pass …" """
    fitting = [spec for spec, needs in waits.items() if needs.fit]
    passing = {spec: sum(needs.images.values()) for spec, needs in waits.items() if needs.images}
    sentences = []
    if fitting:
        count = max(waits[spec].fit for spec in fitting)
        wait = "waits" if len(fitting) == 1 else "wait"
        sentences.append(f"{names(fitting)} {wait} for the fit split, {count:,} training images to be seen once.")
    if passing:
        alone = {methods.parse(spec).alone.spec: count for spec, count in passing.items()}
        images = f"{sum(alone.values()):,} images"
        if len(passing) == 1:
            sentences.append(f"{names(list(passing))} waits for a pass of its own over {images}.")
        else:
            sentences.append(f"{names(list(passing))} wait for passes of their own, {images} in all.")
    return " ".join(sentences)


def names(specs: Sequence[str]) -> str:
    """Their titles in bold, as a sentence lists them."""
    bold = [f"**{methods.title(spec)}**" for spec in specs]
    return bold[0] if len(bold) == 1 else f"{', '.join(bold[:-1])} and {bold[-1]}"


def _progress(job: MethodsJob) -> tuple[float, str]:
    share, text = share_done(job)
    if job.steps < 2:
        return share, text
    return (max(0, job.step - 1) + share) / job.steps, f"{text} · step {job.step} of {job.steps}"


def explain(unable: Mapping[str, str]) -> None:
    """Why some of the chosen methods have no numbers here."""
    if not unable:
        return
    lines = list(dict.fromkeys(unable.values()))
    if len(lines) <= IN_FULL:
        st.info("  \n".join(lines), icon=":material/block:")
        return
    with st.expander(f"{len(unable)} of the chosen methods cannot run on this study", icon=":material/block:"):
        st.markdown("\n".join(f"- **{methods.title(spec)}**: {reason}" for spec, reason in unable.items()))
