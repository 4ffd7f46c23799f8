"""FPR95 or AUROC over the input size of a network, beside its accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis.comparison import AVERAGE
from nap_core.figures.compare_methods.lines import line_styles
from nap_core.figures.layout import DOTTED, Style, accuracy_line, axis, share_axis
from nap_core.figures.picture import Picture
from nap_core.figures.sensitivity.lines import frame, marked_line, subject
from nap_core.figures.text import EXTREME, percent
from nap_core.metrics import METRIC_TITLES, Metric

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores


def size_picture(
    rows: Sequence[MethodScores],
    figures: pd.DataFrame,
    metric: Metric,
    column: str,
    opened: str,
    titles: Mapping[str, str],
    own: int,
) -> Picture:
    """A line a method over the side of the network's input in pixels; the broad blue line is the network's ID accuracy.

    Args:
        rows: The scores of every method.
        figures: Rows of ``sensitivity.input_size.figures``, as shares.
        metric: "fpr95" or "auroc".
        column: An OOD dataset or ``AVERAGE``.
        opened: The method whose line is thick.
        titles: Catalogue name → title of the datasets.
        own: The input side of the study in pixels, which the dotted line marks.

    Returns:
        The figure; its table holds one row a method and side.
    """
    part = figures if column == AVERAGE else figures[figures["ood"] == column]
    table = part.groupby(["method", "side"], sort=False)[[metric, "id_accuracy"]].mean().reset_index()
    sides = sorted(table["side"].unique())
    styles = line_styles(rows, list(rows[0].ood), opened)
    accuracy = table.drop_duplicates("side").sort_values("side")
    traces = []
    if np.isfinite(accuracy["id_accuracy"]).any():
        traces.append(accuracy_line(accuracy["side"], accuracy["id_accuracy"], " at %{x} pixels"))
    hover = f" at %{{x}} pixels<br>{METRIC_TITLES[metric]} %{{y:.1%}}"
    for row in rows:
        style, mine = styles[row.method], table[table["method"] == row.method].sort_values("side")
        traces.append(marked_line(row, style, mine["side"].tolist(), mine[metric].tolist(), hover))
    ticks: Style = {"tickvals": sides, "ticktext": [str(side) for side in sides]}
    xaxis = axis("input size of the network: pixels a side", showgrid=False, **ticks)
    figure = go.Figure(traces, frame(xaxis, share_axis(METRIC_TITLES[metric], range=[-0.03, 1.03])))
    figure.add_vline(x=own, line={**DOTTED, "width": 1})
    start = subject(rows, opened, metric, column, titles)
    caption = _reading(start, table[table["method"] == opened].set_index("side"), metric, own)
    return Picture(figure, caption, table, f"{metric}-over-input-size")


def _reading(start: str, mine: pd.DataFrame, metric: Metric, own: int) -> str:
    values = mine[metric]
    order = values.sort_values(ascending=metric == "fpr95").index.to_numpy(dtype=np.int64)
    best, worst = int(order[0]), int(order[-1])
    lead = f"{start} is {EXTREME[metric]} at {best} pixels ({percent(values[best])})"
    middle = ", the size of the study" if best == own else f"; at the study's {own} it is {percent(values[own])}"
    end = f", and {percent(values[worst])} at {worst}" if worst not in (best, own) else ""
    accuracy = mine["id_accuracy"]
    if np.isfinite(accuracy).all() and worst != own:
        end += f", where the ID accuracy is {percent(accuracy[worst])}, not {percent(accuracy[own])}"
    return f"{lead}{middle}{end}."
