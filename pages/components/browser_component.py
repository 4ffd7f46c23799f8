"""Loader of the browser components, whose JavaScript, CSS and HTML are files in ``static/``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

STATIC = Path(__file__).parent / "static"


def browser_component(name: str) -> ComponentRenderer:
    """The component made of ``static/NAME.js``, and of ``NAME.css`` and ``NAME.html`` where these exist."""
    return st.components.v2.component(
        f"nap_{name}", html=_text(name, "html") or "<span></span>", css=_text(name, "css"), js=_text(name, "js")
    )


def _text(name: str, suffix: str) -> str | None:
    path = STATIC / f"{name}.{suffix}"
    return path.read_text("utf-8") if path.exists() else None


def click_reruns() -> None:
    """Callback of a click: the click reruns the page by itself, and nothing else is to be done."""
