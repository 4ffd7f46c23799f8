"""How every figure is shown: the figure, its sentence, and the menu that saves it as PNG, SVG or CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st

from nap_core.figures import Picture
from pages.components.browser_component import browser_component
from pages.components.results.scrolling import finger_scrolls

Selection = Literal["points", "box", "lasso"]
_save_buttons = browser_component("save_figure")


def show(
    picture: Picture,
    key: str,
    *,
    selection: Sequence[Selection] = (),
    scroll_zoom: bool = False,
    scroll_width: int | None = None,
) -> Any:
    """Draw a picture over the full width with its caption and its save menu.

    Args:
        picture: The figure with its caption and table.
        key: Unique on the page; it names the figure for tests and styles.
        selection: What may be selected.
        scroll_zoom: Whether the mouse wheel zooms.
        scroll_width: The least width in pixels, below which the figure scrolls sideways on a touch screen; 0 lets a
            finger scroll the page only. None for figures in which a finger drags.

    Returns:
        The selection event where ``selection`` is given, else None.
    """
    config: dict[str, Any] = {
        "displaylogo": False,
        "scrollZoom": scroll_zoom,
        "toImageButtonOptions": {"format": "png", "filename": picture.name, "scale": 2},
    }
    with st.container(key=f"picture-{key}", gap="small"):
        event = st.plotly_chart(
            picture.figure,
            key=key,
            alt=picture.reading,
            config=config,
            on_select="rerun" if selection else "ignore",
            selection_mode=selection or ("points",),
        )
        with st.container(horizontal=True, vertical_alignment="top", key=f"reading-{key}"):
            st.markdown(picture.reading, width="stretch")
            menu = st.popover("Save", icon=":material/download:", type="tertiary")
        with menu:
            _save_buttons(key=f"save-{key}", data={"figure": key, "name": picture.name})
            st.download_button(
                "CSV",
                data=lambda: picture.table.to_csv(index=False).encode(),  # when asked for: some tables are long
                file_name=f"{picture.name}.csv",
                mime="text/csv",
                key=f"csv-{key}",
                on_click="ignore",
                width="stretch",
            )
    if scroll_width is not None:
        finger_scrolls(key, scroll_width)
    return event if selection else None
