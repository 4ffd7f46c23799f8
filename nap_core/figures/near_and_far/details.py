"""One method under covariate shift: each corruption at each severity, and the accuracy among accepted and rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core import corruptions
from nap_core.analysis import covariate_shift
from nap_core.figures.compare_methods.lines import WITH_NAP
from nap_core.figures.layout import Style, axis, base_layout, cells, legend, line, share_axis
from nap_core.figures.near_and_far.overview import TITLES
from nap_core.figures.palette import ID_COLOUR, NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.figures.text import percent

if TYPE_CHECKING:
    from nap_core.analysis.covariate_shift import Metric, ShiftRates

# Cells keep their colours in both themes: the letters have a contrast of at least 4.5 : 1 on every one.
_LOW, _HIGH, _LETTERS = "#69707d", "#1c5bb0", "#f7f9fb"
_ROW = 26
HEIGHT = 90 + _ROW * len(covariate_shift.CORRUPTIONS)


def cells_picture(shares: ShiftRates, metric: Metric, title: str) -> Picture:
    """Corruption × severity: the share of images that a method accepts as ID, or its AUROC, in percent.

    Args:
        shares: The rates of the method; ``cells`` are (severities, corruptions).
        metric: "kept" or "auroc".
        title: The method's title, for the caption.

    Returns:
        The figure; the bluer a cell, the less the method separates the shifted images from clean ones. Its table holds
        one row a cell, shares.
    """
    values = shares.cells[metric]
    names = [corruptions.RECORDS[name].title for name in covariate_shift.CORRUPTIONS]
    likeness = values if metric == "kept" else np.clip(2 * (1 - values), 0, 1)
    text = [[f"{100 * value:.0f}" for value in row] for row in values.T]
    heat = cells(likeness.T, (_LOW, _HIGH), text, {"size": 13, "color": _LETTERS}, xgap=2, ygap=2, customdata=values.T)
    heat |= {"x": [str(severity) for severity in covariate_shift.SEVERITIES], "y": names}
    heat["hovertemplate"] = f"%{{y}}, severity %{{x}}<br>{TITLES[metric]} %{{customdata:.1%}}<extra></extra>"
    flat: Style = {"showgrid": False, "ticks": ""}
    xaxis = axis("severity", 4, side="top", type="category", **flat)
    yaxis = axis(autorange="reversed", ticksuffix=" ", automargin=True, **flat)
    figure = go.Figure([heat], base_layout(HEIGHT, (56, 10, 10, 10), xaxis=xaxis, yaxis=yaxis))
    table = pd.DataFrame(
        {"corruption": name, "severity": severity, metric: values[row, column]}
        for column, name in enumerate(covariate_shift.CORRUPTIONS)
        for row, severity in enumerate(covariate_shift.SEVERITIES)
    )
    return Picture(figure, _cells_reading(values[-1], metric, title, names), table, f"corruptions-{metric}")


def _cells_reading(last: np.ndarray, metric: Metric, title: str, names: Sequence[str]) -> str:
    strongest = int(last.argmin() if metric == "kept" else last.argmax())
    mildest = int(last.argmax() if metric == "kept" else last.argmin())
    hit, spared = percent(float(last[strongest])), percent(float(last[mildest]))
    first, second = names[strongest].lower(), names[mildest].lower()
    if metric == "kept":
        start = f"At severity 5, {title} accepts {hit} of the images under {first}, the least"
        return f"{start}, and {spared} under {second}, the most."
    return (
        f"At severity 5, {title} separates images under {first} from clean ones best (AUROC {hit}) and "
        f"those under {second} least ({spared})."
    )


def accuracy_picture(shares: ShiftRates, title: str) -> Picture | None:
    """The network's accuracy over severity: on all images, on those that the method accepts, on those it rejects.

    Args:
        shares: The rates of the method, (6,) each; index 0 is the clean images.
        title: The method's title, for the caption.

    Returns:
        The figure; its table holds one row a severity, shares. None where the ID images have no labels.
    """
    if not np.isfinite(shares.right).any():
        return None
    severities = [0, *covariate_shift.SEVERITIES]
    lines: tuple[tuple[str, np.ndarray, str, float, Style], ...] = (
        ("all images", shares.right, ID_COLOUR, 6, {"opacity": 0.55}),
        ("accepted", shares.right_among_kept, WITH_NAP, 3, {}),
        ("rejected", shares.right_among_rejected, NEUTRAL, 3, {"dash": "dash"}),
    )
    traces = [
        line(
            severities, y, hue, width, name, f"{name}: accuracy %{{y:.1%}}<extra></extra>", mode="lines+markers", **more
        )
        for name, y, hue, width, more in lines
    ]
    ticks = ["clean", *map(str, covariate_shift.SEVERITIES)]
    xaxis = axis("severity", tickvals=severities, ticktext=ticks, showgrid=False)
    yaxis = share_axis("accuracy of the network", range=[-0.03, 1.05])
    margin = (56, 10, 46, 10)
    layout = base_layout(HEIGHT, margin, hovermode="x unified", legend=legend(), xaxis=xaxis, yaxis=yaxis)
    columns = ("right", "right_among_kept", "right_among_rejected", "rejected_among_right")
    table = pd.DataFrame({"severity": severities, **{name: getattr(shares, name) for name in columns}})
    return Picture(go.Figure(traces, layout), _accuracy_reading(shares, title), table, "accuracy-under-shift")


def _accuracy_reading(shares: ShiftRates, title: str) -> str:
    accepted, rejected = float(shares.right_among_kept[-1]), float(shares.right_among_rejected[-1])
    lost = percent(float(shares.rejected_among_right[-1]))
    if not np.isfinite(accepted) or not np.isfinite(rejected):
        every = "accepts" if np.isfinite(accepted) else "rejects"
        return f"At severity 5, {title} {every} every image, so accepted and rejected ones cannot be compared."
    return (
        f"At severity 5 the accuracy of the network is {percent(accepted)} on the images that {title} accepts and "
        f"{percent(rejected)} on those it rejects; {lost} of the images with a correct prediction are rejected."
    )
