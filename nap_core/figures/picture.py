"""A figure with its caption and the numbers it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from nap_core.figures.text import percent, three_digits

__all__ = ["Picture", "percent", "three_digits"]


@dataclass(frozen=True)
class Picture:
    """A figure, its caption and its numbers.

    Attributes:
        figure: The Plotly figure, drawn for Streamlit's theme.
        reading: The caption: one sentence made from the data, also the figure's alternative text. May be Markdown.
        table: The numbers drawn, one row a mark.
        name: The stem of the files that the figure and its table are saved as.
    """

    figure: go.Figure
    reading: str
    table: pd.DataFrame
    name: str
