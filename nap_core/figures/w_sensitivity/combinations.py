"""Many combinations at once: a small picture each, all on the same axes (Figures 4b and 4c of the NAP paper)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.figures.layout import (
    TRANSPARENT,
    Style,
    axis,
    base_layout,
    curves_over_x,
    legend,
    line,
    marks,
    note,
    ring,
    share_axis,
)
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.figures.text import BETTER
from nap_core.figures.w_sensitivity.curves import metric_table, shade
from nap_core.figures.w_sensitivity.sensitivity import SAME, Sensitivity
from nap_core.methods.combination import ROBUST
from nap_core.metrics import METRIC_TITLES, Metric

ACROSS = 4
ROW, GAP = 190, 56  # pixels of a small picture, and of what lies between two rows
PANEL = 170  # pixels below which a small picture cannot be read
BETWEEN = 0.02  # of the width, between two columns
_TOP, _BOTTOM = 62, 46  # pixels for the legend above and the numbers below


def combinations_picture(
    many: Sequence[Sensitivity], metric: Metric, w: float, *, across: int = ACROSS, opened: str = ""
) -> Picture:
    """A metric over w, a small picture a combination: a thin line a dataset, the average thick, the other method alone
    dashed; a dot on the average at ``w``, a ring at its best, ``ROBUST`` shaded.

    Args:
        many: The combinations, all on the same datasets.
        metric: "fpr95" or "auroc".
        w: The weight in use, 0 to 1.
        across: The most pictures in a row.
        opened: The title of the combination that is written in bold.

    Returns:
        The figure, Figures 4b and 4c of the NAP paper; its table holds one row a (combination, dataset, w), shares.

    Raises:
        ValueError: ``many`` is empty.
    """
    if not many:
        raise ValueError("there is no combination to draw")
    across = min(across, len(many))
    rows = math.ceil(len(many) / across)
    height = rows * ROW + (rows - 1) * GAP
    layout = base_layout(height + _TOP + _BOTTOM, (_TOP, 12, _BOTTOM, 48), legend=legend(1 + 24 / height, 11))
    shapes, notes, traces = [], [], []
    for place, one in enumerate(many):
        row, column = divmod(place, across)
        number = "" if place == 0 else str(place + 1)
        axes = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        traces += [{**axes, **trace} for trace in _panel(one, metric, w, legend=place == 0)]
        top, width = 1 - row * (ROW + GAP) / height, (1 - BETWEEN * (across - 1)) / across
        x = [column * (width + BETWEEN), column * (width + BETWEEN) + width]
        layout |= _axes(number, x, [max(0.0, top - ROW / height), top], metric, outer=column == 0)
        shapes.append(shade(f"x{number}", f"y{number} domain"))
        text = f"<b>{one.combination}</b>" if one.combination == opened else one.combination
        notes.append(note(text, sum(x) / 2, top, 13, xref="paper", yref="paper", yanchor="bottom"))
    figure = go.Figure(traces, {**layout, **TRANSPARENT, "shapes": shapes, "annotations": notes})
    tables = [metric_table(one.curve, metric).assign(combination=one.combination) for one in many]
    table = pd.concat(tables, ignore_index=True)[["combination", "ood", "w", metric]]
    return Picture(figure, robust_reading(many, metric), table, f"w-combinations-{metric}")


def _panel(one: Sensitivity, metric: Metric, w: float, *, legend: bool) -> list[Style]:
    curve = one.curve
    average, best, now = curve.average(metric), curve.best(metric), one.at(w)
    by_name = dict(zip(curve.datasets, getattr(curve, metric), strict=True))
    hover, widths = "%{y:.1%} at w = %{x:.2f}", (1.4, 4, 3.5)
    lines = curves_over_x(curve.w, by_name, one.titles, one.colours, average, widths=widths, hover=hover)
    lines = [{**each, "legendgroup": each["name"], "showlegend": legend} for each in lines]
    group: Style = {"legendgroup": "alone", "showlegend": legend, "dash": "dash"}
    lines.append(line([0, 1], [average[one.at(1)]] * 2, NEUTRAL, 1.3, "the other method alone", **group))
    hue = NEUTRAL if len(curve.datasets) > 1 else one.colours[curve.datasets[0]]
    dot = marks([curve.w[now]], [average[now]], {"color": hue, "size": 10, "opacity": 1.0}, cliponaxis=False)
    return [*lines, dot, ring(curve.w[one.at(best)], average[one.at(best)], hue, size=15, width=2)]


def _axes(number: str, x: list[float], y: list[float], metric: Metric, *, outer: bool) -> Style:
    """One pair of axes; all y axes go with the first, and only those on the left are labelled."""
    ticks: Style = {"range": [-0.03, 1.03], "tickvals": [0, 0.2, 0.5, 0.8, 1], "showgrid": False}
    mode = "tozero" if metric == "fpr95" else "normal"
    up = share_axis(domain=y, anchor=f"x{number}", nticks=5, rangemode=mode, showticklabels=outer)
    up |= {"matches": "y"} if number else {}
    return {f"xaxis{number}": axis(domain=x, anchor=f"y{number}", **ticks), f"yaxis{number}": up}


def least_width(count: int, across: int = ACROSS) -> int:
    """The width that the picture of several combinations needs.

    Args:
        count: The number of combinations.
        across: The most pictures in a row.

    Returns:
        Pixels; 0 for a single combination.
    """
    return 0 if count == 1 else 60 + PANEL * min(count, across)


def robust_reading(many: Sequence[Sensitivity], metric: Metric) -> str:
    """How many combinations are better than the other method alone at every w within ``ROBUST``.

    Args:
        many: The combinations, at least one, all on the same datasets.
        metric: "fpr95" or "auroc", averaged over the datasets.

    Returns:
        The caption of the figure, one sentence, which also gives the range of the average within ``ROBUST`` in points.
    """
    low, high = ROBUST
    sign = -1 if metric == "fpr95" else 1
    alone = [one.curve.average(metric)[one.at(1)] for one in many]
    inside = [one.curve.robust(metric) for one in many]
    better = sum(bool((sign * (row - base) > SAME).all()) for row, base in zip(inside, alone, strict=True))
    spans = [float(np.ptp(row)) for row in inside]
    least, most = many[int(np.argmin(spans))], many[int(np.argmax(spans))]
    average = "average " if len(many[0].curve.datasets) > 1 else ""
    claim = f"a {BETTER[metric]} {average}{METRIC_TITLES[metric]} than the other method alone at every w from "
    claim += f"{low:g} to {high:g}"
    if len(many) == 1:
        verb = "has" if better else "does not have"
        return f"{many[0].combination} {verb} {claim}; there w moves it by {_points(spans[0])} points."
    count = f"All {len(many)}" if better == len(many) else f"{better or 'None'} of the {len(many)}"
    moved = f"{_points(min(spans))} points ({least.combination}) to {_points(max(spans))} ({most.combination})"
    return f"{count} combinations have {claim}; there w moves it by {moved}."


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def combinations_table(many: Sequence[Sensitivity], w: float, weights: Sequence[float]) -> pd.DataFrame:
    """The combinations at several w, averaged over the OOD datasets.

    Args:
        many: The combinations.
        w: The weight in use, 0 to 1.
        weights: The weight of each combination's own, 0 to 1, in the order of ``many``.

    Returns:
        One row a combination. For each metric, in percent: the other method alone, at ``w``, at its own weight, at the
        best w by FPR95, and the worst value within ``ROBUST``.

    Raises:
        ValueError: ``weights`` is not as long as ``many``.
    """
    rows = []
    for one, own in zip(many, weights, strict=True):
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
