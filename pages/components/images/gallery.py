"""Thumbnails that can be clicked: a filmstrip that scrolls, or rows that wrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

_JS = """
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const strip = parentElement.querySelector(".strip");
  strip.className = `strip ${data.wrap ? "wrap" : "film"}`;
  strip.setAttribute("aria-label", data.label);
  const kept = strip.scrollLeft;
  strip.replaceChildren();
  data.items.forEach((item, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(index === data.selected));
    const words = [item.caption, item.note, item.detail].filter(Boolean).join(", ");
    button.setAttribute("aria-label", words);
    button.title = words;
    if (item.colour) button.style.setProperty("--mark", item.colour);
    const image = document.createElement("img");
    image.src = item.source;
    image.alt = "";
    button.append(image);
    for (const [text, name] of [[item.caption, "caption"], [item.note, "note"], [item.detail, "note"]]) {
      if (!text) continue;
      const line = document.createElement("span");
      line.className = name;
      line.textContent = text;
      button.append(line);
    }
    button.disabled = !data.clickable;
    button.onclick = () => setTriggerValue("clicked", index);
    strip.append(button);
  });
  strip.scrollLeft = kept;
  // The chosen picture comes into view when another one is chosen, not when the reader has scrolled away from it.
  const chosen = strip.children[data.selected ?? -1], source = data.items[data.selected ?? -1]?.source;
  if (chosen && strip.chosen !== source) {
    const [inner, outer] = [chosen.getBoundingClientRect(), strip.getBoundingClientRect()];
    const hidden = inner.left < outer.left || inner.right > outer.right;
    if (hidden) strip.scrollLeft += inner.left - outer.left - outer.width / 3;
  }
  strip.chosen = source;
}
"""
_CSS = """
.strip { display: flex; gap: .5rem; padding: 3px; }
.strip.film { overflow-x: auto; scrollbar-width: thin; }
.strip.wrap { flex-wrap: wrap; }
button {
  flex: none; width: 84px; padding: 0 0 4px; cursor: pointer; text-align: center; overflow: hidden;
  color: var(--st-text-color); background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); border-bottom: 3px solid var(--mark, var(--st-border-color));
  border-radius: 6px; font: 12px/1.3 var(--st-font);
}
button:disabled { cursor: default; }
button[aria-pressed="true"] { outline: 3px solid var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); }
img { display: block; width: 100%; height: 84px; object-fit: contain; image-rendering: pixelated; }
.caption, .note { display: block; padding: 0 4px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.note { opacity: .75; font-size: 11px; font-variant-numeric: tabular-nums; }
"""
_gallery = st.components.v2.component("nap_gallery", html='<div class="strip" role="group"></div>', css=_CSS, js=_JS)


@dataclass(frozen=True)
class Thumbnail:
    """One picture of a gallery: its ``data:`` address, a caption, a smaller note, the colour of its dataset, a detail.

    A detail is one more note below; what is too long for a line shows in full when pointed at.
    """

    source: str
    caption: str = ""
    note: str = ""
    colour: str = ""
    detail: str = ""


def gallery(
    items: Sequence[Thumbnail],
    key: str,
    *,
    label: str,
    selected: int | None = None,
    wrap: bool = False,
    clickable: bool = True,
) -> int | None:
    """Draw thumbnails; the position of the one that was clicked just now, else None.

    ``label`` says what the gallery holds, for screen readers. ``wrap`` fills rows instead of one scrolling strip.
    """
    result = _gallery(
        key=key,
        data={
            "items": [asdict(item) for item in items],
            "selected": selected,
            "wrap": wrap,
            "label": label,
            "clickable": clickable,
        },
        on_clicked_change=_noted,
    )
    return result.clicked


def _noted() -> None:
    """A click reruns the page by itself; nothing else is to be done."""
