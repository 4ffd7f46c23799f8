"""Figures whose plotting area is square at every width, on a phone too."""

from __future__ import annotations

import streamlit as st

WIDEST = 640  # pixels, so that a square fits on a laptop's screen


def keep_square(key: str, taller: int) -> None:
    """Make the figure with ``key`` as tall as it is wide plus ``taller`` pixels, which its margins ask for.

    To be called where the figure is shown, by ``figure_view.show``.
    """
    st.html(
        f"<style>.st-key-picture-{key} {{ container-type: inline-size; max-width: {WIDEST}px; }} "
        f".st-key-{key} {{ flex: none !important; height: calc(100cqw + {taller}px) !important; }}</style>"
    )
