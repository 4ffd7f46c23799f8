"""Which methods put the images in the same order: Spearman's rank correlation as a matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from nap_core import methods
from nap_core.analysis.comparison import rank_correlation
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.picture import Picture

# From opposite orders over none to the same; every colour carries LETTERS with a contrast of at least 4.5 : 1.
OPPOSITE, NONE, SAME, LETTERS = "#8a4b08", "#69707d", "#6d28d9", "#f7f9fb"
_CELL, _HEAD = 30, 120
_WRITTEN = 14  # more methods than this leave no room for a number in each cell


def correlation_picture(rows: Sequence[MethodScores]) -> Picture | None:
    """A cell a pair of methods: violet where they order all images alike, brown where in opposite ways.

    None for fewer than two methods.
    """
    if len(rows) < 2:
        return None
    found = rank_correlation(rows)
    values = found.to_numpy()
    titles = [methods.title(spec) for spec in found.index]
    written = len(rows) <= _WRITTEN
    figure = go.Figure()
    figure.add_heatmap(
        z=values,
        zmin=-1,
        zmax=1,
        colorscale=[[0, OPPOSITE], [0.5, NONE], [1, SAME]],
        showscale=not written,
        colorbar={"thickness": 12, "tickvals": [-1, 0, 1]},
        text=[[_number(value) for value in line] for line in values],
        texttemplate="%{text}" if written else None,
        textfont={"size": 11, "color": LETTERS},
        customdata=[[[one, other] for other in titles] for one in titles],
        hovertemplate="%{customdata[0]} and %{customdata[1]}: %{text}<extra></extra>",
        xgap=1,
        ygap=1,
    )
    positions = list(range(len(titles)))
    figure.update_xaxes(
        tickvals=positions, ticktext=titles, side="top", tickangle=-60 if written else -90, fixedrange=True
    )
    figure.update_yaxes(
        tickvals=positions, ticktext=titles, range=[len(titles) - 0.5, -0.5], fixedrange=True, automargin=True
    )
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(showgrid=False, zeroline=False, ticks="", tickfont={"size": 11 if written else 9}, automargin=True)
    figure.update_layout(
        height=_HEAD + max(_CELL if written else 18, 320 // len(rows)) * len(rows),
        margin={"t": 10, "b": 10, "l": 10, "r": 10},
        dragmode=False,
    )
    table = found.rename_axis("method").reset_index()
    return Picture(figure, _reading(values, titles, len(rows[0].id) + len(rows[0].pooled)), table, "rank-correlation")


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}".replace("-", "−")


def _reading(values: np.ndarray, titles: Sequence[str], images: int) -> str:
    pairs = [(i, j) for i in range(len(titles)) for j in range(i) if not np.isnan(values[i, j])]
    if not pairs:
        return "No two methods can be compared: they give all images the same score."
    alike, apart = max(pairs, key=lambda pair: values[pair]), min(pairs, key=lambda pair: values[pair])
    first = f"{titles[alike[1]]} and {titles[alike[0]]}"
    if len(pairs) == 1:
        return f"Over {images:,} images, {first} have a rank correlation of {_number(values[alike])}."
    second = f"{titles[apart[1]]} and {titles[apart[0]]}"
    return (
        f"Over {images:,} images, {first} order them most alike (rank correlation {_number(values[alike])}), "
        f"{second} least ({_number(values[apart])})."
    )
