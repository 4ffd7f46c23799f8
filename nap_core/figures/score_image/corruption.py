"""The score of one image over the severity of a corruption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.figures.layout import TRANSPARENT, axis, base_layout, legend, line, marks
from nap_core.figures.palette import ID_COLOUR, IMAGE_COLOUR, NEUTRAL, translucent
from nap_core.figures.picture import Picture
from nap_core.figures.score_image.words import WORDS, standing
from nap_core.figures.text import three_digits

if TYPE_CHECKING:
    from nap_core.analysis.single_image import ImageVerdict

_HEIGHT = 300  # pixels


def corruption_picture(placements: Sequence[ImageVerdict], title: str, severity: int) -> Picture:
    """The score of one image over the severity of a corruption, above the middle 90 % of the ID images' scores.

    Args:
        placements: The verdict on the image at severity 0, 1, 2, …, all under one method.
        title: The corruption as the caption names it.
        severity: The severity that is marked and that the caption describes, an index of ``placements``.

    Returns:
        The figure; its table holds one row a severity, ``percentile`` being 0 to 100.
    """
    scores = [placement.score for placement in placements]
    steps = list(range(len(placements)))
    low, high = np.quantile(placements[0].id_scores, [0.05, 0.95])
    words = [f"{standing(placement)}<br>{WORDS[placement.verdict]}" for placement in placements]
    method, threshold, span = placements[0].title, [placements[0].threshold] * 2, [-0.3, len(steps) - 0.7]
    band = {"symbol": "square", "size": 12, "color": translucent(ID_COLOUR, 0.3)}
    hover = f"<b>severity %{{x}}: {method} %{{y:.3g}}</b><br>%{{customdata}}<extra></extra>"
    dots = {"size": [16 if step == severity else 8 for step in steps], "opacity": 1}
    more = {"mode": "lines+markers", "marker": dots, "customdata": words, "cliponaxis": False}
    traces = [
        marks([None], [None], band, "middle 90\N{NO-BREAK SPACE}% of ID images"),
        line(span, threshold, NEUTRAL, 2, "threshold", "threshold %{y:.3g}<extra></extra>", dash="dash"),
        line(steps, scores, IMAGE_COLOUR, 3, "this image", hover, **more),
    ]
    axes = {"xaxis": axis("severity", 4, range=span, tickvals=steps, showgrid=False), "yaxis": axis(method, nticks=6)}
    figure = go.Figure(traces, base_layout(_HEIGHT, (10, 12, 44, 52), legend=legend(), **axes, **TRANSPARENT))
    figure.add_hrect(y0=low, y1=high, fillcolor=translucent(ID_COLOUR, 0.16), line_width=0, layer="below")
    columns = {
        "percentile": [100 * placement.percentile for placement in placements],
        "verdict": [placement.verdict for placement in placements],
    }
    table = pd.DataFrame({"severity": steps, "score": scores, **columns})
    return Picture(figure, _corruption_reading(placements, title, severity), table, "score-image-corruption")


def _corruption_reading(placements: Sequence[ImageVerdict], title: str, severity: int) -> str:
    """The change of the score at the severity, and the severity at which the verdict first changes."""
    first, now = placements[0], placements[severity]
    if severity:
        way = "lowers" if now.score < first.score else "raises" if now.score > first.score else "leaves"
        moved = f"{first.title} from {three_digits(first.score)} to {three_digits(now.score)}"
        moved = moved if way != "leaves" else f"{first.title} at {three_digits(first.score)}"
        start = f"{title} at severity {severity} {way} {moved}, {standing(now)}"
    else:
        start = f"As it is, the image has {first.title} {three_digits(first.score)}, {standing(first)}"
    if all(placement.verdict == first.verdict for placement in placements):
        return f"{start}; the verdict is the same at every severity: {WORDS[first.verdict]}."
    change = next(step for step, placement in enumerate(placements) if placement.verdict != first.verdict)
    return f"{start}; the verdict first changes at severity {change}: {WORDS[placements[change].verdict]}."
