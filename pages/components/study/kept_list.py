"""What the visitor has added, models or images: a list with buttons that remove, and the message of the last action."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import streamlit as st

from nap_core.errors import UserError


def say(state: str, text: str) -> None:
    """Keep a message of success for the next run of the page, under the session's key ``state``."""
    st.session_state[state] = "success", text


@contextmanager
def answered(state: str) -> Iterator[None]:
    """While the context is open, a UserError ends it and becomes the message."""
    try:
        yield
    except UserError as error:
        st.session_state[state] = "error", str(error)


def message(state: str) -> None:
    """Draw the message, once."""
    said = st.session_state.pop(state, None)
    with st.container():  # there without a message, too: what lies below keeps its place and its files
        if said:
            (st.error if said[0] == "error" else st.success)(said[1])


def removable(state: str, rows: Mapping[str, str], remove: Callable[[str], str], key: str) -> None:
    """Draw what is kept: the text of each ``rows`` and a button.

    ``remove`` deletes what it is given the name of, and returns its title. ``key`` begins the keys of the buttons.
    """

    def clicked(name: str) -> None:
        with answered(state):
            say(state, f"{remove(name)} was removed.")

    for name, said in rows.items():
        text, button = st.columns([4, 1], vertical_alignment="center")
        text.markdown(f"{said}  \n`{name}`")
        button.button("Remove", key=f"{key}-{name}", on_click=clicked, args=(name,))
