"""FPR95 or AUROC over ε of S_NAP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core import methods, nap
from nap_core.analysis.comparison import AVERAGE
from nap_core.figures.curve_table import curve_table
from nap_core.figures.layout import (
    DOTTED,
    TRANSPARENT,
    Style,
    axis,
    base_layout,
    curves_over_x,
    legend,
    line,
    metric_axis,
    ring,
)
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.figures.text import EXTREME, averaged_over, percent
from nap_core.metrics import METRIC_TITLES, Metric

if TYPE_CHECKING:
    from nap_core.analysis.score_variants import EpsilonCurve

Kind = Literal["alone", "combined"]
HEIGHT = 340
FLAT = 0.0005  # shares that differ by less print the same


def epsilon_picture(
    effect: EpsilonCurve, kind: Kind, metric: Metric, titles: Mapping[str, str], colours: Mapping[str, str]
) -> Picture:
    """A metric over ε, on a logarithmic axis: a thin line a dataset, a thick one their average, a ring at its best.

    The dotted upright is the paper's ε; the dashed line, where NAP is combined, the other method alone.

    Args:
        effect: The metrics over ε, shares.
        kind: NAP "alone" or "combined".
        metric: "fpr95" or "auroc".
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.

    Returns:
        The figure; its table holds one row a (dataset, ε), both metrics, shares.
    """
    curves = (effect.alone if kind == "alone" else effect.combined)[metric]
    average, ends = curves.mean(axis=0), [effect.epsilon[0], effect.epsilon[-1]]
    by_name = dict(zip(effect.datasets, curves, strict=True))
    traces = curves_over_x(effect.epsilon, by_name, titles, colours, average)
    if kind == "combined":
        alone = [effect.baseline[metric].mean()] * 2
        traces.append(line(ends, alone, NEUTRAL, 1.5, f"{methods.title(effect.other)} alone", dash="dash"))
    best, hue = _best(average, metric), NEUTRAL if len(by_name) > 1 else colours[effect.datasets[0]]
    traces.append(ring(effect.epsilon[best], average[best], hue, "best ε"))
    figure = go.Figure(traces, _layout(effect, metric))
    figure.add_vline(x=nap.EPSILON, line=DOTTED)
    return Picture(figure, _reading(effect, kind, metric, titles), _table(effect, kind), f"epsilon-{kind}-{metric}")


def _layout(effect: EpsilonCurve, metric: Metric) -> Style:
    ticks = [0.01, 0.1, 1, 10, 100]
    first, last = np.log10([effect.epsilon[0], effect.epsilon[-1]])
    texts = [f"{tick:g}<br>paper" if tick == nap.EPSILON else f"{tick:g}" for tick in ticks]
    marked: Style = {"range": [first - 0.08, last + 0.08], "tickvals": ticks, "ticktext": texts, "hoverformat": ".3~g"}
    height, axes = HEIGHT + 12 * max(0, len(effect.datasets) - 4), {"yaxis": metric_axis(metric), **TRANSPARENT}
    axes["xaxis"] = axis("ε", 2, type="log", showgrid=False, **marked)
    return base_layout(height, (10, 20, 54, 56), legend=legend(1.09, 11), hovermode="x unified", **axes)


def _best(average: np.ndarray, metric: Metric) -> int:
    """The position of the best value; of equals, the one in the middle of the axis."""
    values = -average if metric == "fpr95" else average
    equals = np.flatnonzero(values >= values.max() - 1e-12)
    return int(equals[np.argmin(np.abs(equals - len(values) // 2))])


def _reading(effect: EpsilonCurve, kind: Kind, metric: Metric, titles: Mapping[str, str]) -> str:
    curves = (effect.alone if kind == "alone" else effect.combined)[metric]
    average, other = curves.mean(axis=0), methods.title(effect.other)
    name = "NAP alone" if kind == "alone" else f"NAP+{other} (w = {effect.w:g})"
    best, here = _best(average, metric), int(np.argmin(np.abs(np.log(effect.epsilon / nap.EPSILON))))
    near = average[(effect.epsilon >= 0.1 * nap.EPSILON - 1e-9) & (effect.epsilon <= 10 * nap.EPSILON + 1e-9)]
    where = averaged_over(effect.datasets, titles)
    sentence = f"{METRIC_TITLES[metric]} of {name}, {where}, is {percent(float(average[here]))} at the paper's ε = 1"
    if abs(average[best] - average[here]) < FLAT:
        sentence += f", the {EXTREME[metric]} there is"
    else:
        sentence += f" and {EXTREME[metric]}, {percent(float(average[best]))}, at ε = {effect.epsilon[best]:.3g}"
    span = [percent(float(end)) for end in (near.min(), near.max())]
    sentence += f"; from ε = 0.1 to 10 it moves between {span[0]} and {span[1]}"
    return (
        f"{sentence}."
        if kind == "alone"
        else f"{sentence}; {other} alone has {percent(float(effect.baseline[metric].mean()))}."
    )


def _table(effect: EpsilonCurve, kind: Kind) -> pd.DataFrame:
    """One row a (dataset, ε), both metrics, shares; the average among them."""
    curves = effect.alone if kind == "alone" else effect.combined
    names = [*effect.datasets, *([AVERAGE] if len(effect.datasets) > 1 else [])]
    values = {
        metric: np.vstack([curves[metric], curves[metric].mean(axis=0)])[: len(names)] for metric in METRIC_TITLES
    }
    return curve_table(names, {"epsilon": effect.epsilon}, values)
