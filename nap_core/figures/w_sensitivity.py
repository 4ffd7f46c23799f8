"""What the weight of a combination does: FPR95 and AUROC over w (Figures 4b and 4c of the NAP paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core import methods
from nap_core.combination import WeightCurve
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent

Metric = Literal["fpr95", "auroc"]
METRICS: dict[Metric, str] = {"fpr95": "FPR95", "auroc": "AUROC"}
HEIGHT = 340  # pixels; more where there are more than five datasets for the legend to name
SAME = 1e-12  # shares that differ by less are equal


@dataclass(frozen=True)
class Sensitivity:
    """A combination's curve and what it is called. The weights of ``curve`` must include 0 and 1.

    ``titles`` and ``colours`` are by catalogue name of the dataset. ``published_w`` is the paper's w for what the
    model knows, None where the paper gives none.
    """

    curve: WeightCurve
    combination: str
    other: str
    titles: Mapping[str, str]
    colours: Mapping[str, str]
    published_w: float | None = None
    prior: str = "NAP"

    @classmethod
    def of(
        cls, method: str, curve: WeightCurve, knows: str, titles: Mapping[str, str], colours: Mapping[str, str]
    ) -> Sensitivity:
        """The curve of ``method``, a combination. Raises UserError when it is none."""
        prior, other = methods.combination_parts(method)
        published = other.record.published_w.get(knows) if prior.spec == "nap" else None
        return cls(curve, methods.title(method), other.title, titles, colours, published, prior.title)

    def at(self, w: float) -> int:
        """The position of the weight nearest to ``w`` in the curve."""
        return int(np.argmin(np.abs(self.curve.w - w)))

    def best_of(self, name: str) -> float:
        """The w of a dataset's lowest FPR95; the one nearest 0.5 among equals."""
        values = self.curve.fpr95[self.curve.datasets.index(name)]
        equals = self.curve.w[values <= values.min() + SAME]
        return float(equals[np.argmin(np.abs(equals - 0.5))])

    def lower_at(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """The datasets on which the combination, each at its w, has a lower FPR95 than the other method alone."""
        values, alone = self.curve.fpr95, self.at(1)
        rows = enumerate(self.curve.datasets)
        return tuple(name for row, name in rows if values[row, self.at(weights[name])] < values[row, alone] - SAME)


def sensitivity_table(found: Sensitivity, w: float) -> pd.DataFrame:
    """A row an OOD dataset and, where there are several, their average: the best w by FPR95; both metrics in percent.

    The columns after "OOD dataset" and "best w" are, for each metric, the other method alone, the prior alone, ``w``
    and the best w.
    """
    curve = found.curve
    rows = [
        (found.titles[name], found.best_of(name), fpr95, auroc)
        for name, fpr95, auroc in zip(curve.datasets, curve.fpr95, curve.auroc, strict=True)
    ]
    if len(rows) > 1:
        rows.append(("average", curve.best("fpr95"), curve.average("fpr95"), curve.average("auroc")))
    return pd.DataFrame([_table_row(found, w, *row) for row in rows])


def _table_row(
    found: Sensitivity, w: float, title: str, best: float, fpr95: NDArray[np.float64], auroc: NDArray[np.float64]
) -> dict[str, str | float]:
    weights = {found.other: 1.0, found.prior: 0.0, f"w = {w:g}": w, "best w": best}
    cells = {
        f"{METRICS[metric]} {head}": 100 * float(values[found.at(weight)])
        for metric, values in zip(METRICS, (fpr95, auroc), strict=True)
        for head, weight in weights.items()
    }
    return {"OOD dataset": title, "best w": best, **cells}


def finding(found: Sensitivity) -> str:
    """On how many OOD datasets the combination has a lower FPR95 than the other method alone, and on which it has not.

    Counted twice: each dataset at its own best w, and all of them at the w that is best on average. Markdown.
    """
    names, curve = found.curve.datasets, found.curve
    own = found.lower_at({name: found.best_of(name) for name in names})
    if len(names) == 1:
        return _finding_on_one(found, names[0])
    claim = f"{found.combination} has a lower FPR95 than {found.other} alone on {_count(len(own), len(names))}"
    if not own:
        places = f"any of the {len(names)} OOD datasets"
        return f"**At no w has {found.combination} a lower FPR95 than {found.other} alone on {places}.**"
    sentence = f"**{claim}** when each gets its own best w"
    never = [name for name in names if name not in own]
    if never:
        sentence += f"; at no w on {_join([_named(found, name) for name in never])}"
    best = curve.best("fpr95")
    shared = found.lower_at(dict.fromkeys(names, best))
    second = f"With one w for all, {best:g}, the best on average, it is lower on {_count(len(shared), len(names))}"
    worse = [f"{found.titles[name]} ({_against(found, name, best)})" for name in names if name not in shared]
    return f"{sentence}. {second}{f', not on {_join(worse)}' if worse and shared else ''}."


def _finding_on_one(found: Sensitivity, name: str) -> str:
    best = found.best_of(name)
    if found.lower_at({name: best}):
        claim = f"{found.combination} has a lower FPR95 than {found.other} alone on {found.titles[name]}"
        return f"**At its best w, {best:g}, {claim}**: {_against(found, name, best)}."
    return f"**At no w has {found.combination} a lower FPR95 than {found.other} alone on {_named(found, name)}.**"


def _alone(found: Sensitivity, name: str) -> float:
    return float(found.curve.fpr95[found.curve.datasets.index(name), found.at(1)])


def _named(found: Sensitivity, name: str) -> str:
    alone = _alone(found, name)
    return f"{found.titles[name]} ({percent(alone)}{' already' if alone <= SAME else ''} with {found.other} alone)"


def _against(found: Sensitivity, name: str, w: float) -> str:
    combined = float(found.curve.fpr95[found.curve.datasets.index(name), found.at(w)])
    return f"{percent(combined)} against {percent(_alone(found, name))}"


def _count(some: int, total: int) -> str:
    if some == total:
        return "both OOD datasets" if total == 2 else f"all {total} OOD datasets"
    return f"{some or 'none'} of the {total} OOD datasets"


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def curve_picture(found: Sensitivity, metric: Metric, w: float) -> Picture:
    """A metric over w: a thin line a dataset, a thick one their average, dots at ``w``, a ring at the best average.

    The dashed line is the other method alone (w = 1); the dotted upright is the paper's w.
    """
    curve = found.curve
    values: NDArray[np.float64] = getattr(curve, metric)
    average, best, several = curve.average(metric), curve.best(metric), len(curve.datasets) > 1
    names = [found.titles[name] for name in curve.datasets]
    hues = [found.colours[name] for name in curve.datasets]
    figure = go.Figure()
    for title, hue, line in zip(names, hues, values, strict=True):
        figure.add_trace(_line(curve.w, line, title, {"color": hue, "width": 1.8 if several else 4}))
    if several:
        names, hues, values = [*names, "average"], [*hues, NEUTRAL], np.vstack([values, average])
        figure.add_trace(_line(curve.w, average, "average", {"color": NEUTRAL, "width": 5}))
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[average[found.at(1)]] * 2,
            mode="lines",
            line={"color": NEUTRAL, "width": 1.5, "dash": "dash"},
            name=f"{found.other} alone",
            hoverinfo="skip",
        )
    )
    now = found.at(w)
    sizes = [8.0] * len(curve.datasets) + [14.0] * several if several else [14.0]
    dots = {"color": hues, "size": sizes, "opacity": 1.0}
    figure.add_trace(_marks([curve.w[now]] * len(names), values[:, now].tolist(), dots))
    ring = {"color": hues[-1], "size": 20, "symbol": "circle-open", "line": {"width": 2.5}}
    figure.add_trace(_marks([best], [float(average[found.at(best)])], ring, "best w"))
    label = {"text": f"w = {curve.w[now]:g}", "yanchor": "bottom", "showarrow": False}
    figure.add_vline(
        x=curve.w[now], line={"color": NEUTRAL, "width": 1}, annotation={**label, "y": 1, "xanchor": "center"}
    )
    if found.published_w is not None:
        figure.add_vline(x=found.published_w, line={"color": NEUTRAL, "width": 1.5, "dash": "dot"})
    _axes(figure, found, metric)
    return Picture(figure, _reading(found, metric, w), _table(found, metric), f"w-{metric}")


def _line(x: NDArray[np.float64], y: NDArray[np.float64], title: str, line: dict[str, object]) -> go.Scatter:
    template = "%{y:.1%}"  # the unified hover label writes w once and each title beside its colour
    return go.Scatter(x=x, y=y, mode="lines", line=line, name=title, hovertemplate=template)


def _marks(x: Sequence[float], y: Sequence[float], marker: dict[str, object], title: str = "") -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="markers", marker=marker, name=title, showlegend=bool(title), hoverinfo="skip", cliponaxis=False
    )


def _axes(figure: go.Figure, found: Sensitivity, metric: Metric) -> None:
    names = {0.0: f"{found.prior} alone", 1.0: f"{found.other} alone"}
    if found.published_w is not None:
        names[found.published_w] = "paper"
    ticks = sorted({0.0, 0.2, 0.4, 0.6, 0.8, 1.0, *names})
    figure.update_xaxes(
        title={"text": f"w, the weight of {found.other}", "standoff": 2},
        range=[-0.02, 1.02],
        tickvals=ticks,
        ticktext=[f"{tick:g}<br>{names[tick]}" if tick in names else f"{tick:g}" for tick in ticks],
        hoverformat=".2f",
        zeroline=False,
        showgrid=False,
        fixedrange=True,
    )
    better = "lower" if metric == "fpr95" else "higher"
    figure.update_yaxes(
        title={"text": f"{METRICS[metric]} ({better} is better)"}, tickformat=".0%", nticks=6, zeroline=False,
        rangemode="tozero" if metric == "fpr95" else "normal", fixedrange=True,
    )  # fmt: skip
    figure.update_layout(
        height=HEIGHT + 12 * max(0, len(found.curve.datasets) - 5),
        margin={"t": 10, "b": 54, "l": 56, "r": 34},
        hovermode="x unified",
        dragmode=False,
        legend={"orientation": "h", "x": 0, "y": 1.09, "yanchor": "bottom", "font": {"size": 11}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )


def _reading(found: Sensitivity, metric: Metric, w: float) -> str:
    """The best w and its figure, beside the ends and the w in use."""
    curve = found.curve
    average, best = curve.average(metric), curve.best(metric)

    def at(weight: float) -> str:
        return percent(float(average[found.at(weight)]))

    count = len(curve.datasets)
    where = f"averaged over {count} OOD datasets" if count > 1 else f"on {found.titles[curve.datasets[0]]}"
    if np.ptp(average) <= SAME:
        return f"{METRICS[metric]}, {where}, is {at(w)} at every w."
    extreme = "lowest" if metric == "fpr95" else "highest"
    if found.at(w) == found.at(best):
        now = f"is {extreme} at w = {w:g}: {at(w)}"
    else:
        now = f"is {at(w)} at w = {w:g} and {extreme}, {at(best)}, at w = {best:g}"
    return f"{METRICS[metric]}, {where}, {now}; {found.other} alone has {at(1)}, {found.prior} alone {at(0)}."


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
