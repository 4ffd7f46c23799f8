"""How the line of a method is drawn, and which lines are named where there are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from nap_core import methods, metrics
from nap_core.figures.layout import Style, base_layout, legend, line, share_axis
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.score_histograms import label

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores

WITH_NAP = "#8b5cf6"  # no dataset is violet
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
NAMED = 8  # a legend of more lines would be taller than the figure on a phone
LEADERS = 5  # of more than ``NAMED``: the best, which are named beside the opened one


@dataclass(frozen=True)
class LineStyle:
    """How the line of a method is drawn.

    Attributes:
        colour: Violet where NAP is in the method, else grey.
        dash: Plotly's dash; a method and its combination with NAP share one, NAP alone has the solid line.
        width: The width in pixels.
        opacity: 0 to 1; below 1 for lines that are not named.
        named: Whether the line is in the legend.
        front: Plotly's zorder: the line with the highest is on top.
    """

    colour: str
    dash: str
    width: float
    opacity: float
    named: bool
    front: int


def method_colour(spec: str) -> str:
    """Violet for NAP and every method that NAP is combined with, else grey.

    Args:
        spec: The method by name, for example "nap+energy".

    Returns:
        The colour as ``#rrggbb``.

    Raises:
        UserError: ``spec`` names no method.
    """
    return WITH_NAP if methods.parse(spec).records[0].name == "nap" else NEUTRAL


def line_styles(rows: Sequence[MethodScores], against: Sequence[str], opened: str) -> dict[str, LineStyle]:
    """The style of every method's line.

    Args:
        rows: The scores of every method, in the order in which lines are laid over one another.
        against: Catalogue names of the OOD datasets whose AUROC decides which of more than ``NAMED`` lines are named.
        opened: The method whose line is thick, on top and always named.

    Returns:
        Method → its style; of more than ``NAMED`` methods the ``LEADERS`` with the highest AUROC are named.

    Raises:
        UserError: A method is not in the catalogue.
        ValueError: There are more than ``NAMED`` methods, and ``against`` is empty or a score is not finite.
    """
    named = {row.method for row in rows}
    if len(rows) > NAMED:
        areas = {row.method: metrics.auroc(row.id, np.concatenate([row.ood[name] for name in against])) for row in rows}
        named = {opened, *sorted(areas, key=areas.__getitem__, reverse=True)[:LEADERS]}
    partners = [row.method for row in rows if "+" not in row.method and row.method != "nap"]

    def style(rank: int, method: str) -> LineStyle:
        partner, is_named, thick = method.removeprefix("nap+"), method in named, method == opened
        dash = DASHES[1 + partners.index(partner) % (len(DASHES) - 1)] if partner in partners else DASHES[0]
        front = rank + len(rows) * (is_named + thick)
        width = 4 if thick else 1.75 if is_named else 1
        return LineStyle(method_colour(method), dash, width, 1 if is_named else 0.45, is_named, front)

    return {row.method: style(rank, row.method) for rank, row in enumerate(rows)}


def rates_layout(xaxis: Style, fpr_or_tpr: str) -> Style:
    """The layout of a figure of TPR and FPR, which can be zoomed.

    Args:
        xaxis: Plotly's x axis, of shares.
        fpr_or_tpr: The title of the y axis, which runs over the shares 0 to 1.

    Returns:
        Plotly's layout as a dictionary.
    """
    yaxis = share_axis(fpr_or_tpr, zoom=True, range=[-0.015, 1.03], automargin=True)
    return base_layout(460, (76, 10, 50, 10), dragmode="zoom", legend=legend(size=12), xaxis=xaxis, yaxis=yaxis)


def method_line(row: MethodScores, style: LineStyle, x: ArrayLike, y: ArrayLike, hover: str, **more: Any) -> Style:
    """The line of a method.

    Args:
        row: The scores of the method, for its label: its title and its w.
        style: How the line is drawn.
        x: The x coordinates, (N,).
        y: The y coordinates, (N,).
        hover: Plotly's hover template, which follows the label.
        more: Further attributes of the trace, also in place of those of ``style``.

    Returns:
        Plotly's trace as a dictionary.
    """
    shown = {"showlegend": style.named, "opacity": style.opacity, "zorder": style.front, "dash": style.dash, **more}
    return line(x, y, style.colour, style.width, label(row), f"{label(row)}{hover}<extra></extra>", **shown)
