"""FPR95 or AUROC over the size in which a network sees the images, and what it still gets right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.compare_methods.lines import line_styles
from nap_core.figures.palette import ID_COLOUR, NEUTRAL
from nap_core.figures.picture import Picture, percent
from nap_core.figures.score_histograms import label
from nap_core.figures.sensitivity.lines import frame, fronts, method_line
from nap_core.metrics import METRIC_TITLES, Metric


def size_picture(
    rows: Sequence[MethodScores],
    figures: pd.DataFrame,
    metric: Metric,
    column: str,
    opened: str,
    titles: Mapping[str, str],
    own: int,
) -> Picture:
    """A line a method over the side of the views in pixels; the broad blue line is the network's accuracy on ID images.

    ``figures`` are rows of ``sensitivity.input_size.figures``; ``column`` is an OOD dataset or ``AVERAGE``; ``own`` is
    the side at which the study sees its images, which the dotted line marks.
    """
    part = figures if column == AVERAGE else figures[figures["ood"] == column]
    table = part.groupby(["method", "side"], sort=False)[[metric, "id_accuracy"]].mean().reset_index()
    sides = sorted(table["side"].unique())
    styles = line_styles(rows, list(rows[0].ood), opened)
    figure = go.Figure()
    right = table.drop_duplicates("side").sort_values("side")
    if np.isfinite(right["id_accuracy"]).any():
        figure.add_scatter(
            x=right["side"],
            y=right["id_accuracy"],
            name="the network is right",
            mode="lines",
            line={"color": ID_COLOUR, "width": 7},
            opacity=0.55,
            hovertemplate="the network is right on %{y:.1%} at %{x} pixels<extra></extra>",
        )
    front = fronts(rows, styles, opened)
    for row in rows:
        style, mine = styles[row.method], table[table["method"] == row.method].sort_values("side")
        hover = f"{label(row)} at %{{x}} pixels<br>{METRIC_TITLES[metric]} %{{y:.1%}}<extra></extra>"
        x, y = mine["side"].tolist(), mine[metric].tolist()
        figure.add_trace(method_line(row, style, front[row.method], x, y, hovertemplate=hover))
    figure.add_vline(x=own, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    figure.update_xaxes(
        title="pixels a side, as the network sees them", tickvals=sides, ticktext=[str(side) for side in sides],
        fixedrange=True, zeroline=False, showgrid=False,
    )  # fmt: skip
    figure.update_yaxes(
        title=METRIC_TITLES[metric], tickformat=".0%", range=[-0.03, 1.03], fixedrange=True, zeroline=False
    )
    frame(figure)
    one = next(row for row in rows if row.method == opened)
    mine = table[table["method"] == opened].set_index("side")
    return Picture(figure, _reading(one, mine, metric, column, titles, own), table, f"{metric}-over-input-size")


def _reading(
    row: MethodScores, mine: pd.DataFrame, metric: Metric, column: str, titles: Mapping[str, str], own: int
) -> str:
    where = f"averaged over {len(row.ood)} OOD datasets" if column == AVERAGE else f"on {titles[column]}"
    values = mine[metric]
    order = values.sort_values(ascending=metric == "fpr95").index.to_numpy(dtype=np.int64)
    best, worst = int(order[0]), int(order[-1])
    extreme = "lowest" if metric == "fpr95" else "highest"
    start = f"{METRIC_TITLES[metric]} of {row.title}, {where}, is {extreme} at {best} pixels ({percent(values[best])})"
    middle = ", the size of the study" if best == own else f"; at the study's {own} it is {percent(values[own])}"
    end = f", and {percent(values[worst])} at {worst}" if worst not in (best, own) else ""
    right = mine["id_accuracy"]
    if np.isfinite(right).all() and worst != own:
        end += f", where the network is right on {percent(right[worst])} of ID images, not {percent(right[own])}"
    return f"{start}{middle}{end}."
