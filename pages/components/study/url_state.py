"""The page's address: how parameters are read and written, and the old names that are still read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

Value = TypeVar("Value")

# Links with these names were shared before December 2026; they are read until December 2027.
ALIASES = {
    "known": "id_image",
    "met": "ood_image",
    "ask": "network",  # not "model", which is the study's
    "by": "method",
    "hangs_on": "sensitivity",
    "hangs_metric": "sensitivity_metric",
    "hangs_method": "sensitivity_method",
    "hangs_against": "sensitivity_against",
    "hangs_tpr": "sensitivity_tpr",
    "far_measure": "shift_metric",
    "far_method": "shift_method",
}


def adopt_old_names() -> None:
    """Where the address has an old name, put the new one in its place and run the page again.

    Controls that are bound to the address read it before the page runs, hence the second run.
    """
    old = [name for name in ALIASES if name in st.query_params]
    for name in old:
        values = st.query_params.get_all(name)
        del st.query_params[name]
        if ALIASES[name] not in st.query_params:
            st.query_params[ALIASES[name]] = values
    if old:
        st.rerun()


def move_to(page: str, **values: str) -> None:
    """Open ``page`` in place of this one, with the parameters of the address and ``values``."""
    kept: dict[str, str | list[str]] = {name: st.query_params.get_all(name) for name in st.query_params}
    st.switch_page(page, query_params={**kept, **values})


def write(**values: str | None) -> None:
    """Make the address say ``values``, so that its link shows the same; None takes a parameter out, others stay."""
    for name, value in values.items():
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def at_first(state: str, parameter: str, read: Callable[[str | None], Value]) -> Value:
    """The session's value ``state``; a session's first is what ``read`` makes of the address parameter, None without.

    Raises what ``read`` raises; the session then has no value yet.
    """
    if state not in st.session_state:
        st.session_state[state] = read(st.query_params.get(parameter))
    value: Value = st.session_state[state]
    return value


def whole(text: str | None) -> int | None:
    """A whole number of an address, None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() else None


def selectbox(label: str, name: str, options: Sequence[str], titled: Callable[[str], str], help: str = "") -> str:
    """A select box whose value is in the address, where it is not the first option, and outlives a change of page."""
    wanted = st.query_params.get(name)
    if st.session_state.get(name, options[0]) not in options:  # a method that is no longer chosen
        del st.session_state[name]
    if name not in st.session_state and wanted in options:
        st.session_state[name] = wanted
    chosen = st.selectbox(label, options, format_func=titled, key=name, help=help or None, persist_state="session")
    write(**{name: None if chosen == options[0] else chosen})
    return chosen
