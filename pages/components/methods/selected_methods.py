"""The methods that a visitor has chosen: kept for the session and in the address of every page that shows them.

The address says ``methods=nap,energy,nap+energy,ash-s:percentile=0.9``; without it the standard methods are meant.
"""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from nap_core import methods
from nap_core.errors import UserError
from pages.components.study import url_state

ADDRESS = "methods"
_STATE, _FAULT = "chosen_methods", "chosen_methods_fault"


def current() -> tuple[str, ...]:
    """The chosen methods in their order: from this session, else from the address, else the standard ones."""
    try:
        return url_state.at_first(_STATE, ADDRESS, _read)
    except UserError as error:
        st.session_state[_STATE] = methods.STANDARD
        st.session_state[_FAULT] = f"The link's methods cannot be read. {error} The standard methods are shown."
        return methods.STANDARD


def _read(text: str | None) -> tuple[str, ...]:
    if text is None:
        return methods.STANDARD
    # A plus sign that somebody typed into an address arrives as a blank.
    words = [word.strip().replace(" ", "+") for word in text.split(",")]
    return tuple(dict.fromkeys(methods.parse(word).spec for word in words if word))


def choose(specs: Iterable[str]) -> None:
    """Make ``specs`` the visitor's choice, each of them once."""
    st.session_state[_STATE] = tuple(dict.fromkeys(specs))
    st.session_state.pop(_FAULT, None)


def write_address() -> None:
    """Put the choice into the page's address, so that its link opens the same; say it when one could not be read."""
    chosen = current()
    url_state.write(**{ADDRESS: None if chosen == methods.STANDARD else ",".join(chosen)})
    if fault := st.session_state.get(_FAULT):
        st.warning(fault, icon=":material/link_off:")
