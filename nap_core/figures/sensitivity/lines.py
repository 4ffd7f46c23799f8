"""The layout of the figures over a quantity with a line a method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nap_core.figures.compare_methods.lines import LineStyle, method_line
from nap_core.figures.layout import Style, base_layout, legend
from nap_core.figures.text import column_title
from nap_core.metrics import METRIC_TITLES, Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from nap_core.analysis.evaluation import MethodScores

HEIGHT = 460  # pixels
MARKER = 7  # pixels


def frame(xaxis: Style, yaxis: Style) -> Style:
    """The layout of a figure with the legend above it."""
    return base_layout(HEIGHT, (70, 20, 50, 10), legend=legend(size=12), xaxis=xaxis, yaxis=yaxis)


def marked_line(row: MethodScores, style: LineStyle, x: ArrayLike, y: ArrayLike, hover: str, **more: Any) -> Style:
    """The line of a method with a mark at each value."""
    marker = {"size": MARKER, "color": style.colour}
    return method_line(row, style, x, y, hover, mode="lines+markers", marker=marker, **more)


def subject(rows: Sequence[MethodScores], opened: str, metric: Metric, column: str, titles: Mapping[str, str]) -> str:
    """ "FPR95 of NAP, on MNIST,": how the captions begin."""
    one = next(row for row in rows if row.method == opened)
    return f"{METRIC_TITLES[metric]} of {one.title}, {where(column, list(one.ood), titles)},"


def where(column: str, names: Sequence[str], titles: Mapping[str, str]) -> str:
    """ "on MNIST", or "averaged over 5 OOD datasets" for the column that averages ``names``."""
    title = column_title(column, titles, "")
    return f"on {title}" if title else f"averaged over {len(names)} OOD datasets"
