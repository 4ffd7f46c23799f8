"""What ε of S_NAP does: FPR95 or AUROC over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core import methods, nap
from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.score_variants import EpsilonCurve
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent
from nap_core.metrics import METRIC_TITLES, Metric

Kind = Literal["alone", "combined"]
HEIGHT = 340
FLAT = 0.0005  # shares that differ by less print the same


def epsilon_picture(
    found: EpsilonCurve, kind: Kind, metric: Metric, titles: Mapping[str, str], colours: Mapping[str, str]
) -> Picture:
    """A metric over ε, on a logarithmic axis: a thin line a dataset, a thick one their average, a ring at its best.

    Upright and dotted is the paper's ε; dashed, where NAP is combined, the other method alone.
    """
    curves = (found.alone if kind == "alone" else found.combined)[metric]
    several = len(found.datasets) > 1
    average = curves.mean(axis=0)
    lines = [(titles[name], colours[name], line) for name, line in zip(found.datasets, curves, strict=True)]
    if several:
        lines.append(("average", NEUTRAL, average))
    figure = go.Figure()
    for position, (title, hue, line) in enumerate(lines):
        width = 1.8 if several and position < len(found.datasets) else 5 if several else 4
        figure.add_trace(
            go.Scatter(
                x=found.epsilon,
                y=line,
                mode="lines",
                line={"color": hue, "width": width},
                name=title,
                hovertemplate="%{y:.1%}",
            )
        )
    if kind == "combined":
        figure.add_trace(
            go.Scatter(
                x=[found.epsilon[0], found.epsilon[-1]],
                y=[found.baseline[metric].mean()] * 2,
                mode="lines",
                line={"color": NEUTRAL, "width": 1.5, "dash": "dash"},
                name=f"{methods.title(found.other)} alone",
                hoverinfo="skip",
            )
        )
    best = _best(average, metric)
    figure.add_trace(
        go.Scatter(
            x=[found.epsilon[best]],
            y=[average[best]],
            mode="markers",
            marker={"color": lines[-1][1], "size": 20, "symbol": "circle-open", "line": {"width": 2.5}},
            name="best ε",
            hoverinfo="skip",
            cliponaxis=False,
        )
    )
    figure.add_vline(x=nap.EPSILON, line={"color": NEUTRAL, "width": 1.5, "dash": "dot"})
    _axes(figure, found, metric)
    return Picture(figure, _reading(found, kind, metric, titles), _table(found, kind), f"epsilon-{kind}-{metric}")


def _axes(figure: go.Figure, found: EpsilonCurve, metric: Metric) -> None:
    ticks = [0.01, 0.1, 1, 10, 100]
    ends = np.log10([found.epsilon[0], found.epsilon[-1]])
    figure.update_xaxes(
        type="log",
        title={"text": "ε", "standoff": 2},
        range=[ends[0] - 0.08, ends[1] + 0.08],
        tickvals=ticks,
        ticktext=[f"{tick:g}<br>paper" if tick == nap.EPSILON else f"{tick:g}" for tick in ticks],
        hoverformat=".3~g",
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    better = "lower" if metric == "fpr95" else "higher"
    figure.update_yaxes(
        title={"text": f"{METRIC_TITLES[metric]} ({better} is better)"}, tickformat=".0%", nticks=6, zeroline=False,
        rangemode="tozero" if metric == "fpr95" else "normal", fixedrange=True,
    )  # fmt: skip
    figure.update_layout(
        height=HEIGHT + 12 * max(0, len(found.datasets) - 4),
        margin={"t": 10, "b": 54, "l": 56, "r": 20},
        hovermode="x unified",
        dragmode=False,
        legend={"orientation": "h", "x": 0, "y": 1.09, "yanchor": "bottom", "font": {"size": 11}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )


def _best(average: np.ndarray, metric: Metric) -> int:
    """The position of the best value; of equals, the one in the middle of the axis."""
    values = -average if metric == "fpr95" else average
    equals = np.flatnonzero(values >= values.max() - 1e-12)
    return int(equals[np.argmin(np.abs(equals - len(values) // 2))])


def _reading(found: EpsilonCurve, kind: Kind, metric: Metric, titles: Mapping[str, str]) -> str:
    curves = (found.alone if kind == "alone" else found.combined)[metric]
    average, other = curves.mean(axis=0), methods.title(found.other)
    name = "NAP alone" if kind == "alone" else f"NAP+{other} (w = {found.w:g})"
    count = len(found.datasets)
    where = f"averaged over {count} OOD datasets" if count > 1 else f"on {titles[found.datasets[0]]}"
    best, here = _best(average, metric), int(np.argmin(np.abs(np.log(found.epsilon / nap.EPSILON))))
    near = average[(found.epsilon >= 0.1 * nap.EPSILON - 1e-9) & (found.epsilon <= 10 * nap.EPSILON + 1e-9)]
    sentence = f"{METRIC_TITLES[metric]} of {name}, {where}, is {percent(float(average[here]))} at the paper's ε = 1"
    extreme = "lowest" if metric == "fpr95" else "highest"
    if abs(average[best] - average[here]) < FLAT:
        sentence += f", the {extreme} there is"
    else:
        sentence += f" and {extreme}, {percent(float(average[best]))}, at ε = {found.epsilon[best]:.3g}"
    span = [percent(float(end)) for end in (near.min(), near.max())]
    sentence += f"; from ε = 0.1 to 10 it moves between {span[0]} and {span[1]}"
    return f"{sentence}." if kind == "alone" else f"{sentence}; {other} alone has {percent(_mean(found, metric))}."


def _mean(found: EpsilonCurve, metric: Metric) -> float:
    return float(found.baseline[metric].mean())


def _table(found: EpsilonCurve, kind: Kind) -> pd.DataFrame:
    """One row a (dataset, ε), both metrics, shares; the average among them."""
    curves = found.alone if kind == "alone" else found.combined
    names = [*found.datasets, *([AVERAGE] if len(found.datasets) > 1 else [])]
    values = {metric: np.vstack([curves[metric], curves[metric].mean(axis=0)]) for metric in METRIC_TITLES}
    return pd.DataFrame(
        [
            (name, float(epsilon), *(float(values[metric][row, column]) for metric in METRIC_TITLES))
            for row, name in enumerate(names)
            for column, epsilon in enumerate(found.epsilon)
        ],
        columns=["ood", "epsilon", *METRIC_TITLES],
    )
