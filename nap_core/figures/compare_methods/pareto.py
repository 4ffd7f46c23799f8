"""ID accuracy against detection: what a method that changes the logits pays for it (Figure 6 of the NAP paper)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from sklearn.isotonic import isotonic_regression

from nap_core import methods
from nap_core.analysis.comparison import pareto_front
from nap_core.figures.compare_methods.lines import WITH_NAP
from nap_core.figures.compare_methods.words import join
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent

_LINE, _MARGINS = 15, 90  # pixels: a label, all that is not the plot
_SMALLEST = 420


def pareto_picture(results: pd.DataFrame) -> Picture | None:
    """A point a method: its ID accuracy, by its own logits, and its AUROC averaged over the OOD datasets.

    ``results`` are the rows of ``evaluation.evaluate``. The line joins the methods that no other beats in both. None
    where the classes of the ID images are not known.
    """
    table = results.groupby("method", sort=False).agg(id_accuracy=("id_accuracy", "first"), auroc=("auroc", "mean"))
    if table["id_accuracy"].isna().any():
        return None
    x, y = table["id_accuracy"].to_numpy(), table["auroc"].to_numpy()
    table["front"] = pareto_front(x, y)
    titles = [methods.title(spec) for spec in table.index]
    with_nap = [methods.parse(spec).records[0].name == "nap" for spec in table.index]
    figure = go.Figure()
    front = table[table["front"]].sort_values(["id_accuracy", "auroc"])
    figure.add_scatter(
        x=front["id_accuracy"],
        y=front["auroc"],
        mode="lines",
        line={"color": NEUTRAL, "width": 2, "dash": "4px,3px"},
        name="Pareto front",
        hoverinfo="skip",
    )
    for name, kind, colour in (("with NAP", True, WITH_NAP), ("without", False, NEUTRAL)):
        chosen = np.array(with_nap) == kind
        figure.add_scatter(
            x=x[chosen],
            y=y[chosen],
            mode="markers",
            name=name,
            marker={
                "color": colour,
                "size": 11,
                "symbol": ["diamond" if on else "circle" for on in table["front"][chosen]],
                "line": {"width": 1, "color": NEUTRAL},
            },
            text=[title for title, of_kind in zip(titles, chosen, strict=True) if of_kind],
            hovertemplate="<b>%{text}</b><br>ID accuracy %{x:.1%}<br>average AUROC %{y:.1%}<extra></extra>",
        )
    height = max(_SMALLEST, _MARGINS + _LINE * len(table))
    _labels(figure, x, y, titles, table["front"].tolist(), height - _MARGINS)
    figure.update_xaxes(title="ID accuracy, by the method's own logits", tickformat=".1%", range=_room(x, 0.12, 0.45))
    figure.update_yaxes(title="AUROC, average", tickformat=".0%", range=_room(y, 0.06, 0.06), automargin=True)
    figure.update_layout(
        height=height,
        margin={"t": 40, "b": 50, "l": 10, "r": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        hovermode="closest",
    )
    numbers = table.reset_index()
    return Picture(figure, _reading(front, table), numbers, "accuracy-and-auroc")


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
            figure.add_annotation(
                x=x[member],
                y=y[member],
                text=f"<b>{titles[member]}</b>" if front[member] else titles[member],
                showarrow=True,
                arrowhead=0,
                arrowwidth=1,
                arrowcolor=NEUTRAL,
                standoff=6,
                ax=22,
                ay=float(spots[member] - spot),
                xanchor="left",
                font={"size": 11},
            )


def _spread(spots: np.ndarray, plot: int) -> np.ndarray:
    """Ascending pixel positions moved as little as it takes for neighbours to be a line apart, within the plot."""
    steps = _LINE * np.arange(len(spots))
    # The least squares of the moves under a least distance are an isotonic regression once the distances are taken off.
    free = isotonic_regression(spots - steps)
    return np.clip(free, 0, max(0, plot - 4 - steps[-1])) + steps


def _reading(front: pd.DataFrame, table: pd.DataFrame) -> str:
    best = front.sort_values("auroc").iloc[-1]
    name = methods.title(str(best.name))
    sentence = (
        f"{name} has the highest average AUROC, {percent(best['auroc'])}, at an ID accuracy of "
        f"{percent(best['id_accuracy'])}"
    )
    highest = table["id_accuracy"].max()
    if len(front) == 1:
        return f"{sentence}, and no method beats it in either."
    others = [
        f"{methods.title(str(spec))} ({percent(row['auroc'])} at {percent(row['id_accuracy'])})"
        for spec, row in front.sort_values("auroc", ascending=False).iloc[1:].iterrows()
    ]
    cost = f"{100 * (highest - best['id_accuracy']):.1f} points below the highest"
    return f"{sentence}, {cost}; on the front with it: {join(others)}."
