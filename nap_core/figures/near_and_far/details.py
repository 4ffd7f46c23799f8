"""One method under covariate shift: each corruption at each severity, and who is right among kept and rejected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core import corruptions
from nap_core.analysis import covariate_shift
from nap_core.analysis.covariate_shift import Metric, ShiftRates
from nap_core.figures.compare_methods.lines import WITH_NAP
from nap_core.figures.near_and_far.overview import TITLES
from nap_core.figures.palette import ID_COLOUR, NEUTRAL
from nap_core.figures.picture import Picture, percent

# Cells keep their colours in both themes: the letters have a contrast of at least 4.5 : 1 on every one.
_LOW, _HIGH, _LETTERS = "#69707d", "#1c5bb0", "#f7f9fb"
_ROW = 26
HEIGHT = 90 + _ROW * len(covariate_shift.CORRUPTIONS)


def cells_picture(shares: ShiftRates, metric: Metric, title: str) -> Picture:
    """Corruption × severity: what a method, printed as ``title``, keeps of the images, or its AUROC, in percent.

    The bluer a cell, the less the method takes the shifted images for unknown.
    """
    values = shares.cells[metric]
    names = [corruptions.RECORDS[name].title for name in covariate_shift.CORRUPTIONS]
    known = values if metric == "kept" else np.clip(2 * (1 - values), 0, 1)
    figure = go.Figure()
    figure.add_heatmap(
        z=known.T,
        zmin=0,
        zmax=1,
        colorscale=[[0, _LOW], [1, _HIGH]],
        showscale=False,
        text=[[f"{100 * value:.0f}" for value in row] for row in values.T],
        customdata=values.T,
        texttemplate="%{text}",
        textfont={"size": 13, "color": _LETTERS},
        x=[str(severity) for severity in covariate_shift.SEVERITIES],
        y=names,
        xgap=2,
        ygap=2,
        hovertemplate=f"%{{y}}, severity %{{x}}<br>{TITLES[metric]} %{{customdata:.1%}}<extra></extra>",
    )
    figure.update_xaxes(title={"text": "severity", "standoff": 4}, side="top", type="category", fixedrange=True)
    figure.update_xaxes(showgrid=False, ticks="")
    figure.update_yaxes(
        autorange="reversed", ticks="", ticksuffix=" ", automargin=True, fixedrange=True, showgrid=False
    )
    figure.update_layout(height=HEIGHT, margin={"t": 56, "b": 10, "l": 10, "r": 10}, dragmode=False)
    table = pd.DataFrame(
        {"corruption": name, "severity": severity, metric: values[row, column]}
        for column, name in enumerate(covariate_shift.CORRUPTIONS)
        for row, severity in enumerate(covariate_shift.SEVERITIES)
    )
    return Picture(figure, _cells_reading(values, metric, title, names), table, f"corruptions-{metric}")


def _cells_reading(values: np.ndarray, metric: Metric, title: str, names: Sequence[str]) -> str:
    last = values[-1]
    strongest = int(last.argmin() if metric == "kept" else last.argmax())
    mildest = int(last.argmax() if metric == "kept" else last.argmin())
    hit, spared = percent(float(last[strongest])), percent(float(last[mildest]))
    if metric == "kept":
        return (
            f"At severity 5, {title} keeps {hit} of the images under {names[strongest].lower()}, the least, and "
            f"{spared} under {names[mildest].lower()}, the most."
        )
    return (
        f"At severity 5, {title} tells images under {names[strongest].lower()} from clean ones best (AUROC {hit}) and "
        f"those under {names[mildest].lower()} least ({spared})."
    )


def accuracy_picture(shares: ShiftRates, title: str) -> Picture | None:
    """The network's accuracy over severity: on all images, on those that the method keeps, on those it rejects.

    None where the classes of the ID images are not known.
    """
    if not np.isfinite(shares.right).any():
        return None
    severities = [0, *covariate_shift.SEVERITIES]
    lines = (
        ("all images", shares.right, {"color": ID_COLOUR, "width": 6}, 0.55),
        ("kept", shares.right_among_kept, {"color": WITH_NAP, "width": 3}, 1),
        ("rejected", shares.right_among_rejected, {"color": NEUTRAL, "width": 3, "dash": "dash"}, 1),
    )
    figure = go.Figure()
    for name, values, line, opacity in lines:
        figure.add_scatter(
            x=severities, y=values, name=name, mode="lines+markers", line=line, opacity=opacity,
            hovertemplate=f"{name}: %{{y:.1%}} right<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(
        tickvals=severities, ticktext=["clean", *map(str, covariate_shift.SEVERITIES)], title="severity",
        fixedrange=True, zeroline=False, showgrid=False,
    )  # fmt: skip
    figure.update_yaxes(
        title="the network is right", tickformat=".0%", range=[-0.03, 1.05], zeroline=False, fixedrange=True
    )
    figure.update_layout(
        height=HEIGHT,
        margin={"t": 56, "b": 46, "l": 10, "r": 10},
        hovermode="x unified",
        dragmode=False,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )
    table = pd.DataFrame(
        {
            "severity": severities,
            "right": shares.right,
            "right_among_kept": shares.right_among_kept,
            "right_among_rejected": shares.right_among_rejected,
            "rejected_among_right": shares.rejected_among_right,
        }
    )
    return Picture(figure, _accuracy_reading(shares, title), table, "accuracy-under-shift")


def _accuracy_reading(shares: ShiftRates, title: str) -> str:
    among_kept, among_rejected = float(shares.right_among_kept[-1]), float(shares.right_among_rejected[-1])
    lost = percent(float(shares.rejected_among_right[-1]))
    if not np.isfinite(among_kept) or not np.isfinite(among_rejected):
        every = "keeps" if np.isfinite(among_kept) else "rejects"
        return f"At severity 5, {title} {every} every image, so kept and rejected ones cannot be compared."
    return (
        f"At severity 5 the network is right on {percent(among_kept)} of the images that {title} keeps and on "
        f"{percent(among_rejected)} of those it rejects; {lost} of the right answers are thrown away."
    )
