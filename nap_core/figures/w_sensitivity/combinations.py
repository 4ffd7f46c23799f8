"""Many combinations at once: a small picture each, all on the same axes (Figures 4b and 4c of the NAP paper)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.figures.w_sensitivity.curves import shade
from nap_core.figures.w_sensitivity.sensitivity import SAME, Sensitivity
from nap_core.methods.combination import ROBUST
from nap_core.metrics import METRIC_TITLES, Metric

ACROSS = 4
ALONE = "the other method alone"
ROW, GAP = 190, 56  # pixels of a small picture, and of what lies between two rows
PANEL = 170  # pixels below which a small picture cannot be read
BETWEEN = 0.02  # of the width, between two columns
_TOP, _BOTTOM = 62, 46  # pixels for the legend above and the numbers below


def combinations_picture(
    found: Sequence[Sensitivity], metric: Metric, w: float, *, across: int = ACROSS, opened: str = ""
) -> Picture:
    """A metric over w, a small picture a combination: a thin line a dataset, the average thick, the other method alone
    dashed; a dot on the average at ``w``, a ring at its best, ``ROBUST`` shaded; ``opened`` is written in bold.

    All combinations must be of the same datasets. Raises ValueError for none.
    """
    if not found:
        raise ValueError("there is no combination to draw")
    across = min(across, len(found))
    rows = math.ceil(len(found) / across)
    height = rows * ROW + (rows - 1) * GAP
    layout: dict[str, Any] = {"shapes": [], "annotations": []}
    traces: list[dict[str, Any]] = []
    for place, one in enumerate(found):
        row, column = divmod(place, across)
        number = "" if place == 0 else str(place + 1)
        axes = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        traces += [{"type": "scatter", **axes, **trace} for trace in _panel(one, metric, w, legend=place == 0)]
        top, width = 1 - row * (ROW + GAP) / height, (1 - BETWEEN * (across - 1)) / across
        x = [column * (width + BETWEEN), column * (width + BETWEEN) + width]
        bottom = max(0.0, top - ROW / height)
        layout |= _axes(number, x, [bottom, top], metric, outer=column == 0)
        layout["shapes"].append(shade(f"x{number}", f"y{number} domain"))
        text = f"<b>{one.combination}</b>" if one.combination == opened else one.combination
        layout["annotations"].append(
            {"text": text, "xref": "paper", "yref": "paper", "x": sum(x) / 2, "y": top, "yanchor": "bottom",
             "showarrow": False, "font": {"size": 13}}
        )  # fmt: skip
    layout |= {
        "height": height + _TOP + _BOTTOM,
        "margin": {"t": _TOP, "b": _BOTTOM, "l": 48, "r": 12},
        "dragmode": False,
        "legend": {"orientation": "h", "x": 0, "y": 1 + 24 / height, "yanchor": "bottom", "font": {"size": 11}},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }
    name = f"w-combinations-{metric}"
    return Picture(go.Figure(traces, layout), robust_reading(found, metric), _table(found, metric), name)


def _panel(found: Sensitivity, metric: Metric, w: float, *, legend: bool) -> list[dict[str, Any]]:
    curve, values = found.curve, getattr(found.curve, metric)
    average, best, now = curve.average(metric), curve.best(metric), found.at(w)
    several = len(curve.datasets) > 1
    hover = "%{y:.1%} at w = %{x:.2f}"

    def line(y: NDArray[np.float64], title: str, style: dict[str, Any]) -> dict[str, Any]:
        named = {"name": title, "legendgroup": title, "showlegend": legend}
        return {"x": curve.w, "y": y, "mode": "lines", "line": style, **named, "hovertemplate": hover}

    def mark(at: int, marker: dict[str, Any]) -> dict[str, Any]:
        place = {"x": [curve.w[at]], "y": [average[at]], "cliponaxis": False}
        return {**place, "mode": "markers", "marker": marker, "showlegend": False, "hoverinfo": "skip"}

    lines = [
        line(row, found.titles[name], {"color": found.colours[name], "width": 1.4 if several else 3.5})
        for name, row in zip(curve.datasets, values, strict=True)
    ]
    hue = NEUTRAL if several else found.colours[curve.datasets[0]]
    if several:
        lines.append(line(average, "average", {"color": NEUTRAL, "width": 4}))
    alone = {"x": [0, 1], "y": [average[found.at(1)]] * 2, "mode": "lines", "hoverinfo": "skip"}
    dashed = {"color": NEUTRAL, "width": 1.3, "dash": "dash"}
    lines.append(
        {**alone, "line": dashed, "name": "the other method alone", "legendgroup": "alone", "showlegend": legend}
    )
    ring = {"color": hue, "size": 15, "symbol": "circle-open", "line": {"width": 2}}
    return [*lines, mark(now, {"color": hue, "size": 10, "opacity": 1.0}), mark(found.at(best), ring)]


def _axes(number: str, x: list[float], y: list[float], metric: Metric, *, outer: bool) -> dict[str, Any]:
    """One pair of axes; all y axes go with the first, and only those on the left are labelled."""
    across = {"domain": x, "anchor": f"y{number}", "range": [-0.03, 1.03], "tickvals": [0, 0.2, 0.5, 0.8, 1]}
    up: dict[str, Any] = {"domain": y, "anchor": f"x{number}", "tickformat": ".0%", "nticks": 5}
    up |= {"rangemode": "tozero" if metric == "fpr95" else "normal", "showticklabels": outer}
    if number:
        up["matches"] = "y"
    shared = {"zeroline": False, "fixedrange": True}
    return {f"xaxis{number}": {**across, **shared, "showgrid": False}, f"yaxis{number}": {**up, **shared}}


def least_width(count: int, across: int = ACROSS) -> int:
    """The width in pixels that the picture of ``count`` combinations needs; 0 for a single one."""
    return 0 if count == 1 else 60 + PANEL * min(count, across)


def robust_reading(found: Sequence[Sensitivity], metric: Metric) -> str:
    """How many combinations are better than the other method alone at every w within ``ROBUST``, and by how much w
    moves their average there. Markdown."""
    low, high = ROBUST
    sign = -1 if metric == "fpr95" else 1
    alone = [one.curve.average(metric)[one.at(1)] for one in found]
    inside = [one.curve.robust(metric) for one in found]
    better = sum(bool((sign * (row - base) > SAME).all()) for row, base in zip(inside, alone, strict=True))
    spans = [float(np.ptp(row)) for row in inside]
    least, most = found[int(np.argmin(spans))], found[int(np.argmax(spans))]
    average = "average " if len(found[0].curve.datasets) > 1 else ""
    word = "lower" if metric == "fpr95" else "higher"
    claim = f"a {word} {average}{METRIC_TITLES[metric]} than the other method alone at every w from {low:g} to {high:g}"
    if len(found) == 1:
        says = "has" if better else "does not have"
        return f"{found[0].combination} {says} {claim}; there w moves it by {_points(spans[0])} points."
    count = f"All {len(found)}" if better == len(found) else f"{better or 'None'} of the {len(found)}"
    moved = f"{_points(min(spans))} points ({least.combination}) to {_points(max(spans))} ({most.combination})"
    return f"{count} combinations have {claim}; there w moves it by {moved}."


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def combinations_table(found: Sequence[Sensitivity], w: float, weights: Sequence[float]) -> pd.DataFrame:
    """A row a combination, averages over the datasets, metrics in percent: the other method alone, at the slider's
    ``w``, at its own weight of ``weights``, at the best w, and what lies between the ends of ``ROBUST``."""
    rows = []
    for one, own in zip(found, weights, strict=True):
        best = one.curve.best("fpr95")
        cells: dict[str, str | float] = {"Combination": one.combination, "its w": own, "best w": best}
        for metric, title in METRIC_TITLES.items():
            values, inside = one.curve.average(metric), one.curve.robust(metric)
            places = {"alone": 1.0, f"w = {w:g}": w, "its w": own, "best w": best}
            cells |= {f"{title} {head}": 100 * values[one.at(at)] for head, at in places.items()}
            worst = inside.max() if metric == "fpr95" else inside.min()
            cells[f"{title} worst, {ROBUST[0]:g} to {ROBUST[1]:g}"] = 100 * worst
        rows.append(cells)
    return pd.DataFrame(rows)


def _table(found: Sequence[Sensitivity], metric: Metric) -> pd.DataFrame:
    """The curves, one row a (combination, dataset, w), shares."""
    rows = [
        (one.combination, name, w, value)
        for one in found
        for name, line in (
            *zip(one.curve.datasets, getattr(one.curve, metric), strict=True),
            ("average", one.curve.average(metric)),
        )
        for w, value in zip(one.curve.w.tolist(), line.tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["combination", "ood", "w", metric])
