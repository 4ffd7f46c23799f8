"""Spearman's rank correlation of the methods' scores as a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from nap_core import methods
from nap_core.analysis.comparison import rank_correlation
from nap_core.figures.layout import Style, axis, base_layout, categories, cells
from nap_core.figures.picture import Picture
from nap_core.figures.text import signed

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores

# From opposite orders over none to the same; every colour carries LETTERS with a contrast of at least 4.5 : 1.
OPPOSITE, NONE, SAME, LETTERS = "#8a4b08", "#69707d", "#6d28d9", "#f7f9fb"
_CELL, _HEAD = 30, 120
_WRITTEN = 14  # more methods than this leave no room for a number in each cell


def correlation_picture(rows: Sequence[MethodScores]) -> Picture | None:
    """A cell a pair of methods: violet where they order all images alike, brown where in opposite ways.

    Args:
        rows: The scores of M methods on the same images.

    Returns:
        The (M, M) matrix of Spearman's ρ, -1 to 1; None for fewer than two methods.

    Raises:
        UserError: A method is not in the catalogue.
    """
    if len(rows) < 2:
        return None
    matrix = rank_correlation(rows)
    values = matrix.to_numpy()
    titles = [methods.title(spec) for spec in matrix.index]
    written = len(rows) <= _WRITTEN
    text = [[signed(value) for value in one] for one in values]
    heat = cells(values, (OPPOSITE, NONE, SAME), text, {"size": 11, "color": LETTERS}, zmin=-1, xgap=1, ygap=1)
    heat |= {"customdata": [[[one, other] for other in titles] for one in titles], "showscale": not written}
    heat |= {"colorbar": {"thickness": 12, "tickvals": [-1, 0, 1]}, "texttemplate": "%{text}" if written else None}
    heat["hovertemplate"] = "%{customdata[0]} and %{customdata[1]}: %{text}<extra></extra>"
    letters: Style = {"showgrid": False, "ticks": "", "tickfont": {"size": 11 if written else 9}, "automargin": True}
    top: Style = {"tickvals": list(range(len(titles))), "ticktext": titles, "side": "top"}
    height = _HEAD + max(_CELL if written else 18, 320 // len(rows)) * len(rows)
    xaxis = axis(**top, tickangle=-60 if written else -90, **letters)
    layout = base_layout(height, (10, 10, 10, 10), xaxis=xaxis, yaxis=categories(titles, **letters))
    table = matrix.rename_axis("method").reset_index()
    caption = _reading(values, titles, len(rows[0].id) + len(rows[0].pooled))
    return Picture(go.Figure([heat], layout), caption, table, "rank-correlation")


def _reading(values: np.ndarray, titles: Sequence[str], images: int) -> str:
    pairs = [(i, j) for i in range(len(titles)) for j in range(i) if not np.isnan(values[i, j])]
    if not pairs:
        return "No two methods can be compared: they give all images the same score."
    alike, apart = max(pairs, key=lambda pair: values[pair]), min(pairs, key=lambda pair: values[pair])
    first, second = (f"{titles[pair[1]]} and {titles[pair[0]]}" for pair in (alike, apart))
    if len(pairs) == 1:
        return f"Over {images:,} images, {first} have a rank correlation of {signed(values[alike])}."
    return (
        f"Over {images:,} images, {first} order them most alike (rank correlation {signed(values[alike])}), "
        f"{second} least ({signed(values[apart])})."
    )
