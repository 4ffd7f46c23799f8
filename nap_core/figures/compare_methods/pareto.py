"""ID accuracy against detection: the cost of methods that change the logits (Figure 6 of the NAP paper)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.optimize import isotonic_regression

from nap_core import methods
from nap_core.analysis.comparison import pareto_front
from nap_core.figures.compare_methods.lines import WITH_NAP, method_colour
from nap_core.figures.layout import base_layout, legend, line, marks, note, share_axis
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.figures.text import join, percent

_LINE, _MARGINS = 15, 90  # pixels: a label, all that is not the plot
_SMALLEST = 420


def pareto_picture(results: pd.DataFrame) -> Picture | None:
    """A point a method: its ID accuracy, by its own logits, and its AUROC averaged over the OOD datasets.

    Args:
        results: Rows of ``evaluation.evaluate``: method, id_accuracy and auroc, as shares.

    Returns:
        The figure, Figure 6 of the NAP paper; its line joins the methods that no other method exceeds in both. None
        where the ID images have no labels.

    Raises:
        UserError: A method is not in the catalogue.
    """
    table = results.groupby("method", sort=False).agg(id_accuracy=("id_accuracy", "first"), auroc=("auroc", "mean"))
    if table["id_accuracy"].isna().any():
        return None
    x, y = table["id_accuracy"].to_numpy(), table["auroc"].to_numpy()
    table["front"] = pareto_front(x, y)
    titles = np.array([methods.title(spec) for spec in table.index])
    colours = np.array([method_colour(spec) for spec in table.index])
    front = table[table["front"]].sort_values(["id_accuracy", "auroc"])
    traces = [line(front["id_accuracy"], front["auroc"], NEUTRAL, 2, "Pareto front", dash="4px,3px")]
    hover = "<b>%{text}</b><br>ID accuracy %{x:.1%}<br>average AUROC %{y:.1%}<extra></extra>"
    for name, colour in (("with NAP", WITH_NAP), ("without", NEUTRAL)):
        part = colours == colour
        symbols = ["diamond" if on else "circle" for on in table["front"][part]]
        marker = {"color": colour, "size": 11, "symbol": symbols, "line": {"width": 1, "color": NEUTRAL}}
        traces.append(marks(x[part], y[part], marker, name, hover, text=titles[part].tolist()))
    height = max(_SMALLEST, _MARGINS + _LINE * len(table))
    xaxis = share_axis("ID accuracy, by the method's own logits", zoom=True, range=_room(x, 0.12, 0.45))
    yaxis = share_axis("AUROC, average", zoom=True, range=_room(y, 0.06, 0.06), automargin=True)
    layout = base_layout(height, (40, 10, 50, 10), dragmode="zoom", legend=legend())
    figure = go.Figure(traces, {**layout, "xaxis": {**xaxis, "tickformat": ".1%"}, "yaxis": yaxis})
    _labels(figure, x, y, titles.tolist(), table["front"].tolist(), height - _MARGINS)
    return Picture(figure, _reading(front, table), table.reset_index(), "accuracy-and-auroc")


def _room(values: np.ndarray, before: float, after: float) -> list[float]:
    """A range with room for the labels on the right of the points."""
    low, high = float(values.min()), float(values.max())
    span = max(high - low, 0.02)
    return [low - before * span, high + after * span]


def _labels(
    figure: go.Figure, x: np.ndarray, y: np.ndarray, titles: Sequence[str], front: Sequence[bool], plot: int
) -> None:
    """A label right of each point, moved up or down where the one below it would be covered."""
    bottom, top = _room(y, 0.06, 0.06)
    span = max(float(x.max() - x.min()), 0.02)
    spots = (y - bottom) / (top - bottom) * plot
    columns = np.round((x - x.min()) / span / 0.12)  # points this close to one another share a column of labels
    for column in np.unique(columns):
        members = np.flatnonzero(columns == column)
        members = members[np.argsort(spots[members], kind="stable")]
        wanted = _spread(spots[members], plot)
        for member, spot in zip(members.tolist(), wanted, strict=True):
            text = f"<b>{titles[member]}</b>" if front[member] else titles[member]
            arrow = {"showarrow": True, "arrowhead": 0, "arrowwidth": 1, "arrowcolor": NEUTRAL, "standoff": 6}
            move = {"ax": 22, "ay": float(spots[member] - spot), "xanchor": "left"}
            figure.add_annotation({**note(text, x[member], y[member], 11), **arrow, **move})


def _spread(spots: np.ndarray, plot: int) -> np.ndarray:
    """Ascending pixel positions moved as little as it takes for neighbours to be a line apart, within the plot."""
    steps = _LINE * np.arange(len(spots))
    # The least squares of the moves under a least distance are an isotonic regression once the distances are taken off.
    return np.clip(isotonic_regression(spots - steps).x, 0, max(0, plot - 4 - steps[-1])) + steps


def _reading(front: pd.DataFrame, table: pd.DataFrame) -> str:
    best = front.sort_values("auroc").iloc[-1]
    name = methods.title(str(best.name))
    accuracy = percent(best["id_accuracy"])
    sentence = f"{name} has the highest average AUROC, {percent(best['auroc'])}, at an ID accuracy of {accuracy}"
    highest = table["id_accuracy"].max()
    if len(front) == 1:
        return f"{sentence}, and no method exceeds it in either."
    others = [
        f"{methods.title(str(spec))} ({percent(row['auroc'])} at {percent(row['id_accuracy'])})"
        for spec, row in front.sort_values("auroc", ascending=False).iloc[1:].iterrows()
    ]
    cost = f"{100 * (highest - best['id_accuracy']):.1f} points below the highest"
    return f"{sentence}, {cost}; on the front with it: {join(others)}."
