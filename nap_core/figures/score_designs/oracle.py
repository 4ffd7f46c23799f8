"""The oracle's log-odds of held-out images beside S_NAP (Figure 4a of the NAP paper)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go

from nap_core.figures.layout import DOTTED, TRANSPARENT, axis, base_layout, legend, marks, note
from nap_core.figures.picture import Picture
from nap_core.figures.text import percent, signed

if TYPE_CHECKING:
    from nap_core.analysis.oracle import Oracle

HEIGHT = 440


def oracle_picture(result: Oracle, titles: Mapping[str, str], colours: Mapping[str, str]) -> Picture:
    """A dot a held-out image, in the colour of its dataset: S_NAP over the log-odds of the oracle.

    Args:
        result: The scores of the oracle and of NAP on the held-out images.
        titles: Catalogue name → title of the datasets, the ID dataset first.
        colours: Catalogue name → colour of the datasets.

    Returns:
        The figure, Figure 4a of the NAP paper; its table holds one row an image.
    """
    id_dataset, *ood_datasets = titles
    size, hover = 7 if len(result.scores) <= 500 else 5, "log-odds %{x:.2f}, S<sub>NAP</sub> %{y:.3g}"
    traces = []
    for name in [*ood_datasets, id_dataset]:  # ID in front
        rows, is_id = result.dataset == name, name == id_dataset
        title, rank = (f"{titles[name]} (ID)", 1) if is_id else (titles[name], 1000)
        marker = {"color": colours[name], "size": size, "opacity": 0.6}
        traces.append(marks(result.scores[rows], result.nap[rows], marker, title, hover, legendrank=rank))
    spearman, pearson = (_number(value) for value in (result.correlation, result.pearson))
    corner = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top"}
    numbers = note(f"Spearman <b>{spearman}</b> · Pearson <b>{pearson}</b>", 0.01, 0.99, 15, **corner)
    # The border ends below the numbers.
    border = {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 0.91, "yref": "paper", "line": DOTTED}
    low, high = float(result.nap.min()), float(result.nap.max())
    room = high - low or 1
    xaxis = axis("log-odds of ID by the oracle (OOD below 0)", 4)
    yaxis = axis("S<sub>NAP</sub>", range=[low - 0.04 * room, high + 0.14 * room])  # room for the numbers
    drawn = {"xaxis": xaxis, "yaxis": yaxis, "shapes": [border], "annotations": [numbers], **TRANSPARENT}
    layout = base_layout(HEIGHT, (10, 12, 48, 56), legend=legend(itemsizing="constant"), **drawn)
    return Picture(go.Figure(traces, layout), _reading(result), _table(result), "oracle")


def _number(value: float) -> str:
    return signed(value, unknown="unknown")


def _reading(result: Oracle) -> str:
    grades = {0.7: "closely follows", 0.3: "partly follows", -0.3: "hardly follows", -1.0: "runs against"}
    verb = next((words for least, words in grades.items() if result.correlation >= least), "cannot be compared with")
    inside, outside = (_number(value) for value in result.within)
    spearman, pearson = _number(result.correlation), _number(result.pearson)
    return (
        f"The oracle's score of {len(result.scores):,} held-out images {verb} NAP's: Spearman {spearman}, Pearson "
        f"{pearson} (Spearman {inside} among the ID images alone, {outside} among the OOD images); its AUROC is "
        f"{percent(result.auroc)}, that of NAP, which uses no OOD images, {percent(result.nap_auroc)}."
    )


def _table(result: Oracle) -> pd.DataFrame:
    return pd.DataFrame(
        {"dataset": result.dataset, "id": result.is_id, "oracle_log_odds": result.scores, "s_nap": result.nap}
    )
