"""Every page is shown inside the app: with its navigation and its sidebar."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def require_frame() -> None:
    """Send a visitor who came in past app.py through it.

    Beside a folder called ``pages`` Streamlit takes its older road until ``st.navigation`` has run once in the server:
    when the first request of all is a link to a page, that page would run alone, without a sidebar. Streamlit has no
    public switch for this; tests/e2e opens such a link on a fresh server.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
