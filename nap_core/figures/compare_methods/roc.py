"""ROC curves, a line a method, with what is said about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core import metrics
from nap_core.analysis.comparison import thinned_curve
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.compare_methods.lines import line_styles
from nap_core.figures.compare_methods.words import against_words, join
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent, three_digits
from nap_core.figures.score_histograms import label

_HEIGHT = 460
_HOVER_STEP = 0.02  # along a curve there is a point to hover over at least this often


def roc_curves(rows: Sequence[MethodScores], against: Sequence[str], opened: str, titles: Mapping[str, str]) -> Picture:
    """Every method's ROC curve against the OOD datasets ``against`` taken together, ``opened`` drawn thick.

    Violet methods hold NAP; the dash tells the method it is combined with. Dots are the operating points of FPR95.
    The curves are thinned by ``comparison.thinned_curve``; the table holds the points that were kept, and for each
    method its operating point, as shares.
    """
    figure = go.Figure()
    figure.add_hline(y=metrics.TPR, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    table: list[dict[str, object]] = []
    areas, accepted = {}, {}
    lines = line_styles(rows, against, opened)
    for rank, row in enumerate(rows):
        unknown = np.concatenate([row.ood[name] for name in against])
        threshold, area = row.threshold(), metrics.auroc(row.id, unknown)
        point = metrics.share_reaching(unknown, threshold), metrics.share_reaching(row.id, threshold)
        curve = thinned_curve(*metrics.roc(row.id, unknown))
        areas[row.title], accepted[row.title] = area, point[0]
        line, thick = lines[row.method], row.method == opened
        style = {"legendgroup": row.method, "zorder": rank + len(rows) * (line.named + thick), "opacity": line.opacity}
        x, y = _with_points_to_hover(*curve)
        figure.add_scatter(
            x=x,
            y=y,
            name=label(row),
            mode="lines",
            line={"color": line.colour, "dash": line.dash, "width": line.width},
            showlegend=line.named,
            hovertemplate=f"{label(row)}<br>FPR %{{x:.1%}}, TPR %{{y:.1%}}<extra></extra>",
            **style,
        )
        figure.add_scatter(
            x=[point[0]],
            y=[point[1]],
            showlegend=False,
            mode="markers",
            marker={"color": line.colour, "size": 13 if thick else 9, "line": {"width": 1, "color": NEUTRAL}},
            hovertemplate=f"{label(row)}<br>FPR95 {percent(point[0])}, AUROC {percent(area)}"
            f"<br>threshold {three_digits(threshold)}<extra></extra>",
            **style,
        )
        where = {"method": row.method, "w": row.w, "ood": "+".join(against)}
        table += [{**where, "point": "curve", "fpr": fpr, "tpr": tpr} for fpr, tpr in zip(*curve, strict=True)]
        table.append({**where, "point": "FPR95", "fpr": point[0], "tpr": point[1]})
    figure.update_xaxes(title="FPR: OOD images taken for ID", range=[-0.015, 1.015], tickformat=".0%")
    figure.update_yaxes(title="TPR: ID images accepted", range=[-0.015, 1.03], tickformat=".0%", automargin=True)
    figure.update_layout(
        height=_HEIGHT,
        margin={"t": 76, "b": 50, "l": 10, "r": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left", "font": {"size": 12}},
        hovermode="closest",
    )
    met = against_words(against, titles)
    return Picture(figure, _reading(areas, accepted, met), pd.DataFrame(table), "roc-curves")


def _with_points_to_hover(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same line with extra points on its long straight pieces: Plotly answers the pointer at points only."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    positions = np.union1d(along, np.arange(0, along[-1], _HOVER_STEP))
    return np.interp(positions, along, x), np.interp(positions, along, y)


def _reading(areas: Mapping[str, float], accepted: Mapping[str, float], met: str) -> str:
    ranges = (
        _range("AUROC", areas),
        _range("the share of OOD images that pass with 95\N{NO-BREAK SPACE}% of the ID images", accepted),
    )
    return f"Against {met}, {ranges[0]}, and {ranges[1]}."


def _range(what: str, values: Mapping[str, float]) -> str:
    """ "AUROC runs from 93.6 % (MSP) to 98.5 % (NAP and NAP+Energy)"; what prints alike is named together."""
    low, high = percent(min(values.values())), percent(max(values.values()))
    if low == high:
        return f"{what} is {low} under {'every method' if len(values) > 1 else next(iter(values))}"
    first, last = (join([name for name, value in values.items() if percent(value) == end]) for end in (low, high))
    return f"{what} runs from {low} ({first}) to {high} ({last})"
