"""The oracle's log-odds of held-out images beside S_NAP (Figure 4a of the NAP paper)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis.oracle import Oracle
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent

HEIGHT = 440


def oracle_picture(found: Oracle, titles: Mapping[str, str], colours: Mapping[str, str]) -> Picture:
    """A dot a held-out image, in the colour of its dataset; ``titles`` and ``colours`` the ID dataset first."""
    figure = go.Figure()
    images = len(found.scores)
    known = next(iter(titles))
    for name in [*list(titles)[1:], known]:  # ID in front
        rows = found.dataset == name
        figure.add_trace(
            go.Scatter(
                x=found.scores[rows],
                y=found.nap[rows],
                mode="markers",
                marker={"color": colours[name], "size": 7 if images <= 500 else 5, "opacity": 0.6},
                name=f"{titles[name]} (ID)" if name == known else titles[name],
                legendrank=1 if name == known else 1000,
                hovertemplate="log-odds %{x:.2f}, S<sub>NAP</sub> %{y:.3g}",
            )
        )
    border = {"color": NEUTRAL, "width": 1.5, "dash": "dot"}  # ends below the numbers
    figure.add_shape(type="line", x0=0, x1=0, y0=0, y1=0.91, yref="paper", line=border)
    figure.add_annotation(
        text=f"Spearman <b>{_number(found.correlation)}</b> · Pearson <b>{_number(found.pearson)}</b>",
        x=0.01, y=0.99, xref="paper", yref="paper", xanchor="left", yanchor="top", showarrow=False, font={"size": 15},
    )  # fmt: skip
    figure.update_xaxes(
        title={"text": "oracle: log-odds of ID (left of 0 it says OOD)", "standoff": 4}, zeroline=False, fixedrange=True
    )
    low, high = float(found.nap.min()), float(found.nap.max())
    figure.update_yaxes(
        title={"text": "S<sub>NAP</sub>"},
        zeroline=False,
        fixedrange=True,
        range=[low - 0.04 * (high - low or 1), high + 0.14 * (high - low or 1)],  # room for the numbers
    )
    figure.update_layout(
        height=HEIGHT,
        margin={"t": 10, "b": 48, "l": 56, "r": 12},
        hovermode="closest",
        dragmode=False,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemsizing": "constant"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return Picture(figure, _reading(found), _table(found), "oracle")


def _number(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{value:.2f}".replace("-", "−")


def _reading(found: Oracle) -> str:
    grades = {0.7: "closely follows", 0.3: "partly follows", -0.3: "hardly follows", -1.0: "runs against"}
    verb = next((words for least, words in grades.items() if found.correlation >= least), "cannot be compared with")
    inside, outside = (_number(value) for value in found.within)
    return (
        f"The oracle's score of {len(found.scores):,} held-out images {verb} NAP's: Spearman "
        f"{_number(found.correlation)}, Pearson {_number(found.pearson)} (Spearman {inside} among the ID images alone, "
        f"{outside} among the OOD images); its AUROC is {percent(found.auroc)}, that of NAP, which has seen no OOD "
        f"image, {percent(found.nap_auroc)}."
    )


def _table(found: Oracle) -> pd.DataFrame:
    return pd.DataFrame(
        {"dataset": found.dataset, "id": found.is_id, "oracle_log_odds": found.scores, "s_nap": found.nap}
    )
