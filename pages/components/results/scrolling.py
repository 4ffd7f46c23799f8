"""Figures on a narrow screen: those that need a least width scroll sideways, and a finger moves the page over them."""

from __future__ import annotations

import streamlit as st

from pages.components.browser_component import browser_component

_finger = browser_component("finger_scroll")


def finger_scrolls(key: str, least_width: int = 0) -> None:
    """Let a finger on the figure with ``key`` scroll; where there are fewer than ``least_width`` pixels, sideways too.

    For figures in which nothing is dragged: axes of fixed range, selection by points.
    """
    frame, figure = f".st-key-picture-{key}", f".st-key-picture-{key} > .st-key-{key}.stElementContainer"
    # It scrolls only where it is too narrow, because what scrolls cuts off the tool bar above it.
    st.html(
        f"<style>{frame} {{ container-type: inline-size; }} {figure} > * {{ min-width: {least_width}px; }}"
        f"@container (max-width: {least_width - 1}px) {{ {figure} {{ overflow-x: auto !important; }} }}"
        f".st-key-finger-{key} {{ position: absolute; }}</style>"  # it shows nothing and takes no gap
    )
    _finger(key=f"finger-{key}", data={"figure": key})
