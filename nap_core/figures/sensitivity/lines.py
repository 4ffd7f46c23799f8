"""The layout of the figures over a quantity with a line a method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nap_core.figures.layout import Style, base_layout, legend
from nap_core.figures.text import column_title

if TYPE_CHECKING:
    from collections.abc import Mapping

HEIGHT = 460  # pixels
MARKER = 7  # pixels


def frame(xaxis: Style, yaxis: Style) -> Style:
    """The layout of a figure with the legend above it."""
    return base_layout(HEIGHT, (70, 20, 50, 10), legend=legend(size=12), xaxis=xaxis, yaxis=yaxis)


def where(column: str, names: Sequence[str], titles: Mapping[str, str]) -> str:
    """ "on MNIST", or "averaged over 5 OOD datasets" for the column that averages ``names``."""
    title = column_title(column, titles, "")
    return f"on {title}" if title else f"averaged over {len(names)} OOD datasets"
