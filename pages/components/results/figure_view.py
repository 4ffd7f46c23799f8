"""How every figure is shown: the figure, its sentence, and the menu that saves it as PNG, SVG or CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from nap_core.figures import Picture

# Streamlit keeps plotly.js to itself, but the drawn figure carries its settings and its own camera button.
_SAVE_JS = """
export default function (component) {
  const { parentElement, data } = component;
  const root = parentElement.querySelector(".save");
  root.replaceChildren();
  for (const format of ["png", "svg"]) {
    const button = document.createElement("button");
    button.textContent = format.toUpperCase();
    button.title = `Save the figure as ${format.toUpperCase()}`;
    button.onclick = () => {
      const graph = document.querySelector(`.st-key-${data.figure} .js-plotly-plot`);
      if (!graph) return;
      const options = graph._context.toImageButtonOptions;
      Object.assign(options, { format, filename: data.name, scale: format === "png" ? 2 : 1 });
      graph.querySelector('.modebar-btn[data-title*="ownload"]').click();
    };
    root.append(button);
  }
}
"""
_SAVE_CSS = """
.save { display: flex; gap: .5rem; }
.save button {
  flex: 1; min-height: 2.4rem; cursor: pointer; font: inherit; color: var(--st-text-color);
  background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
.save button:hover, .save button:focus-visible {
  border-color: var(--st-primary-color); color: var(--st-primary-color);
}
"""
_save_buttons = st.components.v2.component(
    "nap_save_figure", html='<div class="save"></div>', css=_SAVE_CSS, js=_SAVE_JS
)


def show(
    picture: Picture,
    key: str,
    *,
    selection: Sequence[str] = (),
    scroll_zoom: bool = False,
) -> Any:
    """Draw a picture over the full width with its reading and its save menu.

    ``key`` is unique on the page and names the figure for tests and styles. ``selection`` lists what may be selected
    ("points", "box", "lasso"); the selection event is then returned, else None.
    """
    config = {
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
            selection_mode=tuple(selection) or ("points",),
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
