"""One combination: FPR95 and AUROC over w (Figures 4b and 4c of the NAP paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core.figures.curve_table import curve_table
from nap_core.figures.layout import (
    AVERAGE_NAME,
    DOTTED,
    TRANSPARENT,
    Style,
    axis,
    base_layout,
    curves_over_x,
    legend,
    line,
    marks,
    metric_axis,
    note,
    ring,
)
from nap_core.figures.palette import NEUTRAL, translucent
from nap_core.figures.picture import Picture
from nap_core.figures.text import EXTREME, averaged_over, percent
from nap_core.figures.w_sensitivity.sensitivity import SAME, Sensitivity
from nap_core.methods.combination import ROBUST
from nap_core.metrics import METRIC_TITLES, Metric

if TYPE_CHECKING:
    from nap_core.methods.combination import WeightCurve

HEIGHT = 340  # pixels; more where there are more than five datasets for the legend to name
SHADE = translucent(NEUTRAL, 0.12)


def curve_picture(one: Sensitivity, metric: Metric, w: float) -> Picture:
    """A metric over w: a thin line a dataset, a thick one their average, dots at ``w``, a ring at the best average.

    The dashed line is the other method alone (w = 1); the dotted uprights are the paper's w and the w of a search on
    the study; ``ROBUST`` is shaded.

    Args:
        one: The combination, with its curve.
        metric: "fpr95" or "auroc".
        w: The weight in use, 0 to 1.

    Returns:
        The figure, Figure 4b or 4c of the NAP paper; its table holds one row a (dataset, w), shares.
    """
    curve = one.curve
    values: NDArray[np.float64] = getattr(curve, metric)
    average, best, several = curve.average(metric), curve.best(metric), len(curve.datasets) > 1
    hues, dots = [one.colours[name] for name in curve.datasets], values
    by_name = dict(zip(curve.datasets, values, strict=True))
    traces = curves_over_x(curve.w, by_name, one.titles, one.colours, average)
    if several:
        hues, dots = [*hues, NEUTRAL], np.vstack([values, average])
    now, alone = one.at(w), [float(average[one.at(1)])] * 2
    sizes = [8.0] * len(curve.datasets) + [14.0] if several else [14.0]
    marker = {"color": hues, "size": sizes, "opacity": 1.0}
    traces += [
        line([0, 1], alone, NEUTRAL, 1.5, f"{one.other} alone", dash="dash"),
        marks([curve.w[now]] * len(hues), dots[:, now].tolist(), marker, cliponaxis=False),
        ring(best, float(average[one.at(best)]), hues[-1], "best w"),
    ]
    figure = go.Figure(traces, _layout(one, metric, float(curve.w[now])))
    return Picture(figure, _reading(one, metric, w), metric_table(curve, metric), f"w-{metric}")


def _layout(one: Sensitivity, metric: Metric, now: float) -> Style:
    """Everything but the lines, in one piece: added one by one, shapes and axes take longer than all the rest."""
    named = {0.0: f"{one.prior} alone", 1.0: f"{one.other} alone"}
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    texts = [f"{tick:g}<br>{named[tick]}" if tick in named else f"{tick:g}" for tick in ticks]
    marked: Style = {"range": [-0.02, 1.02], "tickvals": ticks, "ticktext": texts, "tickangle": 0, "hoverformat": ".2f"}
    upright = {"type": "line", "yref": "paper", "y0": 0, "y1": 1}
    return base_layout(
        HEIGHT + 12 * max(0, len(one.curve.datasets) - 5),
        (10, 34, 54, 56),
        xaxis=axis(f"w, the weight of {one.other}", 2, showgrid=False, **marked),
        yaxis=metric_axis(metric),
        shapes=[
            shade("x", "paper"),
            {**upright, "x0": now, "x1": now, "line": {"color": NEUTRAL, "width": 1}},
            *({**upright, "x0": at, "x1": at, "line": DOTTED} for at in _marked(one)),
        ],
        annotations=[
            note(f"w = {now:g}", now, 1, yref="paper", yanchor="bottom"),
            *(_mark_name(one, at, words) for at, words in _marked(one).items()),
        ],
        legend=legend(1.09, 11),
        **{"hovermode": "x unified", **TRANSPARENT},
    )


def _marked(one: Sensitivity) -> dict[float, str]:
    """The w of the paper and of the search, and their names."""
    if one.published_w is not None and one.published_w == one.found_w:
        return {one.found_w: "paper, found"}
    named = ((one.published_w, "paper"), (one.found_w, "found"))
    return {at: words for at, words in named if at is not None}


def _mark_name(one: Sensitivity, at: float, words: str) -> Style:
    """The name of a mark at the foot of its line, on the side where the other mark is not."""
    left = any(other > at for other in _marked(one))
    side = {"xanchor": "right" if left else "left", "xshift": -3 if left else 3}
    return note(words, at, 0, 11, yref="paper", yanchor="bottom", **side)


def shade(x: str, y: str) -> dict[str, Any]:
    """``ROBUST`` as a shaded rectangle.

    Args:
        x: Plotly's name of the x axis, "x" or "x2".
        y: What the height refers to: "paper", or the domain of a y axis as in "y2 domain".

    Returns:
        The attributes of a shape of Plotly's layout.
    """
    low, high = ROBUST
    place = {"xref": x, "yref": y, "x0": low, "x1": high, "y0": 0, "y1": 1}
    return {"type": "rect", **place, "fillcolor": SHADE, "line": {"width": 0}, "layer": "below"}


def metric_table(curve: WeightCurve, metric: Metric) -> pd.DataFrame:
    """The whole curve of a metric.

    Args:
        curve: FPR95 and AUROC over w, (D, W) each.
        metric: "fpr95" or "auroc".

    Returns:
        One row a (dataset, w), the average over the datasets last: the columns "ood", "w" and the metric, shares.
    """
    values = np.vstack([getattr(curve, metric), curve.average(metric)])
    return curve_table([*curve.datasets, AVERAGE_NAME], {"w": curve.w}, {metric: values})


def _reading(one: Sensitivity, metric: Metric, w: float) -> str:
    """The best w and its figure, beside the ends and the w in use."""
    curve = one.curve
    average, best = curve.average(metric), curve.best(metric)

    def at(weight: float) -> str:
        return percent(float(average[one.at(weight)]))

    start = f"{METRIC_TITLES[metric]}, {averaged_over(curve.datasets, one.titles)},"
    if np.ptp(average) <= SAME:
        return f"{start} is {at(w)} at every w."
    if one.at(w) == one.at(best):
        now = f"is {EXTREME[metric]} at w = {w:g}: {at(w)}"
    else:
        now = f"is {at(w)} at w = {w:g} and {EXTREME[metric]}, {at(best)}, at w = {best:g}"
    return f"{start} {now}; {one.other} alone has {at(1)}, {one.prior} alone {at(0)}."
