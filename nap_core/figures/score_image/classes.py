"""What a network takes one image for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core.figures.palette import IMAGE_COLOUR, NEUTRAL
from nap_core.figures.picture import Picture, percent

_HEIGHT = 224  # pixels


def class_shares(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Softmax of logits (K,), in double precision."""
    powers = np.exp(np.asarray(logits, np.float64) - np.max(logits))
    shares: NDArray[np.float64] = powers / powers.sum()
    return shares


def classes_picture(logits: NDArray[np.floating], classes: Sequence[str], title: str, count: int = 5) -> Picture:
    """The most probable classes of one image as bars, the first on top; ``title`` is the model's."""
    shares = class_shares(logits)
    order = np.argsort(-shares, kind="stable")[:count]
    table = pd.DataFrame({"class": [classes[index] for index in order], "probability": shares[order]})
    figure = go.Figure(
        go.Bar(
            x=table["probability"],
            y=list(range(len(table))),
            orientation="h",
            marker={"color": [IMAGE_COLOUR] + [NEUTRAL] * (len(table) - 1)},
            text=[f" {_short(row['class'])} · {percent(row['probability'])}" for _, row in table.iterrows()],
            textposition="outside",
            cliponaxis=False,
            customdata=table["class"],
            hovertemplate="%{customdata}: %{x:.1%}<extra></extra>",
        )
    )
    # Room on the right for the words beside a full bar.
    figure.update_xaxes(range=[0, 2.1], visible=False, fixedrange=True)
    figure.update_yaxes(autorange="reversed", visible=False, fixedrange=True)
    figure.update_layout(
        height=_HEIGHT,
        margin={"t": 6, "b": 6, "l": 4, "r": 4},
        bargap=0.35,
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    first = table.iloc[0]
    reading = f"{title} takes it for **{first['class']}**, {percent(first['probability'])}"
    if len(table) > 1:
        second = table.iloc[1]
        reading += f"; next comes {second['class']}, {percent(second['probability'])}"
    return Picture(figure, f"{reading}.", table, "score-image-classes")


def _short(name: str, letters: int = 24) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1].rstrip()}…"
