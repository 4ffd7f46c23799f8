"""All that is not clean ID on one axis: ID images by severity of their shift, then near-OOD, far-OOD, the unplaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis import covariate_shift
from nap_core.analysis.covariate_shift import Metric, ShiftResult
from nap_core.figures.compare_methods.lines import LineStyle, line_styles
from nap_core.figures.compare_methods.words import join
from nap_core.figures.palette import ID_COLOUR, NEUTRAL
from nap_core.figures.picture import Picture, percent
from nap_core.figures.score_histograms import label
from nap_core.studies.near_far import GROUPS, Nearness

Groups = Mapping[Nearness, Sequence[str]]
TITLES: dict[Metric, str] = {"kept": "Kept as known", "auroc": "AUROC"}
_AXES: dict[Metric, str] = {"kept": "kept as known, at TPR 95\xa0%", "auroc": "AUROC against clean ID"}
_TICKS: dict[Nearness, str] = {"near": "near-OOD", "far": "far-OOD", "unknown": "OOD,<br>not placed"}
_HEIGHT = 500
_GAP, _STEP = 1.4, 1.1  # between the two halves, between groups, in severities


def overview(
    responses: Sequence[ShiftResult],
    metric: Metric,
    groups: Groups,
    opened: str,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
) -> Picture:
    """A line a method, as in the ROC figure: over clean ID and severities 1 to 5, then over the groups' averages.

    The blue line is the share of the shifted images that the network gets right, drawn with "kept" only: what a
    detector should keep. The dots are the single OOD datasets under the method ``opened``. The left half is missing
    where no method has seen shifted images.
    """
    shifted = any(one.shift for one in responses)
    places = _places(groups, shifted)
    figure = go.Figure()
    names = [name for group in groups.values() for name in group]
    styles = line_styles([one.scores for one in responses], names, opened)
    first = next((one.shift for one in responses if one.shift), None)
    if first is not None and metric == "kept" and np.isfinite(first.right).any():
        _right(figure, first.right)
    for rank, one in enumerate(responses):
        style = styles[one.method]
        order = rank + len(responses) * (style.named + (one.method == opened))
        _line(figure, one, metric, groups, places, style, order)
    single = next(one for one in responses if one.method == opened)
    _dots(figure, single, metric, groups, places, titles, colours)
    _axes(figure, metric, groups, places, shifted)
    return Picture(
        figure, _reading(single, metric, groups, titles), _table(responses, groups, metric), f"near-and-far-{metric}"
    )


def _places(groups: Groups, shifted: bool) -> dict[Nearness, float]:
    start = len(covariate_shift.SEVERITIES) + _GAP if shifted else 0.0
    return {group: start + _STEP * rank for rank, group in enumerate(groups)}


def _right(figure: go.Figure, right: np.ndarray) -> None:
    figure.add_scatter(
        x=list(range(len(right))),
        y=right,
        name="the network is right",
        mode="lines",
        line={"color": ID_COLOUR, "width": 7},
        opacity=0.55,
        hovertemplate="the network is right on %{y:.1%}<extra></extra>",
    )


def _line(
    figure: go.Figure,
    one: ShiftResult,
    metric: Metric,
    groups: Groups,
    places: Mapping[Nearness, float],
    style: LineStyle,
    order: int,
) -> None:
    drawn = {"name": label(one.scores), "legendgroup": one.method, "opacity": style.opacity, "zorder": order}
    line = {"color": style.colour, "dash": style.dash, "width": style.width}
    what = TITLES[metric]
    if one.shift is not None:
        values = getattr(one.shift, metric).tolist()
        figure.add_scatter(
            x=list(range(len(values))),
            y=values,
            mode="lines+markers",
            line=line,
            marker={"color": style.colour, "size": 6},
            showlegend=style.named,
            customdata=["clean ID", *(f"severity {severity}" for severity in covariate_shift.SEVERITIES)],
            hovertemplate=f"{label(one.scores)}<br>%{{customdata}}: {what} %{{y:.1%}}<extra></extra>",
            **drawn,
        )
    figure.add_scatter(
        x=[places[group] for group in groups],
        y=[one.average(names, metric) for names in groups.values()],
        mode="lines+markers",
        line=line,
        marker={"color": style.colour, "size": 9},
        showlegend=style.named and one.shift is None,
        customdata=[f"{GROUPS[group]}, {_count(names)}" for group, names in groups.items()],
        hovertemplate=f"{label(one.scores)}<br>%{{customdata}}: {what} %{{y:.1%}}<extra></extra>",
        **drawn,
    )


def _count(names: Sequence[str]) -> str:
    return "1 dataset" if len(names) == 1 else f"average of {len(names)} datasets"


def _dots(
    figure: go.Figure,
    one: ShiftResult,
    metric: Metric,
    groups: Groups,
    places: Mapping[Nearness, float],
    titles: Mapping[str, str],
    colours: Mapping[str, str],
) -> None:
    """The single datasets, a little to the right of their average."""
    for group, names in groups.items():
        for name in names:
            figure.add_scatter(
                x=[places[group] + 0.22],
                y=[one.ood[name][metric]],
                mode="markers",
                name=titles[name],
                marker={"color": colours[name], "size": 11, "symbol": "diamond"},
                showlegend=True,
                zorder=1000,
                hovertemplate=f"{titles[name]}<br>{label(one.scores)}: {TITLES[metric]} %{{y:.1%}}<extra></extra>",
            )


def _axes(figure: go.Figure, metric: Metric, groups: Groups, places: Mapping[Nearness, float], shifted: bool) -> None:
    ticks = {places[group]: _TICKS[group] for group in groups}
    if shifted:
        severities = {float(severity): str(severity) for severity in covariate_shift.SEVERITIES}
        ticks = {0.0: "clean<br>ID", **severities, **ticks}
        border = len(covariate_shift.SEVERITIES) + _GAP / 2
        figure.add_vline(x=border, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
        middle = (min(places.values()) + max(places.values())) / 2
        for x, words in (
            (2.5, "covariate shift: the same classes,<br>worse pictures, by severity"),
            (middle, "OOD:<br>other classes"),
        ):
            figure.add_annotation(
                x=x, y=1.02, yref="paper", text=words, showarrow=False, yanchor="bottom", font={"size": 12}
            )
    end = max(places.values()) + 0.55
    figure.update_xaxes(
        tickvals=list(ticks), ticktext=list(ticks.values()), range=[-0.35, end], showgrid=False, zeroline=False,
        fixedrange=True, tickangle=0,
    )  # fmt: skip
    figure.update_yaxes(
        title=_AXES[metric], tickformat=".0%", zeroline=False, fixedrange=True, automargin=True,
        range=[-0.03, 1.03] if metric == "kept" else None,
    )  # fmt: skip
    figure.update_layout(
        height=_HEIGHT,
        margin={"t": 60 if shifted else 20, "b": 20, "l": 10, "r": 10},
        legend={"orientation": "h", "y": -0.14, "yanchor": "top", "x": 0, "xanchor": "left", "font": {"size": 12}},
        hovermode="closest",
        dragmode=False,
    )


def _reading(one: ShiftResult, metric: Metric, groups: Groups, titles: Mapping[str, str]) -> str:
    """What the opened method does at the worst severity, on near-OOD and on far-OOD."""
    parts = []
    if one.shift is not None:
        parts.append(f"{percent(float(getattr(one.shift, metric)[-1]))} on ID images at severity 5")
    for group, names in groups.items():
        where = join([titles[name] for name in names]) if len(names) < 3 else f"{len(names)} datasets"
        parts.append(f"{percent(one.average(names, metric))} on {GROUPS[group]} ({where})")
    if metric == "auroc":
        return f"{one.title} has an AUROC of {join(parts)}, each against clean ID images."
    right = (
        ""
        if one.shift is None or not np.isfinite(one.shift.right[-1])
        else (f" The network is right on {percent(float(one.shift.right[-1]))} of the images at severity 5.")
    )
    kept = [part.replace(" on ", " of ", 1) for part in parts]
    return f"At the threshold that keeps 95\xa0% of clean ID images, {one.title} keeps {join(kept)}.{right}"


def _table(responses: Sequence[ShiftResult], groups: Groups, metric: Metric) -> pd.DataFrame:
    """One row a (method, severity or OOD dataset), shares."""
    rows: list[dict[str, object]] = []
    for one in responses:
        start = {"method": one.method, "w": one.scores.w}
        if one.shift is not None:
            values = zip(getattr(one.shift, metric), one.shift.right, strict=True)
            for severity, (value, right) in enumerate(values):
                images = f"severity {severity}" if severity else "clean ID"
                rows.append({**start, "images": images, "group": "ID", metric: value, "network_right": right})
        rows += [
            {**start, "images": name, "group": group, metric: one.ood[name][metric]}
            for group, names in groups.items()
            for name in names
        ]
    return pd.DataFrame(rows)
