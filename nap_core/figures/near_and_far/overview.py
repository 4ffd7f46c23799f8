"""What is not clean ID on one axis: ID images by severity of their shift, then near-OOD, far-OOD, the unplaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis import covariate_shift
from nap_core.figures.compare_methods.lines import LineStyle, line_styles, method_line
from nap_core.figures.layout import DOTTED, Style, accuracy_line, axis, base_layout, legend, marks, note, share_axis
from nap_core.figures.picture import Picture
from nap_core.figures.score_histograms import label
from nap_core.figures.text import join, percent
from nap_core.studies.near_far import GROUPS

if TYPE_CHECKING:
    from nap_core.analysis.covariate_shift import Metric, ShiftResult
    from nap_core.studies.near_far import Nearness

    Groups = Mapping[Nearness, Sequence[str]]

TITLES: dict[Metric, str] = {"kept": "Accepted as ID", "auroc": "AUROC"}
_AXES: dict[Metric, str] = {"kept": "accepted as ID, at TPR 95\xa0%", "auroc": "AUROC against clean ID"}
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

    The blue line is the accuracy of the network on the shifted images, drawn with "kept" only: the share that a
    detector should accept. The dots are the single OOD datasets under the method ``opened``.

    Args:
        responses: One result a method, that of ``opened`` among them.
        metric: "kept" or "auroc".
        groups: Nearness → catalogue names of its OOD datasets; at least one group.
        opened: The method whose line is thick.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.

    Returns:
        The figure; its left half is missing where no method was run on shifted images. Its table holds one row a method
        and severity or OOD dataset, shares.

    Raises:
        UserError: A method is not in the catalogue.
        ValueError: There is no group.
    """
    shifted = any(one.shift for one in responses)
    start = len(covariate_shift.SEVERITIES) + _GAP if shifted else 0.0
    places: dict[Nearness, float] = {group: start + _STEP * rank for rank, group in enumerate(groups)}
    names = [name for group in groups.values() for name in group]
    styles = line_styles([one.scores for one in responses], names, opened)
    first = next((one.shift for one in responses if one.shift), None)
    traces: list[Style] = []
    if first is not None and metric == "kept" and np.isfinite(first.right).any():
        traces.append(accuracy_line(list(range(len(first.right))), first.right))
    for one in responses:
        traces += _lines(one, metric, groups, places, styles[one.method])
    single = next(one for one in responses if one.method == opened)
    traces += _dots(single, metric, groups, places, titles, colours)
    figure = go.Figure(traces, _layout(metric, places, shifted))
    if shifted:
        figure.add_vline(x=len(covariate_shift.SEVERITIES) + _GAP / 2, line={**DOTTED, "width": 1})
    caption = _reading(single, metric, groups, titles)
    return Picture(figure, caption, _table(responses, groups, metric), f"near-and-far-{metric}")


def _lines(
    one: ShiftResult, metric: Metric, groups: Groups, places: Mapping[Nearness, float], style: LineStyle
) -> list[Style]:
    hover = f"<br>%{{customdata}}: {TITLES[metric]} %{{y:.1%}}"
    shared = {"mode": "lines+markers", "legendgroup": one.method}
    traces = []
    if one.shift is not None:
        values = getattr(one.shift, metric).tolist()
        where = ["clean ID", *(f"severity {severity}" for severity in covariate_shift.SEVERITIES)]
        dots = {"color": style.colour, "size": 6}
        steps = list(range(len(values)))
        traces.append(method_line(one.scores, style, steps, values, hover, customdata=where, marker=dots, **shared))
    where = [f"{GROUPS[group]}, {_count(names)}" for group, names in groups.items()]
    x, y = [places[group] for group in groups], [one.average(names, metric) for names in groups.values()]
    more = {"marker": {"color": style.colour, "size": 9}, "showlegend": style.named and one.shift is None, **shared}
    return [*traces, method_line(one.scores, style, x, y, hover, customdata=where, **more)]


def _count(names: Sequence[str]) -> str:
    return "1 dataset" if len(names) == 1 else f"average of {len(names)} datasets"


def _dots(
    one: ShiftResult,
    metric: Metric,
    groups: Groups,
    places: Mapping[Nearness, float],
    titles: Mapping[str, str],
    colours: Mapping[str, str],
) -> list[Style]:
    """The single datasets, a little to the right of their average."""
    hover = f"<br>{label(one.scores)}: {TITLES[metric]} %{{y:.1%}}<extra></extra>"
    return [
        marks(
            [places[group] + 0.22],
            [one.ood[name][metric]],
            {"color": colours[name], "size": 11, "symbol": "diamond"},
            titles[name],
            titles[name] + hover,
            zorder=1000,
        )
        for group, names in groups.items()
        for name in names
    ]


def _layout(metric: Metric, places: Mapping[Nearness, float], shifted: bool) -> Style:
    ticks = {place: _TICKS[group] for group, place in places.items()}
    notes = []
    if shifted:
        severities = {float(severity): str(severity) for severity in covariate_shift.SEVERITIES}
        ticks = {0.0: "clean<br>ID", **severities, **ticks}
        middle = (min(places.values()) + max(places.values())) / 2
        heads = {
            2.5: "covariate shift: the same classes,<br>worse pictures, by severity",
            middle: "OOD:<br>other classes",
        }
        notes = [note(text, x, 1.02, 12, yref="paper", yanchor="bottom") for x, text in heads.items()]
    marked: Style = {"tickvals": list(ticks), "ticktext": list(ticks.values()), "tickangle": 0}
    xaxis = axis(range=[-0.35, max(places.values()) + 0.55], showgrid=False, **marked)
    yaxis = share_axis(_AXES[metric], automargin=True, range=[-0.03, 1.03] if metric == "kept" else None)
    below = legend(-0.14, 12, yanchor="top")
    margin = (60 if shifted else 20, 10, 20, 10)
    return base_layout(_HEIGHT, margin, xaxis=xaxis, yaxis=yaxis, legend=below, annotations=notes)


def _reading(one: ShiftResult, metric: Metric, groups: Groups, titles: Mapping[str, str]) -> str:
    """The opened method's figures at the worst severity, on near-OOD and on far-OOD."""
    parts = []
    if one.shift is not None:
        parts.append(f"{percent(float(getattr(one.shift, metric)[-1]))} on ID images at severity 5")
    for group, names in groups.items():
        where = join([titles[name] for name in names]) if len(names) < 3 else f"{len(names)} datasets"
        parts.append(f"{percent(one.average(names, metric))} on {GROUPS[group]} ({where})")
    if metric == "auroc":
        return f"{one.title} has an AUROC of {join(parts)}, each against clean ID images."
    accuracy = ""
    if one.shift is not None and np.isfinite(one.shift.right[-1]):
        accuracy = f" The accuracy of the network is {percent(float(one.shift.right[-1]))} at severity 5."
    accepted = join([part.replace(" on ", " of ", 1) for part in parts])
    return f"At the threshold that accepts 95\xa0% of clean ID images, {one.title} accepts {accepted}.{accuracy}"


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
