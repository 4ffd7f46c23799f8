"""A figure together with what is said about it and the numbers it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go


@dataclass(frozen=True)
class Picture:
    """``reading`` is one sentence made from the data, also the figure's alternative text; ``table`` holds the numbers
    drawn, one row a mark; ``name`` is the stem of the files it is saved as."""

    figure: go.Figure
    reading: str
    table: pd.DataFrame
    name: str


def percent(share: float) -> str:
    """A share as the papers print it: one decimal, in percent; the sign stays on the line of its number."""
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def three_digits(value: float) -> str:
    """A score with three significant digits, zeros at its end included, and no exponent for everyday sizes."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:#.3g}".rstrip(".")
