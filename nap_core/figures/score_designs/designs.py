"""Table 6 of the NAP paper as a picture: each design alone and combined, a panel an OOD dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from nap_core import methods
from nap_core.figures.layout import (
    TRANSPARENT,
    Style,
    base_layout,
    categories,
    legend,
    line,
    marks,
    note,
    share_axis,
)
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.figures.score_designs.board import Board, points, reading
from nap_core.figures.text import percent
from nap_core.metrics import METRIC_TITLES, Metric

# Pixels.
ROW, HEADING, AXIS, TOP, LEFT, RIGHT = 44, 44, 34, 40, 84, 16
PANEL = 144  # the least width of a panel: six fit beside the sidebar of a laptop's screen
IN_A_ROW = 6  # panels
SMALL = 11  # font size


def least_width(board: Board) -> int:
    """The width below which the texts of neighbouring panels would overlap.

    Args:
        board: The metrics of every design; its columns are the panels.

    Returns:
        Pixels; 0 for a single panel.
    """
    columns = min(len(board.columns), IN_A_ROW)
    return LEFT + RIGHT + columns * PANEL if columns > 1 else 0


def design_picture(board: Board, metric: Metric) -> Picture:
    """A panel an OOD dataset and their average: a row a design, the ring alone, the dot combined, the upright the
    baseline. All panels share one scale.

    Args:
        board: The metrics of every design, alone and combined, and their titles.
        metric: "fpr95" or "auroc".

    Returns:
        The figure, Table 6 of the NAP paper; its table is that of ``board``, shares.
    """
    names, designs = board.columns, board.designs
    rows = math.ceil(len(names) / IN_A_ROW)
    columns = math.ceil(len(names) / rows)
    inner = rows * ROW * len(designs) + (rows - 1) * (HEADING + AXIS)
    spacing = {"horizontal_spacing": 0.1 / columns, "vertical_spacing": (HEADING + AXIS) / inner}
    figure = make_subplots(rows, columns, shared_yaxes=True, **spacing)
    xaxis = share_axis(range=_span(board, metric), nticks=4, tickangle=0, tickfont={"size": SMALL})
    for position, name in enumerate(names):
        place = {"row": position // columns + 1, "col": position % columns + 1}
        _panel(figure, board, metric, name, place)
        figure.update_xaxes(xaxis, **place)
    words = [f"<b>{methods.title(one)}</b>" if one == "nap" else methods.title(one) for one in designs]
    sides = categories(words, showgrid=False)
    figure.update_yaxes({**sides, "tickvals": None, "ticktext": None})
    figure.update_yaxes({**sides, "showticklabels": True}, col=1)
    _legend(figure, board)
    margin = (TOP + HEADING, RIGHT, AXIS, LEFT)
    above = legend(1 + (HEADING + 4) / inner, itemclick=False, itemdoubleclick=False)
    figure.update_layout(base_layout(inner + TOP + HEADING + AXIS, margin, legend=above, **TRANSPARENT))
    return Picture(figure, reading(board, metric), board.table, f"designs-{metric}")


def _span(board: Board, metric: Metric) -> list[float]:
    """The range of every panel, with room for the numbers above the outermost marks."""
    values = board.table[metric]
    low, high = float(values.min()), float(values.max())
    low = 0.0 if metric == "fpr95" else low
    room = 0.09 * max(high - low, 0.05)
    return [low - room, high + room]


def _panel(figure: go.Figure, board: Board, metric: Metric, name: str, place: Mapping[str, int]) -> None:
    hue, rows = board.colour(name), list(range(len(board.designs)))
    baseline = board.value(metric, "", name)
    alone, both = ([board.value(metric, design, name, kind) for design in board.designs] for kind in (False, True))
    traces = [line(pair, [row, row], hue, 1.5, opacity=0.5) for row, pair in enumerate(zip(alone, both, strict=True))]
    # A piece of a line for every row, with a gap where the row's number stands.
    gaps = [end for row in rows for end in (row - 0.14, row + 0.46, None)]
    traces.append(line([baseline, baseline, None] * len(rows), gaps, NEUTRAL, 1.75))
    for values, combined in ((alone, False), (both, True)):
        traces.append(_marks(board, metric, name, values, rows, combined))
    figure.add_traces(traces, rows=place["row"], cols=place["col"])
    head = (
        f"<span style='color:{hue}'>■</span> <b>{board.title(name)}</b><br>{board.baseline} alone {100 * baseline:.1f}"
    )
    corner = {"xref": "x domain", "yref": "y domain", "xanchor": "left", "yanchor": "bottom", "align": "left"}
    figure.add_annotation(note(head, 0, 1, 12, yshift=4, **corner), **place)


def _marks(
    board: Board, metric: Metric, name: str, values: Sequence[float], rows: Sequence[int], combined: bool
) -> Style:
    baseline, best = board.value(metric, "", name), board.best(metric, name, True)
    hue, words, numbers = board.colour(name), [], []
    for design, value in zip(board.designs, values, strict=True):
        words.append(
            f"{board.called(design, combined)}: {METRIC_TITLES[metric]} {percent(value)}, "
            f"{points(value - baseline)} points from {board.baseline}"
        )
        numbers.append(f"<b>{100 * value:.1f}</b>" if design in best else f"{100 * value:.1f}")
    marker = {"color": hue, "size": 11, "symbol": "circle" if combined else "circle-open"}
    marker["line"] = {"width": 0 if combined else 2, "color": hue}
    written = {"mode": "markers+text", "text": numbers, "textposition": "top center", "textfont": {"size": SMALL}}
    more = {"hovertext": words, "cliponaxis": False, **(written if combined else {})}
    return marks(values, rows, marker, None, "%{hovertext}<extra></extra>", **more)


def _legend(figure: go.Figure, board: Board) -> None:
    ringed = {"color": NEUTRAL, "symbol": "circle-open", "size": 11, "line": {"width": 2}}
    dot = {"color": NEUTRAL, "symbol": "circle", "size": 11}
    figure.add_trace(marks([None], [None], ringed, "alone"))
    figure.add_trace(marks([None], [None], dot, f"with {board.baseline}"))
    figure.add_trace(line([None], [None], NEUTRAL, 1.75, f"{board.baseline} alone"))
