"""The most probable classes of one image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.special import softmax

from nap_core.figures.layout import TRANSPARENT, base_layout
from nap_core.figures.palette import IMAGE_COLOUR, NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.figures.text import percent

_HEIGHT = 224  # pixels


def class_shares(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The softmax of the logits of one image, in double precision.

    Args:
        logits: The logits, (K,).

    Returns:
        Probabilities, (K,), with the sum 1.
    """
    shares: NDArray[np.float64] = softmax(np.asarray(logits, np.float64))
    return shares


def classes_picture(logits: NDArray[np.floating], classes: Sequence[str], title: str, count: int = 5) -> Picture:
    """The most probable classes of one image as bars, the first on top.

    Args:
        logits: The logits of the image, (K,).
        classes: The names of the K classes.
        title: The model as the caption names it.
        count: The most bars.

    Returns:
        The figure; its table holds one row a bar, the softmax probability as a share.
    """
    shares = class_shares(logits)
    order = np.argsort(-shares, kind="stable")[:count]
    table = pd.DataFrame({"class": [classes[index] for index in order], "probability": shares[order]})
    texts = [f" {_short(row['class'])} · {percent(row['probability'])}" for _, row in table.iterrows()]
    written = {"text": texts, "textposition": "outside", "cliponaxis": False, "customdata": table["class"]}
    hover = "%{customdata}: %{x:.1%}<extra></extra>"
    colours = [IMAGE_COLOUR] + [NEUTRAL] * (len(table) - 1)
    bars = {"type": "bar", "x": table["probability"], "y": list(range(len(table))), "orientation": "h", **written}
    hidden = {"visible": False, "fixedrange": True}
    # Room on the right for the words beside a full bar.
    axes = {"xaxis": {"range": [0, 2.1], **hidden}, "yaxis": {"autorange": "reversed", **hidden}}
    layout = base_layout(_HEIGHT, (6, 4, 6, 4), bargap=0.35, showlegend=False, **axes, **TRANSPARENT)
    figure = go.Figure([{**bars, "marker": {"color": colours}, "hovertemplate": hover}], layout)
    first = table.iloc[0]
    caption = f"{title} predicts **{first['class']}**, {percent(first['probability'])}"
    if len(table) > 1:
        second = table.iloc[1]
        caption += f"; next is {second['class']}, {percent(second['probability'])}"
    return Picture(figure, f"{caption}.", table, "score-image-classes")


def _short(name: str, letters: int = 24) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1].rstrip()}…"
