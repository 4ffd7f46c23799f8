"""One combination: FPR95 and AUROC over w (Figures 4b and 4c of the NAP paper)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core.figures.palette import NEUTRAL, translucent
from nap_core.figures.picture import Picture, percent
from nap_core.figures.w_sensitivity.sensitivity import SAME, Sensitivity
from nap_core.methods.combination import ROBUST
from nap_core.metrics import METRIC_TITLES, Metric

HEIGHT = 340  # pixels; more where there are more than five datasets for the legend to name
SHADE = translucent(NEUTRAL, 0.12)


def curve_picture(found: Sensitivity, metric: Metric, w: float) -> Picture:
    """A metric over w: a thin line a dataset, a thick one their average, dots at ``w``, a ring at the best average.

    The dashed line is the other method alone (w = 1); the dotted uprights are the paper's w and the one that was found
    on the study; ``ROBUST`` is shaded.
    """
    curve = found.curve
    values: NDArray[np.float64] = getattr(curve, metric)
    average, best, several = curve.average(metric), curve.best(metric), len(curve.datasets) > 1
    names = [found.titles[name] for name in curve.datasets]
    hues = [found.colours[name] for name in curve.datasets]
    width = 1.8 if several else 4
    traces = [
        _line(curve.w, line, title, {"color": hue, "width": width})
        for title, hue, line in zip(names, hues, values, strict=True)
    ]
    if several:
        names, hues, values = [*names, "average"], [*hues, NEUTRAL], np.vstack([values, average])
        traces.append(_line(curve.w, average, "average", {"color": NEUTRAL, "width": 5}))
    now, alone = found.at(w), [float(average[found.at(1)])] * 2
    sizes = [8.0] * len(curve.datasets) + [14.0] * several if several else [14.0]
    ring = {"color": hues[-1], "size": 20, "symbol": "circle-open", "line": {"width": 2.5}}
    dashes = {"color": NEUTRAL, "width": 1.5, "dash": "dash"}
    traces += [
        {"x": [0, 1], "y": alone, "mode": "lines", "line": dashes, "name": f"{found.other} alone", "hoverinfo": "skip"},
        _marks([curve.w[now]] * len(names), values[:, now], {"color": hues, "size": sizes, "opacity": 1.0}),
        _marks([best], average[[found.at(best)]], ring, "best w"),
    ]
    figure = go.Figure([{"type": "scatter", **trace} for trace in traces], _layout(found, metric, float(curve.w[now])))
    return Picture(figure, _reading(found, metric, w), _table(found, metric), f"w-{metric}")


Trace = dict[str, Any]


def _line(x: NDArray[np.float64], y: NDArray[np.float64], title: str, line: dict[str, object]) -> Trace:
    # The unified hover label writes w once and each title beside its colour.
    return {"x": x, "y": y, "mode": "lines", "line": line, "name": title, "hovertemplate": "%{y:.1%}"}


def _marks(x: Sequence[float], y: NDArray[np.float64], marker: dict[str, object], title: str = "") -> Trace:
    style = {"mode": "markers", "marker": marker, "hoverinfo": "skip", "cliponaxis": False}
    return {"x": x, "y": y.tolist(), "name": title, "showlegend": bool(title), **style}


def _layout(found: Sensitivity, metric: Metric, now: float) -> dict[str, Any]:
    """Everything but the lines, in one piece: added one by one, shapes and axes take longer than all the rest."""
    named = {0.0: f"{found.prior} alone", 1.0: f"{found.other} alone"}
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    better = "lower" if metric == "fpr95" else "higher"
    upright = {"type": "line", "yref": "paper", "y0": 0, "y1": 1}
    dots = {"color": NEUTRAL, "width": 1.5, "dash": "dot"}
    return {
        "xaxis": {
            "title": {"text": f"w, the weight of {found.other}", "standoff": 2},
            "range": [-0.02, 1.02],
            "tickvals": ticks,
            "ticktext": [f"{tick:g}<br>{named[tick]}" if tick in named else f"{tick:g}" for tick in ticks],
            "tickangle": 0,
            "hoverformat": ".2f",
            "zeroline": False,
            "showgrid": False,
            "fixedrange": True,
        },
        "yaxis": {
            "title": {"text": f"{METRIC_TITLES[metric]} ({better} is better)"},
            "tickformat": ".0%",
            "nticks": 6,
            "zeroline": False,
            "rangemode": "tozero" if metric == "fpr95" else "normal",
            "fixedrange": True,
        },
        "shapes": [
            shade("x", "paper"),
            {**upright, "x0": now, "x1": now, "line": {"color": NEUTRAL, "width": 1}},
            *({**upright, "x0": at, "x1": at, "line": dots} for at in _marked(found)),
        ],
        "annotations": [
            {"x": now, "y": 1, "yref": "paper", "yanchor": "bottom", "text": f"w = {now:g}", "showarrow": False},
            *(_called(found, at, words) for at, words in _marked(found).items()),
        ],
        "height": HEIGHT + 12 * max(0, len(found.curve.datasets) - 5),
        "margin": {"t": 10, "b": 54, "l": 56, "r": 34},
        "hovermode": "x unified",
        "dragmode": False,
        "legend": {"orientation": "h", "x": 0, "y": 1.09, "yanchor": "bottom", "font": {"size": 11}},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }


def _marked(found: Sensitivity) -> dict[float, str]:
    """The w of the paper and of the search, and what they are called."""
    if found.published_w is not None and found.published_w == found.found_w:
        return {found.found_w: "paper, found"}
    marks = ((found.published_w, "paper"), (found.found_w, "found"))
    return {at: words for at, words in marks if at is not None}


def _called(found: Sensitivity, at: float, words: str) -> dict[str, Any]:
    """The name of a mark at the foot of its line, on the side where the other mark is not."""
    left = any(other > at for other in _marked(found))
    place = {"x": at, "y": 0, "yref": "paper", "xanchor": "right" if left else "left", "yanchor": "bottom"}
    return {**place, "text": words, "showarrow": False, "xshift": -3 if left else 3, "font": {"size": 11}}


def shade(x: str, y: str) -> dict[str, Any]:
    """``ROBUST`` as a shape on the axes ``x`` and ``y``."""
    low, high = ROBUST
    place = {"xref": x, "yref": y, "x0": low, "x1": high, "y0": 0, "y1": 1}
    return {"type": "rect", **place, "fillcolor": SHADE, "line": {"width": 0}, "layer": "below"}


def _reading(found: Sensitivity, metric: Metric, w: float) -> str:
    """The best w and its figure, beside the ends and the w in use."""
    curve = found.curve
    average, best = curve.average(metric), curve.best(metric)

    def at(weight: float) -> str:
        return percent(float(average[found.at(weight)]))

    count = len(curve.datasets)
    where = f"averaged over {count} OOD datasets" if count > 1 else f"on {found.titles[curve.datasets[0]]}"
    if np.ptp(average) <= SAME:
        return f"{METRIC_TITLES[metric]}, {where}, is {at(w)} at every w."
    extreme = "lowest" if metric == "fpr95" else "highest"
    if found.at(w) == found.at(best):
        now = f"is {extreme} at w = {w:g}: {at(w)}"
    else:
        now = f"is {at(w)} at w = {w:g} and {extreme}, {at(best)}, at w = {best:g}"
    return f"{METRIC_TITLES[metric]}, {where}, {now}; {found.other} alone has {at(1)}, {found.prior} alone {at(0)}."


def _table(found: Sensitivity, metric: Metric) -> pd.DataFrame:
    """The whole curve, one row a (dataset, w), shares."""
    curve = found.curve
    rows = [
        (name, w, value)
        for name, line in (
            *zip(curve.datasets, getattr(curve, metric), strict=True),
            ("average", curve.average(metric)),
        )
        for w, value in zip(curve.w.tolist(), line.tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["ood", "w", metric])
