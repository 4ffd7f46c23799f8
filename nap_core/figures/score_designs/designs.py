"""Table 6 of the NAP paper as a picture: each design alone and combined, a panel an OOD dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from nap_core import methods
from nap_core.comparison import AVERAGE, Metric
from nap_core.figures.compare_methods import METRIC_TITLES
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent

# Pixels.
ROW, HEADING, AXIS, TOP, LEFT, RIGHT = 44, 44, 34, 40, 84, 16
PANEL = 144  # the least width of a panel: six fit beside the sidebar of a laptop's screen
IN_A_ROW = 6  # panels
SMALL = 11  # font size


@dataclass(frozen=True)
class Board:
    """What ``designs.design_table`` found, and what its datasets are called.

    ``titles`` and ``colours`` are by catalogue name. ``baseline`` is the title of the method that the designs are
    combined with.
    """

    table: pd.DataFrame
    titles: Mapping[str, str]
    colours: Mapping[str, str]

    @property
    def baseline(self) -> str:
        return methods.title(str(self.table.loc[self.table["design"] == "", "method"].iloc[0]))

    @property
    def designs(self) -> list[str]:
        return [design for design in self.table["design"].unique() if design]

    @property
    def columns(self) -> list[str]:
        """The OOD datasets and, of several, their average."""
        return list(self.table["ood"].unique())

    def value(self, metric: str, design: str, ood: str, combined: bool = False) -> float:
        """A share; "" is the baseline."""
        rows = self.table
        found = rows[(rows["design"] == design) & (rows["combined"] == combined) & (rows["ood"] == ood)]
        return float(found[metric].iloc[0])

    def best(self, metric: Metric, ood: str, combined: bool) -> list[str]:
        """The designs with the lowest FPR95 or the highest AUROC on ``ood``, several where they print alike."""
        pick = min if metric == "fpr95" else max
        values = {design: round(100 * self.value(metric, design, ood, combined), 1) for design in self.designs}
        return [design for design, value in values.items() if value == pick(values.values())]

    def title(self, ood: str) -> str:
        return "Average" if ood == AVERAGE else self.titles[ood]

    def colour(self, ood: str) -> str:
        return NEUTRAL if ood == AVERAGE else self.colours[ood]

    def called(self, design: str, combined: bool) -> str:
        """ "Minus+Energy", "S_NAP"."""
        title = methods.title(design)
        return f"{title}+{self.baseline}" if combined else title


def least_width(board: Board) -> int:
    """The width in pixels below which what is written in neighbouring panels would meet."""
    columns = min(len(board.columns), IN_A_ROW)
    return LEFT + RIGHT + columns * PANEL if columns > 1 else 0


def design_picture(board: Board, metric: Metric) -> Picture:
    """A panel an OOD dataset and their average: a row a design, the ring alone, the dot combined, upright the baseline.

    All panels share one scale.
    """
    names, designs = board.columns, board.designs
    rows = math.ceil(len(names) / IN_A_ROW)
    columns = math.ceil(len(names) / rows)
    inner = rows * ROW * len(designs) + (rows - 1) * (HEADING + AXIS)
    figure = make_subplots(
        rows, columns, shared_yaxes=True, horizontal_spacing=0.1 / columns, vertical_spacing=(HEADING + AXIS) / inner
    )
    span = _span(board, metric)
    for position, name in enumerate(names):
        place = {"row": position // columns + 1, "col": position % columns + 1}
        _panel(figure, board, metric, name, place)
        figure.update_xaxes(
            range=span,
            tickformat=".0%",
            nticks=4,
            tickangle=0,
            tickfont={"size": SMALL},
            zeroline=False,
            fixedrange=True,
            **place,
        )
    for row in range(1, rows + 1):
        words = [f"<b>{methods.title(one)}</b>" if one == "nap" else methods.title(one) for one in designs]
        figure.update_yaxes(tickvals=list(range(len(designs))), ticktext=words, showticklabels=True, row=row, col=1)
    figure.update_yaxes(range=[len(designs) - 0.5, -0.5], showgrid=False, zeroline=False, fixedrange=True)
    _legend(figure, board)
    figure.update_layout(
        height=inner + TOP + HEADING + AXIS,
        margin={"t": TOP + HEADING, "b": AXIS, "l": LEFT, "r": RIGHT},
        hovermode="closest",
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1 + (HEADING + 4) / inner,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
        },
    )
    return Picture(figure, _reading(board, metric), board.table, f"designs-{metric}")


def _span(board: Board, metric: Metric) -> list[float]:
    """The range of every panel, with room for what is written above the outermost marks."""
    values = board.table[metric]
    low, high = float(values.min()), float(values.max())
    low = 0.0 if metric == "fpr95" else low
    room = 0.09 * max(high - low, 0.05)
    return [low - room, high + room]


def _panel(figure: go.Figure, board: Board, metric: Metric, name: str, place: Mapping[str, int]) -> None:
    hue, rows = board.colour(name), list(range(len(board.designs)))
    baseline = board.value(metric, "", name)
    alone = [board.value(metric, design, name, False) for design in board.designs]
    both = [board.value(metric, design, name, True) for design in board.designs]
    for row, ends in enumerate(zip(alone, both, strict=True)):
        line = go.Scatter(
            x=ends, y=[row, row], mode="lines", line={"color": hue, "width": 1.5}, opacity=0.5, hoverinfo="skip"
        )
        figure.add_trace(line.update(showlegend=False), **place)
    # A piece of a line for every row, with a gap where the row's number stands.
    pieces = go.Scatter(
        x=[baseline, baseline, None] * len(rows),
        y=[end for row in rows for end in (row - 0.14, row + 0.46, None)],
        mode="lines",
        line={"color": NEUTRAL, "width": 1.75},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_trace(pieces, **place)
    best = board.best(metric, name, True)
    for values, combined in ((alone, False), (both, True)):
        words = [
            f"{board.called(design, combined)}: {METRIC_TITLES[metric]} {percent(value)}, "
            f"{points(value - baseline)} points from {board.baseline}"
            for design, value in zip(board.designs, values, strict=True)
        ]
        numbers = [
            f"<b>{100 * value:.1f}</b>" if design in best else f"{100 * value:.1f}"
            for design, value in zip(board.designs, values, strict=True)
        ]
        marks = go.Scatter(
            x=values,
            y=rows,
            mode="markers+text" if combined else "markers",
            text=numbers if combined else None,
            textposition="top center",
            textfont={"size": SMALL},
            marker={
                "color": hue,
                "size": 11,
                "symbol": "circle" if combined else "circle-open",
                "line": {"width": 2 if not combined else 0, "color": hue},
            },
            hovertext=words,
            hovertemplate="%{hovertext}<extra></extra>",
            showlegend=False,
            cliponaxis=False,
        )
        figure.add_trace(marks, **place)
    head = {"xref": "x domain", "yref": "y domain", "y": 1, "yanchor": "bottom", "showarrow": False, "x": 0}
    figure.add_annotation(
        text=f"<span style='color:{hue}'>■</span> <b>{board.title(name)}</b>"
        f"<br>{board.baseline} alone {100 * baseline:.1f}",
        xanchor="left",
        align="left",
        yshift=4,
        font={"size": 12},
        **head,
        **place,
    )


def _legend(figure: go.Figure, board: Board) -> None:
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("alone", {"mode": "markers", "marker": {"symbol": "circle-open", "size": 11, "line": {"width": 2}}}),
        (f"with {board.baseline}", {"mode": "markers", "marker": {"symbol": "circle", "size": 11}}),
        (f"{board.baseline} alone", {"mode": "lines", "line": {"width": 1.75, "color": NEUTRAL}}),
    ]
    for name, look in kinds:
        if "marker" in look:
            look["marker"]["color"] = NEUTRAL
        figure.add_trace(go.Scatter(x=[None], y=[None], name=name, **look), row=1, col=1)


def points(change: float) -> str:
    """A difference of shares in percentage points, with its sign: "−12.8"."""
    text = f"{100 * change:+.1f}"
    return "±0.0" if float(text) == 0 else text.replace("-", "−")


def _reading(board: Board, metric: Metric) -> str:
    """The design that is best combined, on how many datasets, beside the baseline; and the best one alone."""
    names = [name for name in board.columns if name != AVERAGE]
    overall = board.columns[-1]
    extreme = "lowest" if metric == "fpr95" else "highest"
    leader = _leader(board, metric, overall, combined=True)
    value = percent(board.value(metric, leader, overall, True))
    base = f"{board.baseline} alone has {percent(board.value(metric, '', overall))}"
    alone = _leader(board, metric, overall, combined=False)
    last = f"of the designs alone, {methods.title(alone)} has the {extreme}: " + percent(
        board.value(metric, alone, overall, False)
    )
    what = (
        f"{board.called(leader, True)} has the {extreme} {METRIC_TITLES[metric]} of the {_number(len(board.designs))}"
    )
    if len(names) == 1:
        return f"{what} on {board.titles[names[0]]}, {value}, where {base}; {last}."
    others = [name for name in names if leader not in board.best(metric, name, True)]
    won = len(names) - len(others)
    if won == 0:
        where = f"on average, {value}, though on none of the {len(names)} OOD datasets"
    else:
        where = f"on {_count(won, len(names))} and on average, {value}"
        if others:
            where += f" ({_exceptions(board, metric, others)})"
    return f"{what} {where}; {base}, and {last}."


def _leader(board: Board, metric: Metric, ood: str, combined: bool) -> str:
    """The best design; S_NAP among equals."""
    return board.best(metric, ood, combined)[-1]


def _exceptions(board: Board, metric: Metric, names: Sequence[str]) -> str:
    return ", ".join(
        f"on {board.titles[name]} {methods.title(_leader(board, metric, name, combined=True))} has it" for name in names
    )


def _count(some: int, total: int) -> str:
    if some == total:
        return "both OOD datasets" if total == 2 else f"all {total} OOD datasets"
    return f"{some} of {total} OOD datasets"


def _number(count: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(count, str(count))


def printed_table(
    board: Board, metric: Metric, published: Mapping[str, tuple[float, float]] | None = None
) -> pd.DataFrame:
    """As the paper prints it: each figure in percent, in brackets the difference from the baseline in points.

    A row the baseline, each design combined, then each alone. ``published`` is ``designs.published_designs``; where
    there is any, it makes a last column, of which the designs alone have nothing.
    """
    kinds = [("", False), *((one, True) for one in board.designs), *((one, False) for one in board.designs)]
    rows = []
    for design, combined in kinds:
        name = board.called(design, combined) if design else f"{board.baseline} (baseline)"
        cells = {
            board.title(ood): _cell(board.value(metric, design, ood, combined), board.value(metric, "", ood), design)
            for ood in board.columns
        }
        rows.append({"Score": name, **cells})
        if published:
            of = 0 if metric == "fpr95" else 1
            told = design in published and (combined or not design)
            rows[-1]["Table 6 (paper)"] = _cell(published[design][of], published[""][of], design, 2) if told else ""
    return pd.DataFrame(rows)


def _cell(value: float, baseline: float, design: str, digits: int = 1) -> str:
    shown = f"{100 * value:.{digits}f}"
    if not design:
        return shown
    change = np.round(100 * (value - baseline), digits) + 0.0
    return f"{shown} ({change:+.{digits}f})".replace("-", "−")
