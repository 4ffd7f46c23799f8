"""What of the results table is shown, and in which order: one row of controls, and what can be taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from nap_core import methods
from nap_core.analysis.comparison import AVERAGE, matching
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures import export
from nap_core.studies.study import Study
from pages.components.controls import pick_one

CHOSEN = "chosen"  # the order of the choice; no dataset has this name
_SHORT = {name: title.split(":")[0] for name, title in methods.FAMILIES.items()}
_NAP = {"": "with and without", "with": "with NAP", "without": "without NAP"}


def pick_order(columns: Sequence[str], titles: Mapping[str, str]) -> str:
    """The column whose best comes first, or ``CHOSEN``."""
    named = {AVERAGE: "Best on average"}
    names = {CHOSEN: "As chosen"} | {name: named.get(name) or f"Best on {titles[name]}" for name in columns}
    return pick_one("Order", names, "compare_order", label_visibility="collapsed", width=230)


def pick_shown(specs: Sequence[str]) -> list[str]:
    """Those of ``specs`` that the filter lets through; all, with a sentence, when it lets none through."""
    state = st.session_state
    active = sum(bool(state.get(key)) for key in ("filter-family", "filter-nap", "filter-words"))
    with st.popover(f"Filter ({active})" if active else "Filter", icon=":material/filter_list:", key="compare-filter"):
        family = st.selectbox(
            "Family",
            ["", *methods.FAMILIES],
            format_func=lambda name: _SHORT.get(name, "every family"),
            key="filter-family",
            filter_mode=None,
        )
        nap = st.segmented_control("NAP", list(_NAP), format_func=_NAP.__getitem__, key="filter-nap", default="")
        words = st.text_input("Words", key="filter-words", placeholder="in name, formula or year")
    with_nap = {"with": True, "without": False}.get(nap or "")
    shown = matching(specs, family=family, with_nap=with_nap, words=words)
    if not shown:
        st.caption("No chosen method passes the filter: all are shown.")
        return list(specs)
    return shown


def offer_exports(
    study: Study,
    rows: Sequence[MethodScores],
    results: pd.DataFrame,
    intervals: pd.DataFrame | None,
    titles: Mapping[str, str],
    palette: Mapping[str, str],
) -> None:
    """CSV, LaTeX and the report, made when they are asked for."""
    with st.popover("Export", icon=":material/download:", key="compare-export"):
        if intervals is None:
            st.caption("Compute the intervals below the table first: CSV and report hold them.")
        st.download_button(
            "CSV: every number and its provenance",
            data=lambda: export.tidy_table(results, _there(intervals)).to_csv(index=False).encode(),
            file_name="methods.csv",
            mime="text/csv",
            key="export-csv",
            disabled=intervals is None,
            on_click="ignore",
            width="stretch",
        )
        st.download_button(
            "LaTeX: a table with booktabs",
            data=lambda: export.latex_table(results, titles, study.sentence()).encode(),
            file_name="methods.tex",
            mime="application/x-tex",
            key="export-latex",
            on_click="ignore",
            width="stretch",
        )
        st.download_button(
            "HTML: a report with figures, 5 MB",
            data=lambda: export.html_report(
                study.sentence(), rows, results, _there(intervals), titles, palette
            ).encode(),
            file_name="methods.html",
            mime="text/html",
            key="export-html",
            disabled=intervals is None,
            on_click="ignore",
            width="stretch",
        )


def _there(intervals: pd.DataFrame | None) -> pd.DataFrame:
    """The intervals, of a button that is disabled without them."""
    assert intervals is not None
    return intervals
