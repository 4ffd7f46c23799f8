"""How the score of one image moves when the image gets worse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis.single_image import ImageVerdict
from nap_core.figures.palette import ID_COLOUR, IMAGE_COLOUR, NEUTRAL, translucent
from nap_core.figures.picture import Picture, three_digits
from nap_core.figures.score_image.words import WORDS, standing

_HEIGHT = 300  # pixels


def corruption_picture(placements: Sequence[ImageVerdict], title: str, severity: int) -> Picture:
    """The score at severities 0, 1, 2, … with the one at ``severity`` marked, over the known images' middle 90 %.

    ``title`` is the corruption's.
    """
    scores = [placement.score for placement in placements]
    steps = list(range(len(placements)))
    low, high = np.quantile(placements[0].known, [0.05, 0.95])
    words = [f"{standing(placement)}<br>{WORDS[placement.verdict]}" for placement in placements]
    method, threshold = placements[0].title, placements[0].threshold
    figure = go.Figure()
    figure.add_hrect(y0=low, y1=high, fillcolor=translucent(ID_COLOUR, 0.16), line_width=0, layer="below")
    figure.add_trace(_band_in_legend())
    figure.add_trace(
        go.Scatter(
            x=[-0.3, len(steps) - 0.7],
            y=[threshold] * 2,
            mode="lines",
            line={"color": NEUTRAL, "width": 2, "dash": "dash"},
            name="threshold",
            hovertemplate="threshold %{y:.3g}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=steps,
            y=scores,
            mode="lines+markers",
            line={"color": IMAGE_COLOUR, "width": 3},
            marker={"size": [16 if step == severity else 8 for step in steps], "opacity": 1},
            customdata=words,
            name="this image",
            cliponaxis=False,
            hovertemplate=f"<b>severity %{{x}}: {method} %{{y:.3g}}</b><br>%{{customdata}}<extra></extra>",
        )
    )
    figure.update_xaxes(title={"text": "severity", "standoff": 4}, range=[-0.3, len(steps) - 0.7], tickvals=steps)
    figure.update_xaxes(showgrid=False, zeroline=False, fixedrange=True)
    figure.update_yaxes(title={"text": method}, nticks=6, zeroline=False, fixedrange=True)
    figure.update_layout(
        height=_HEIGHT,
        margin={"t": 10, "b": 44, "l": 52, "r": 12},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    table = pd.DataFrame(
        {
            "severity": steps,
            "score": scores,
            "percentile": [100 * placement.percentile for placement in placements],
            "verdict": [placement.verdict for placement in placements],
        }
    )
    return Picture(figure, _corruption_reading(placements, title, severity), table, "score-image-corruption")


def _band_in_legend() -> go.Scatter:
    marker = {"symbol": "square", "size": 12, "color": translucent(ID_COLOUR, 0.3)}
    return go.Scatter(
        x=[None], y=[None], mode="markers", marker=marker, name="middle 90\N{NO-BREAK SPACE}% of known images"
    )


def _corruption_reading(placements: Sequence[ImageVerdict], title: str, severity: int) -> str:
    """How far the score has moved at the severity, and where along the strip the verdict first changes."""
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
