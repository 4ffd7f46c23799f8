"""The check of a model: what its examination showed when it was loaded."""

from __future__ import annotations

import streamlit as st

from nap_core import models
from nap_core.methods import EvaluationData
from nap_core.models import findings
from nap_core.models.findings import Finding, Level

ICONS: dict[Level, str] = {
    "refused": ":material/block:",
    "warning": ":material/warning:",
    "note": ":material/info:",
}


def draw(model: str) -> None:
    """The most serious finding in a line, the others in an expander; nothing where the weights are not here yet.

    Raises UserError for a network that cannot be used.
    """
    if not models.is_here(model):
        return
    with st.spinner("Checking the model …"):  # loaded once, then kept
        found = findings.ordered(models.load(model).findings)
    if not found:
        st.caption(":material/check_circle: Model check: nothing out of the ordinary was seen.")
        return
    st.caption(f"Model check: {_line(found[0])}")
    if len(found) > 1:
        with st.expander(f"{len(found) - 1} more of the model check"):
            st.caption("  \n".join(map(_line, found[1:])))


def warn(data: EvaluationData | None) -> None:
    """The most serious finding about the model that the data were made with, if it is more than a note."""
    model = data.context.model if data else None
    serious = [one for one in findings.ordered(model.findings if model else ()) if one.level != "note"]
    if serious:
        st.caption(_line(serious[0]))


def _line(finding: Finding) -> str:
    return f"{ICONS[finding.level]} {finding.sentence}"
