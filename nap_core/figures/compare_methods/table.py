"""The results table, methods × OOD datasets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core import methods
from nap_core.analysis.comparison import AVERAGE, BEST, SECOND, Scoreboard
from nap_core.figures.layout import Style, axis, base_layout, categories, cells, marks
from nap_core.figures.picture import Picture
from nap_core.figures.score_histograms import label
from nap_core.figures.text import EXTREME, column_title, counted, join, percent
from nap_core.metrics import METRIC_TITLES

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores

# Cells keep their colours in both themes: the letters have a contrast of at least 4.5 : 1 on every one.
POOR, GOOD, LETTERS = "#69707d", "#00694a", "#f7f9fb"

BELOW = "▼"
"""What marks a method below chance, beside its name."""
_ROW, _LOW, _HEAD, _FOOT = 38, 28, 64, 8  # pixels: a row, one of many, the names above, the margin below
_MANY = 12  # more rows than this are drawn lower
_NAME, _LETTER, _CELL = 90, 6.5, 44  # the widths at which the names beside and above the cells fit


def least_width(board: Scoreboard) -> int:
    """The width below which neighbouring names of the table would run into each other.

    Args:
        board: The results table, with at least one method.

    Returns:
        The width in pixels.

    Raises:
        UserError: A method is not in the catalogue.
    """
    longest = max(len(methods.title(name)) for name in board.methods)
    return int(max(_NAME, 24 + _LETTER * longest)) + _CELL * len(board.columns)


def heat_table(
    board: Scoreboard,
    rows: Sequence[MethodScores],
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    opened: tuple[str, str],
    intervals: pd.DataFrame | None = None,
    below: Collection[str] = (),
) -> Picture:
    """Methods × OOD datasets: the greener a cell the better, bold the best of a column, underlined the second best.

    Args:
        board: The results table of one metric, as shares.
        rows: The scores of every method of ``board``.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the OOD datasets.
        opened: The (method, column) that gets a frame; none for a method that is not in ``board``.
        intervals: The columns of ``bootstrap.intervals`` for every cell, shown on hover; None shows none.
        below: The methods that lie below chance, which are marked.

    Returns:
        The figure; each cell is a selectable point with customdata [method, column, …]. Its table holds one row a cell.

    Raises:
        ValueError: The method of ``opened`` is in ``board``, its column is not.
        IndexError: ``intervals`` lacks a cell of ``board``.
        UserError: A method is not in the catalogue.
    """
    labels = {row.method: label(row) for row in rows}
    plain = {row.method: row.title for row in rows}
    heads, sides = (
        [_head(name, titles, colours) for name in board.columns],
        [(f"{BELOW} " if name in below else "") + plain[name] for name in board.methods],
    )
    goodness = 1 - board.values if board.metric == "fpr95" else np.clip(2 * board.values - 1, 0, 1)
    height = _ROW if len(sides) <= _MANY else _LOW
    text = [[_cell(board, row, column) for column in range(len(heads))] for row in range(len(sides))]
    heat = cells(goodness, (POOR, GOOD), text, {"size": 14, "color": LETTERS}, hoverinfo="skip", xgap=2, ygap=2)
    hover = f"%{{customdata[2]}} · %{{customdata[3]}}<br>{METRIC_TITLES[board.metric]} %{{customdata[4]}}"
    unseen: Style = {"marker": {"opacity": 0}}
    x, y = np.tile(np.arange(len(heads)), len(sides)), np.repeat(np.arange(len(sides)), len(heads))
    square = {"size": height, "symbol": "square", "opacity": 0}
    # A heatmap gives no selection events: an invisible mark in each cell takes the clicks.
    points = marks(x, y, square, None, f"{hover}%{{customdata[5]}}<extra></extra>", selected=unseen, unselected=unseen)
    points["customdata"] = [
        [
            method,
            column,
            labels[method],
            column_title(column, titles, "average"),
            percent(board.value(method, column)),
            _words(place) + _interval(board, method, column, intervals) + _chance(method, below),
        ]
        for method, places in zip(board.methods, board.places, strict=True)
        for column, place in zip(board.columns, places, strict=True)
    ]
    flat: Style = {"showgrid": False, "ticks": ""}
    top: Style = {"tickvals": list(range(len(heads))), "ticktext": heads, "side": "top", "tickangle": 0}
    xaxis = axis(**top, range=[-0.5, len(heads) - 0.5], tickfont={"size": 11}, **flat)
    yaxis = categories(sides, ticksuffix=" ", automargin=True, tickfont={"size": 12}, **flat)
    layout = base_layout(_HEAD + height * len(sides) + _FOOT, (_HEAD, 10, _FOOT, 10), xaxis=xaxis, yaxis=yaxis)
    # A cell is wider than its mark: the nearest mark is hovered, at any distance.
    figure = go.Figure([heat, points], {**layout, "hoverdistance": -1, "clickmode": "event+select"})
    if opened[0] in board.methods:
        _frame(figure, board.methods.index(opened[0]), board.columns.index(opened[1]))
    return Picture(figure, _reading(board, plain, titles), _numbers(board, rows), f"methods-{board.metric}")


def caption(results: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """The numbers of images behind the results table, the ID accuracy and the meaning of the cells.

    Args:
        results: Rows of ``evaluation.evaluate``, at least one; the ID accuracy is that of the first row.
        titles: Catalogue name → title of the datasets.

    Returns:
        A few sentences, the accuracy in percent; without it where the ID images have no labels.
    """
    first = results.iloc[0]
    sizes = dict(zip(results["ood"], results["n_ood"], strict=True))
    if len(set(sizes.values())) == 1:
        ood = f"{first['n_ood']:,} of {'the' if len(sizes) == 1 else 'each'} OOD dataset"
    else:
        ood = "; ".join(f"{size:,} of {titles[name]}" for name, size in sizes.items())
    images = f"{counted(first['n_id'], 'image')} of {titles[first['id']]}"
    doubt = ", near chance or far from the network's record" if first["accuracy_warning"] else ""
    accuracy = "" if np.isnan(first["id_accuracy"]) else f" (accuracy {percent(first['id_accuracy'])}{doubt})"
    return (
        f"{images}{accuracy} against {ood}. In percent: the greener a cell, the better; bold is the best of its "
        "column, underlined the second best. A click on a cell opens it below."
    )


def remarks(results: pd.DataFrame) -> list[str]:
    """A sentence for each method below chance, and one for all other defaults that were published for another network;
    from rows of ``evaluation.evaluate``."""
    first = results.drop_duplicates("method")
    said = [f"{BELOW} {sentence}" for sentence in first["below_chance"] if sentence]
    rest = first[(first["below_chance"] == "") & (first["parameters_origin"] != "")]
    foreign = [
        f"{methods.title(spec)} {origin}"
        for spec, origin in zip(rest["method"], rest["parameters_origin"], strict=True)
    ]
    return [*said, f"Defaults of another network: {'; '.join(foreign)}."] if foreign else said


def _head(column: str, titles: Mapping[str, str], colours: Mapping[str, str]) -> str:
    if column == AVERAGE:
        return "<b>Average</b>"
    name = titles[column].replace(" ", "<br>").replace("-", "-<br>")
    return f'<span style="color:{colours[column]}">■</span><br>{name}'


def _words(place: int) -> str:
    return {BEST: ", the best of this column", SECOND: ", the second best of this column"}.get(place, "")


def _chance(method: str, below: Collection[str]) -> str:
    return "<br>below chance on this study" if method in below else ""


def _interval(board: Scoreboard, method: str, column: str, intervals: pd.DataFrame | None) -> str:
    if intervals is None:
        return ""
    row = intervals[(intervals["method"] == method) & (intervals["ood"] == column)].iloc[0]
    low, high = row[f"{board.metric}_low"], row[f"{board.metric}_high"]
    return f"<br>95\xa0% interval: {percent(low)} to {percent(high)}"


def _cell(board: Scoreboard, row: int, column: int) -> str:
    text = f"{100 * board.values[row, column]:.1f}"
    if board.places[:, column].max() == BEST:  # a column in which all methods print alike
        return text
    return {BEST: f"<b>{text}</b>", SECOND: f"<u>{text}</u>"}.get(int(board.places[row, column]), text)


def _frame(figure: go.Figure, row: int, column: int) -> None:
    """Inside the cell, where it stands out in both themes."""
    x, y = 0.47, 0.42
    corners = {"x0": column - x, "x1": column + x, "y0": row - y, "y1": row + y}
    figure.add_shape(type="rect", **corners, line={"color": LETTERS, "width": 2})


def _numbers(board: Scoreboard, rows: Sequence[MethodScores]) -> pd.DataFrame:
    weights = {row.method: row.w for row in rows}
    return pd.DataFrame(
        {"method": method, "w": weights[method], "ood": column, board.metric: value, "place": place}
        for method, values, places in zip(board.methods, board.values, board.places, strict=True)
        for column, value, place in zip(board.columns, values, places, strict=True)
    )


def _reading(board: Scoreboard, names: Mapping[str, str], titles: Mapping[str, str]) -> str:
    metric, column = METRIC_TITLES[board.metric], board.columns[-1]
    where = "on average" if column == AVERAGE else f"on {titles[column]}"
    leaders, followers = board.leaders(column), board.leaders(column, SECOND)
    value = percent(board.value(leaders[0], column))
    if not followers:
        return f"Every method has {metric} {value} {where}."
    reading = (
        f"{join([names[name] for name in leaders])} {'has' if len(leaders) == 1 else 'share'} the "
        f"{EXTREME[board.metric]} {metric} {where}, {value}, before {join([names[name] for name in followers])} with "
        f"{percent(board.value(followers[0], column))}"
    )
    if column == AVERAGE and len(leaders) == 1:
        reading += _where_others_lead(board, leaders[0], names, titles)
    return f"{reading}."


def _where_others_lead(board: Scoreboard, leader: str, names: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """ "; it is the best on 3 of 5 OOD datasets, MSP on MNIST and Energy on Textures"."""
    behind: dict[tuple[str, ...], list[str]] = {}
    for name in board.datasets:
        if leader not in board.leaders(name):
            behind.setdefault(board.leaders(name), []).append(titles[name])
    if not behind:
        return ", and is the best on every OOD dataset"
    ahead = len(board.datasets) - sum(map(len, behind.values()))
    rivals = [f"{join([names[one] for one in leaders])} on {join(where)}" for leaders, where in behind.items()]
    return f"; it is the best on {ahead or 'none'} of {len(board.datasets)} OOD datasets, {join(rivals)}"
