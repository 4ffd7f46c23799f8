"""The search for a method's parameters: a button, and the values found become part of the method's name."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

import streamlit as st

from nap_core import methods
from nap_core.analysis import distorted_images, parameter_search
from nap_core.analysis.parameter_search import ParameterSearch
from nap_core.errors import UserError
from nap_core.methods import EvaluationData
from nap_core.storage.progress import RunCallbacks
from nap_core.studies.study import Study
from pages.components.methods import selected_methods
from pages.components.runs import run_panel
from pages.components.study import hints, workspace

_ASKED, _SAID = "parameters-asked", "parameters-said"


def offer(study: Study, data: EvaluationData, spec: str, key: str) -> None:
    """The button that searches the parameters of the method ``spec``, the bar while it runs, or why it cannot.

    The values that are found replace the chosen method's once the search of this visitor has ended.
    """
    weight = workspace.weight(study, data, spec)
    w = weight.w if weight else None
    owner: Hashable = ("parameters", study, spec, w)
    if run_panel.is_running(job := workspace.jobs().task_of(owner), key):
        return
    asked: set[Hashable] = st.session_state.setdefault(_ASKED, set())
    if job is not None and job.result is not None and owner in asked:
        asked.discard(owner)
        _use(job.result)
        st.rerun()
    try:
        if error := parameter_search.refusal(methods.parse(spec)):
            raise error
        missing = distorted_images.extraction_plan(data).missing(workspace.store()).total()
    except UserError as error:
        st.caption(hints.sentence(error))
        return
    through = f" ({missing:,} images to go through)" if missing else ""
    st.button(
        f"Search the parameters of {methods.title(spec)}{through}",
        key=f"run-{key}",
        icon=":material/search:",
        on_click=_start,
        args=(owner, data, spec, w),
        help="On ID images that are distorted in 15 ways, without any OOD image, as w is searched. The values that "
        "are found take the place of the present ones.",
    )


def say(specs: list[str]) -> None:
    """What searches of this visitor have found, of those of ``specs`` that still have the values."""
    said: dict[str, str] = st.session_state.get(_SAID, {})
    for spec in specs:
        if spec in said:
            st.caption(said[spec])


def _start(owner: Hashable, data: EvaluationData, spec: str, w: float | None) -> None:
    st.session_state.setdefault(_ASKED, set()).add(owner)
    job = workspace.jobs().task_of(owner)
    if job is None or job.result is None:
        workspace.jobs().start_task(owner, partial(_searched, data, spec, w))


def _searched(data: EvaluationData, spec: str, w: float | None, callbacks: RunCallbacks) -> ParameterSearch:
    pseudo = distorted_images.extracted(data, callbacks)
    return parameter_search.search(data, pseudo, spec, w=w, callbacks=callbacks)


def _use(result: ParameterSearch) -> None:
    st.session_state.setdefault(_SAID, {})[result.found] = result.sentence()
    chosen = selected_methods.current()
    selected_methods.choose(result.found if spec == result.method else spec for spec in chosen)
