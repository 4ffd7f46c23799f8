"""ROC curves, a line a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core import metrics
from nap_core.analysis.comparison import thinned_curve
from nap_core.figures.compare_methods.lines import line_styles, method_line, rates_layout
from nap_core.figures.compare_methods.words import against_words
from nap_core.figures.layout import DOTTED, marks, share_axis
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.figures.score_histograms import label
from nap_core.figures.text import join, percent, three_digits

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores

_HOVER_STEP = 0.02  # along a curve there is a point to hover over at least this often


def roc_curves(rows: Sequence[MethodScores], against: Sequence[str], opened: str, titles: Mapping[str, str]) -> Picture:
    """Every method's ROC curve; dots are the operating points of FPR95.

    Violet methods hold NAP; the dash shows which method it is combined with.

    Args:
        rows: The scores of at least one method.
        against: Catalogue names of the OOD datasets, taken together; at least one.
        opened: The method whose line is thick.
        titles: Catalogue name → title of the datasets.

    Returns:
        The figure, its curves thinned by ``comparison.thinned_curve``; the table holds the points that were kept, and
        for each method its operating point, as shares.

    Raises:
        ValueError: There is no method or no OOD dataset, or scores are empty or not finite.
        UserError: A method is not in the catalogue.
    """
    figure = go.Figure()
    figure.add_hline(y=metrics.TPR, line={**DOTTED, "width": 1})
    table: list[dict[str, object]] = []
    areas, accepted = {}, {}
    lines = line_styles(rows, against, opened)
    for row in rows:
        ood_scores = np.concatenate([row.ood[name] for name in against])
        threshold, area = row.threshold(), metrics.auroc(row.id, ood_scores)
        fpr, tpr = metrics.share_reaching(ood_scores, threshold), metrics.share_reaching(row.id, threshold)
        curve = thinned_curve(*metrics.roc(row.id, ood_scores))
        areas[row.title], accepted[row.title] = area, fpr
        style, group = lines[row.method], {"legendgroup": row.method}
        x, y = _with_points_to_hover(*curve)
        figure.add_trace(method_line(row, style, x, y, "<br>FPR %{x:.1%}, TPR %{y:.1%}", **group))
        hover = f"{label(row)}<br>FPR95 {percent(fpr)}, AUROC {percent(area)}"
        hover += f"<br>threshold {three_digits(threshold)}<extra></extra>"
        dot = {"color": style.colour, "size": 13 if row.method == opened else 9, "line": {"width": 1, "color": NEUTRAL}}
        figure.add_trace(marks([fpr], [tpr], dot, None, hover, zorder=style.front, opacity=style.opacity, **group))
        where = {"method": row.method, "w": row.w, "ood": "+".join(against)}
        table += [{**where, "point": "curve", "fpr": x, "tpr": y} for x, y in zip(*curve, strict=True)]
        table.append({**where, "point": "FPR95", "fpr": fpr, "tpr": tpr})
    xaxis = share_axis("FPR: OOD images accepted as ID", zoom=True, range=[-0.015, 1.015])
    figure.update_layout(rates_layout(xaxis, "TPR: ID images accepted"))
    caption = _reading(areas, accepted, against_words(against, titles))
    return Picture(figure, caption, pd.DataFrame(table), "roc-curves")


def _with_points_to_hover(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same line with extra points on its long straight pieces: Plotly's hover labels appear at points only."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    positions = np.union1d(along, np.arange(0, along[-1], _HOVER_STEP))
    return np.interp(positions, along, x), np.interp(positions, along, y)


def _reading(areas: Mapping[str, float], accepted: Mapping[str, float], against: str) -> str:
    share = "the share of OOD images accepted with 95\N{NO-BREAK SPACE}% of the ID images"
    return f"Against {against}, {_range('AUROC', areas)}, and {_range(share, accepted)}."


def _range(what: str, values: Mapping[str, float]) -> str:
    """ "AUROC runs from 93.6 % (MSP) to 98.5 % (NAP and NAP+Energy)"; what prints alike is named together."""
    low, high = percent(min(values.values())), percent(max(values.values()))
    if low == high:
        return f"{what} is {low} under {'every method' if len(values) > 1 else next(iter(values))}"
    first, last = (join([name for name, value in values.items() if percent(value) == end]) for end in (low, high))
    return f"{what} runs from {low} ({first}) to {high} ({last})"
