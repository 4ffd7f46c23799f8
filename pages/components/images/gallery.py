"""Thumbnails that can be clicked: a filmstrip that scrolls, or rows that wrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pages.components.browser_component import browser_component, click_reruns

_gallery = browser_component("gallery")


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
        on_clicked_change=click_reruns,
    )
    clicked: int | None = result.clicked
    return clicked
