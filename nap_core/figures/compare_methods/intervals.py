"""Bootstrap intervals of one column of the table, a line a method, the best first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go

from nap_core import methods
from nap_core.analysis import bootstrap
from nap_core.figures.compare_methods.lines import method_colour
from nap_core.figures.layout import base_layout, categories, line, marks, share_axis
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.figures.text import column_title, join, percent
from nap_core.metrics import METRIC_TITLES

if TYPE_CHECKING:
    from nap_core.analysis.comparison import Scoreboard

_LINE, _REST = 24, 80  # pixels: a method, all that is not the plot
_NAMED = 4


def interval_picture(board: Scoreboard, intervals: pd.DataFrame, column: str, titles: Mapping[str, str]) -> Picture:
    """The value of every method in a column with its 95 % interval; the band is the interval of the best.

    Args:
        board: The results table of one metric, as shares.
        intervals: The bounds, as ``bootstrap.intervals`` gives them, of every method of ``board``.
        column: An OOD dataset or ``AVERAGE``.
        titles: Catalogue name → title of the datasets.

    Returns:
        The figure, the best method on top; methods that hold NAP are violet. Its table holds one row a method, shares.

    Raises:
        ValueError: ``board`` has no such column.
        KeyError: A method has no interval in this column.
        UserError: A method is not in the catalogue.
    """
    ranked = board.sorted_by(column)
    rows = intervals[intervals["ood"] == column].set_index("method").loc[list(ranked.methods)]
    low, high = rows[f"{board.metric}_low"], rows[f"{board.metric}_high"]
    values = pd.Series({name: ranked.value(name, column) for name in ranked.methods})
    names = [methods.title(name) for name in ranked.methods]
    colours = [method_colour(name) for name in ranked.methods]
    figure = go.Figure([line([low.iloc[at], high.iloc[at]], [at, at], hue, 3) for at, hue in enumerate(colours)])
    figure.add_vrect(x0=low.iloc[0], x1=high.iloc[0], fillcolor=NEUTRAL, opacity=0.15, line_width=0)
    metric, where = METRIC_TITLES[board.metric], column_title(column, titles, "average")
    hover = (
        f"<b>%{{customdata[0]}}</b><br>{metric} %{{x:.1%}}<br>%{{customdata[1]}} to %{{customdata[2]}}<extra></extra>"
    )
    dots = marks(values, list(range(len(names))), {"color": colours, "size": 10}, None, hover)
    bounds = [[name, percent(a), percent(b)] for name, a, b in zip(names, low, high, strict=True)]
    figure.add_trace({**dots, "customdata": bounds})
    sides = categories(names, zoom=True, showgrid=False, zeroline=False, automargin=True, ticksuffix=" ")
    xaxis = share_axis(f"{metric}, {where}", zoom=True)
    height = _REST + _LINE * max(len(names), 3)
    figure.update_layout(base_layout(height, (10, 10, 50, 10), dragmode="zoom", xaxis=xaxis, yaxis=sides))
    bars = {board.metric: values.to_numpy(), "low": low.to_numpy(), "high": high.to_numpy()}
    table = pd.DataFrame({"method": list(ranked.methods), "ood": column, **bars})
    return Picture(figure, _reading(metric, names, low, high, where), table, "bootstrap-intervals")


def _reading(metric: str, names: list[str], low: pd.Series, high: pd.Series, where: str) -> str:
    """The interval of the best method, and which other intervals overlap it."""
    sentence = (
        f"In 95\xa0% of {bootstrap.RESAMPLES:,} resamples of the images, {metric} of {names[0]} "
        f"({where}) lies between {percent(low.iloc[0])} and {percent(high.iloc[0])}"
    )
    if len(names) == 1:
        return f"{sentence}."
    bounds = zip(names[1:], low.iloc[1:], high.iloc[1:], strict=True)
    touching = [name for name, start, end in bounds if start <= high.iloc[0] and end >= low.iloc[0]]
    if not touching:
        return f"{sentence}, and no other method's interval overlaps it."
    who = join(touching) if len(touching) <= _NAMED else f"{len(touching)} of {len(names) - 1} other methods"
    one = len(touching) == 1
    return f"{sentence}; the interval{'' if one else 's'} of {who} overlap{'s' if one else ''} it."
