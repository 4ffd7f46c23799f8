"""How the line of a method is drawn, and which lines are named where there are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nap_core import methods, metrics
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.palette import NEUTRAL

WITH_NAP = "#8b5cf6"  # no dataset is violet
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
NAMED = 8  # a legend of more lines would be taller than the figure on a phone
LEADERS = 5  # of more than ``NAMED``: the best, which are named beside the opened one


@dataclass(frozen=True)
class LineStyle:
    """Violet where NAP is in the method; a method and its combination with NAP share a dash, NAP alone has the solid
    line. ``named`` lines are in the legend, the others stand back."""

    colour: str
    dash: str
    width: float
    opacity: float
    named: bool


def line_styles(rows: Sequence[MethodScores], against: Sequence[str], opened: str) -> dict[str, LineStyle]:
    """The style of every method's line, ``opened`` drawn thick; of many, those with the highest AUROC are named."""
    named = {row.method for row in rows}
    if len(rows) > NAMED:
        areas = {row.method: metrics.auroc(row.id, np.concatenate([row.ood[name] for name in against])) for row in rows}
        named = {opened, *sorted(areas, key=areas.__getitem__, reverse=True)[:LEADERS]}
    return {row.method: _style(row.method, rows, opened, row.method in named) for row in rows}


def _style(method: str, rows: Sequence[MethodScores], opened: str, named: bool) -> LineStyle:
    partners = [row.method for row in rows if "+" not in row.method and row.method != "nap"]
    partner = method.removeprefix("nap+")
    dash = DASHES[1 + partners.index(partner) % (len(DASHES) - 1)] if partner in partners else DASHES[0]
    colour = WITH_NAP if methods.parse(method).records[0].name == "nap" else NEUTRAL
    width = 4 if method == opened else 1.75 if named else 1
    return LineStyle(colour, dash, width, 1 if named else 0.45, named)
