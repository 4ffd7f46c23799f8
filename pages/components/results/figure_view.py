"""How every figure is shown: the figure, its sentence, and the menu that saves it as PNG, SVG or CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st

from nap_core.figures import Picture
from pages.components.browser_component import browser_component

Selection = Literal["points", "box", "lasso"]
_save_buttons = browser_component("save_figure")


def show(
    picture: Picture,
    key: str,
    *,
    selection: Sequence[Selection] = (),
    scroll_zoom: bool = False,
) -> Any:
    """Draw a picture over the full width with its reading and its save menu.

    ``key`` is unique on the page and names the figure for tests and styles. ``selection`` lists what may be selected
    ("points", "box", "lasso"); the selection event is then returned, else None.
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
    return event if selection else None
