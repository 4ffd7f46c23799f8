"""Figures on a narrow screen: those that need a least width scroll sideways, and a finger moves the page over them."""

from __future__ import annotations

import streamlit as st

# plotly.js takes a touch as the beginning of a drag and keeps the page from moving. Where nothing can be dragged the
# touch is hidden from it: the browser then scrolls and pinches as anywhere, and hands on a tap as a click.
_JS = """
export default function (component) {
  const inside = `.st-key-${component.data.figure} .js-plotly-plot`;
  const hide = (event) => { if (event.target.closest(inside)) event.stopPropagation(); };
  document.addEventListener("touchstart", hide, { capture: true, passive: true });
  return () => document.removeEventListener("touchstart", hide, { capture: true });
}
"""
_finger = st.components.v2.component("nap_finger_scrolls", html="<span></span>", js=_JS)


def finger_scrolls(key: str, least_width: int = 0) -> None:
    """Let a finger on the figure with ``key`` scroll; where there are fewer than ``least_width`` pixels, sideways too.

    For figures in which nothing is dragged: axes of fixed range, selection by points.
    """
    st.html(f"<style>.st-key-{key} {{ overflow-x: auto; }} .st-key-{key} > * {{ min-width: {least_width}px; }}</style>")
    _finger(key=f"finger-{key}", data={"figure": key})
