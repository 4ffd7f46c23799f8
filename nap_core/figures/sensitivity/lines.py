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
    """The layout of a figure of lines with the legend above it.

    Args:
        xaxis: The attributes of the x axis.
        yaxis: The attributes of the y axis.

    Returns:
        The attributes of Plotly's layout, ``HEIGHT`` pixels high.
    """
    return base_layout(HEIGHT, (70, 20, 50, 10), legend=legend(size=12), xaxis=xaxis, yaxis=yaxis)


def marked_line(row: MethodScores, style: LineStyle, x: ArrayLike, y: ArrayLike, hover: str, **more: Any) -> Style:
    """The line of a method with a mark at each value.

    Args:
        row: The scores of the method, whose label names the line.
        style: The colour, dash and width of the line.
        x: The quantity, (X,).
        y: The values at ``x``, (X,).
        hover: The part of Plotly's hover template that follows the label of the method.
        more: Further attributes of the trace.

    Returns:
        The trace.
    """
    marker = {"size": MARKER, "color": style.colour}
    return method_line(row, style, x, y, hover, mode="lines+markers", marker=marker, **more)


def subject(rows: Sequence[MethodScores], opened: str, metric: Metric, column: str, titles: Mapping[str, str]) -> str:
    """The words with which the captions begin.

    Args:
        rows: The scores of every method.
        opened: The method that the caption describes, one of ``rows``.
        metric: "fpr95" or "auroc".
        column: Catalogue name of an OOD dataset, or ``AVERAGE``.
        titles: Catalogue name → title of the datasets.

    Returns:
        "FPR95 of NAP, on MNIST,".
    """
    one = next(row for row in rows if row.method == opened)
    return f"{METRIC_TITLES[metric]} of {one.title}, {where(column, list(one.ood), titles)},"


def where(column: str, names: Sequence[str], titles: Mapping[str, str]) -> str:
    """The words for the OOD data of a column.

    Args:
        column: Catalogue name of an OOD dataset, or ``AVERAGE``.
        names: The OOD datasets over which the average is taken.
        titles: Catalogue name → title of the datasets.

    Returns:
        "on MNIST", or "averaged over 5 OOD datasets" for ``AVERAGE``.
    """
    title = column_title(column, titles, "")
    return f"on {title}" if title else f"averaged over {len(names)} OOD datasets"
