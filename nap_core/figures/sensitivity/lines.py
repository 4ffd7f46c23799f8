"""What the pictures over a quantity share: a line a method, and the frame around the lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.compare_methods.lines import LineStyle
from nap_core.figures.score_histograms import label

HEIGHT = 460  # pixels


def method_line(
    row: MethodScores, style: LineStyle, front: int, x: Sequence[float], y: Sequence[float], **more: Any
) -> go.Scatter:
    """The line of a method through (x, y); named ones, and then the higher ``front``, lie above the others."""
    return go.Scatter(
        x=x,
        y=y,
        name=label(row),
        mode="lines+markers",
        line={"color": style.colour, "dash": style.dash, "width": style.width},
        marker={"size": 7, "color": style.colour},
        opacity=style.opacity,
        showlegend=style.named,
        zorder=front,
        **more,
    )


def fronts(rows: Sequence[MethodScores], styles: dict[str, LineStyle], opened: str) -> dict[str, int]:
    """How far in front the line of each method lies: the opened one first, then the named ones."""
    return {
        row.method: rank + len(rows) * (styles[row.method].named + (row.method == opened))
        for rank, row in enumerate(rows)
    }


def frame(figure: go.Figure) -> None:
    """Height, margins and the legend above."""
    figure.update_layout(
        height=HEIGHT,
        margin={"t": 70, "b": 50, "l": 10, "r": 20},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left", "font": {"size": 12}},
        hovermode="closest",
        dragmode=False,
    )
