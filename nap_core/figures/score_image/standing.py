"""The score of one image among those of the ID images, under each method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from plotly.subplots import make_subplots

from nap_core.figures.layout import TRANSPARENT, Style, axis, base_layout, legend, line, note
from nap_core.figures.palette import ID_COLOUR, IMAGE_COLOUR, NEUTRAL, translucent
from nap_core.figures.picture import Picture
from nap_core.figures.score_image.words import WORDS, plain, standing
from nap_core.figures.text import join, three_digits

if TYPE_CHECKING:
    from nap_core.analysis.single_image import ImageVerdict

_BINS = 48
_STRIP = 100  # pixels of one method's histogram


def standing_picture(placements: Sequence[ImageVerdict], name: str) -> Picture:
    """The ID images' scores as a histogram for each method, with the threshold and the image's own score.

    Args:
        placements: The verdict of each method on the image, at least one.
        name: The name of the image, as the caption quotes it.

    Returns:
        The figure; its table has a row a bar, one a threshold and one for the image.
    """
    count = len(placements)
    figure = make_subplots(rows=count, cols=1, vertical_spacing=0.52 / count)
    tables: list[pd.DataFrame] = []
    for row, placement in enumerate(placements, start=1):
        counts, edges = np.histogram(placement.id_scores, bins=_BINS)
        bars = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "images": counts})
        top = max(1, int(counts.max()))
        figure.add_traces(_traces(placement, bars, top, named=row == 1), rows=row, cols=1)
        figure.update_yaxes(visible=False, range=[0, 1.12 * top], fixedrange=True, row=row, col=1)
        text = f"<b>{placement.title}</b> {three_digits(placement.score)} · {WORDS[placement.verdict]}"
        corner = {"xref": "paper", "xanchor": "left", "yref": f"y{'' if row == 1 else row} domain", "yanchor": "bottom"}
        figure.add_annotation(note(text, 0, 1, 13, **corner))
        tables += [bars.assign(method=placement.method, mark="ID images"), _marks(placement)]
    figure.update_xaxes(axis(nticks=7, ticks="outside", ticklen=3, showgrid=False))
    figure.update_xaxes(axis("score (higher: more in-distribution)", 6), row=count, col=1)
    look = {"bargap": 0.06, "legend": legend(1, yref="container", yanchor="top"), **TRANSPARENT}
    figure.update_layout(base_layout(_STRIP * count + 110, (62, 8, 48, 8), **look))
    table = pd.concat(tables, ignore_index=True)
    return Picture(figure, _standing_reading(placements, name), table, "score-image-standing")


def _traces(placement: ImageVerdict, bars: pd.DataFrame, top: int, *, named: bool) -> list[Style]:
    """The histogram, the threshold and the image; ``named`` ones are in the legend."""
    hover = "%{y:,} ID images from %{customdata[0]:.3g} to %{customdata[1]:.3g}<extra></extra>"
    histogram = {"type": "bar", "x": (bars["from"] + bars["to"]) / 2, "y": bars["images"], "name": "ID images"}
    histogram |= {"width": bars["to"] - bars["from"], "customdata": bars[["from", "to"]], "hovertemplate": hover}
    histogram["marker"] = {"color": translucent(ID_COLOUR, 0.75), "line": {"width": 0}}
    upright, hover = [0, 1.05 * top], "threshold %{x:.3g}<extra></extra>"
    title = "95\N{NO-BREAK SPACE}% threshold"
    threshold = line([placement.threshold] * 2, upright, NEUTRAL, 2, title, hover, dash="4px,3px")
    hover = f"<b>{placement.title} %{{x:.3g}}</b><br>{standing(placement)}<br>{WORDS[placement.verdict]}<extra></extra>"
    marker = {"color": IMAGE_COLOUR, "size": [0, 13], "symbol": "triangle-down", "opacity": 1}
    more = {"mode": "lines+markers", "marker": marker, "cliponaxis": False}
    image = line([placement.score] * 2, upright, IMAGE_COLOUR, 4, "this image", hover, **more)
    return [{**one, "legendgroup": one["name"], "showlegend": named} for one in (histogram, threshold, image)]


def _marks(placement: ImageVerdict) -> pd.DataFrame:
    score, threshold = placement.score, placement.threshold
    image = {"mark": "this image", "from": score, "to": score, "percentile": 100 * placement.percentile}
    image |= {"verdict": placement.verdict, "w": placement.w}
    rows = [{"mark": "threshold", "from": threshold, "to": threshold}, image]
    return pd.DataFrame([{"method": placement.method, **row} for row in rows])


def _standing_reading(placements: Sequence[ImageVerdict], name: str) -> str:
    """With how many methods the image reaches the threshold, and the method under which its rank is lowest."""
    images, name = len(placements[0].id_scores), plain(name)
    passed = [placement.title for placement in placements if placement.reaches_threshold]
    lowest = min(placements, key=lambda placement: placement.percentile)
    where = f"{lowest.title} ranks it lowest: {three_digits(lowest.score)}, {standing(lowest)}"
    if len(placements) == 1:
        reach = "reaches" if passed else "misses"
        return f"“{name}” {reach} the threshold of {lowest.title}: {three_digits(lowest.score)}, {standing(lowest)}."
    if not passed:
        which = "with none of the methods"
    elif len(passed) == len(placements):
        which = "with every method"
    else:
        which = f"with {len(passed)} of {len(placements)} methods ({join(passed)})"
    return f"“{name}” reaches the threshold that 95\N{NO-BREAK SPACE}% of {images:,} ID images reach {which}; {where}."
