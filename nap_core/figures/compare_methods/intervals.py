"""Bootstrap intervals of one column of the table, a line a method, the best first."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from nap_core import methods
from nap_core.analysis import bootstrap
from nap_core.analysis.comparison import AVERAGE, Scoreboard
from nap_core.figures.compare_methods.lines import WITH_NAP
from nap_core.figures.compare_methods.words import join
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent
from nap_core.metrics import METRIC_TITLES

_LINE, _REST = 24, 80  # pixels: a method, all that is not the plot
_NAMED = 4


def interval_picture(board: Scoreboard, intervals: pd.DataFrame, column: str, titles: Mapping[str, str]) -> Picture:
    """The value of every method in ``column`` with its 95 % interval; ``intervals`` as ``bootstrap.intervals`` gives.

    Violet methods hold NAP; the band is the interval of the best.
    """
    ranked = board.sorted_by(column)
    rows = intervals[intervals["ood"] == column].set_index("method").loc[list(ranked.methods)]
    low, high = rows[f"{board.metric}_low"], rows[f"{board.metric}_high"]
    values = pd.Series({name: ranked.value(name, column) for name in ranked.methods})
    names = [methods.title(name) for name in ranked.methods]
    colours = [WITH_NAP if methods.parse(name).records[0].name == "nap" else NEUTRAL for name in ranked.methods]
    figure = go.Figure()
    figure.add_vrect(x0=low.iloc[0], x1=high.iloc[0], fillcolor=NEUTRAL, opacity=0.15, line_width=0)
    for position, colour in enumerate(colours):
        figure.add_scatter(
            x=[low.iloc[position], high.iloc[position]],
            y=[position, position],
            mode="lines",
            line={"color": colour, "width": 3},
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_scatter(
        x=values,
        y=list(range(len(names))),
        mode="markers",
        marker={"color": colours, "size": 10},
        customdata=[[name, percent(a), percent(b)] for name, a, b in zip(names, low, high, strict=True)],
        hovertemplate=f"<b>%{{customdata[0]}}</b><br>{METRIC_TITLES[board.metric]} %{{x:.1%}}"
        "<br>%{customdata[1]} to %{customdata[2]}<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title=f"{METRIC_TITLES[board.metric]}, {_where(column, titles)}", tickformat=".0%")
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=names,
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        automargin=True,
        ticksuffix=" ",
    )
    figure.update_layout(
        height=_REST + _LINE * max(len(names), 3), margin={"t": 10, "b": 50, "l": 10, "r": 10}, hovermode="closest"
    )
    table = pd.DataFrame(
        {"method": list(ranked.methods), "ood": column, board.metric: values.to_numpy(), "low": low.to_numpy()}
    )
    table["high"] = high.to_numpy()
    reading = _reading(board, names, values, low, high, _where(column, titles))
    return Picture(figure, reading, table, "bootstrap-intervals")


def _where(column: str, titles: Mapping[str, str]) -> str:
    return "average" if column == AVERAGE else titles[column]


def _reading(
    board: Scoreboard, names: list[str], values: pd.Series, low: pd.Series, high: pd.Series, where: str
) -> str:
    """What the best one's interval is, and whose reach into it."""
    sentence = (
        f"In 95\xa0% of {bootstrap.RESAMPLES:,} resamples of the images, {METRIC_TITLES[board.metric]} of {names[0]} "
        f"({where}) lies between {percent(low.iloc[0])} and {percent(high.iloc[0])}"
    )
    if len(names) == 1:
        return f"{sentence}."
    touching = [
        name
        for name, start, end in zip(names[1:], low.iloc[1:], high.iloc[1:], strict=True)
        if start <= high.iloc[0] and end >= low.iloc[0]
    ]
    if not touching:
        return f"{sentence}, and no other method's interval reaches into it."
    who = join(touching) if len(touching) <= _NAMED else f"{len(touching)} of {len(names) - 1} other methods"
    one = len(touching) == 1
    return f"{sentence}; the interval{'' if one else 's'} of {who} reach{'es' if one else ''} into it."
