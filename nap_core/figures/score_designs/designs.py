"""Table 6 of the NAP paper as a picture: each design alone and combined, a panel an OOD dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from nap_core import methods
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent
from nap_core.figures.score_designs.board import Board, points, reading
from nap_core.metrics import METRIC_TITLES, Metric

# Pixels.
ROW, HEADING, AXIS, TOP, LEFT, RIGHT = 44, 44, 34, 40, 84, 16
PANEL = 144  # the least width of a panel: six fit beside the sidebar of a laptop's screen
IN_A_ROW = 6  # panels
SMALL = 11  # font size


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
    return Picture(figure, reading(board, metric), board.table, f"designs-{metric}")


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
