"""The results table of the chosen methods with its intervals: computed a method at a time, and once."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from nap_core.analysis import bootstrap, evaluation
from nap_core.analysis.evaluation import MethodScores
from nap_core.methods import EvaluationData, Weight
from nap_core.studies.study import Study
from pages.components.study import workspace
from pages.components.study.cache import cached

AT_ONCE = 10.0  # seconds that a page takes for intervals without being asked
_ASKED = "intervals-asked"


def evaluated(study: Study, data: EvaluationData, specs: Sequence[str]) -> pd.DataFrame:
    """The rows of ``evaluation.evaluate``."""
    weights = workspace.weights(study, data, specs)
    return pd.concat([at_weight(study, spec, weights.get(spec), data) for spec in specs], ignore_index=True)


def at_weight(study: Study, method: str, weight: Weight | None, data: EvaluationData) -> pd.DataFrame:
    """The rows of one method, a combination at ``weight``."""
    weights = {method: weight} if weight else None
    return cached((study, method, weight), evaluation.evaluate, data, [method], weights, entries=512)


def intervals(study: Study, rows: Sequence[MethodScores]) -> pd.DataFrame | None:
    """The rows of ``bootstrap.intervals`` of every method.

    None where they take long and have not been requested: a button requests them, a bar shows the progress.
    """
    done_before: set[str] = st.session_state.setdefault(f"intervals of {study}", set())
    waiting = [row for row in rows if row.method not in done_before]
    seconds = bootstrap.expected_seconds(waiting)
    if seconds > AT_ONCE and not st.session_state.pop(_ASKED, False):
        count = "1 method" if len(waiting) == 1 else f"{len(waiting)} methods"
        st.button(
            f"Compute the intervals of {count} (about {_duration(seconds)})",
            key="compute-intervals",
            icon=":material/straighten:",
            on_click=lambda: st.session_state.update({_ASKED: True}),
        )
        return None
    place = st.empty()
    computed = []
    for done, row in enumerate(rows):
        if seconds > AT_ONCE:
            place.progress(done / len(rows), text=f"Resampling the images: {row.title}")
        computed.append(cached((study, row.method, row.w), bootstrap.intervals, row, entries=512))
        done_before.add(row.method)
    place.empty()
    return pd.concat(computed, ignore_index=True)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
