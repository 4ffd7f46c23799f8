"""Where one image stands among those a network knows, under each method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from nap_core.analysis.single_image import ImageVerdict
from nap_core.figures.palette import ID_COLOUR, IMAGE_COLOUR, NEUTRAL, translucent
from nap_core.figures.picture import Picture, three_digits
from nap_core.figures.score_image.words import WORDS, join, plain, standing

_BINS = 48
_STRIP = 100  # pixels of one method's histogram


def standing_picture(placements: Sequence[ImageVerdict], name: str) -> Picture:
    """The known images' scores as a histogram for each method, with the threshold and the image's own score.

    The table has a row a bar, one a threshold and one for the image; ``name`` is the image's, for the reading.
    """
    count = len(placements)
    figure = make_subplots(rows=count, cols=1, vertical_spacing=0.52 / count)
    tables: list[pd.DataFrame] = []
    for row, placement in enumerate(placements, start=1):
        bars = _histogram(placement)
        top = max(1, int(bars["images"].max()))
        figure.add_traces([_bars(bars), _threshold_line(placement, top), _image_mark(placement, top)], rows=row, cols=1)
        figure.update_yaxes(visible=False, range=[0, 1.12 * top], fixedrange=True, row=row, col=1)
        figure.add_annotation(
            text=f"<b>{placement.title}</b> {three_digits(placement.score)} · {WORDS[placement.verdict]}",
            x=0, xref="paper", xanchor="left", y=1.0, yref=f"y{'' if row == 1 else row} domain", yanchor="bottom",
            showarrow=False, font={"size": 13},
        )  # fmt: skip
        tables += [bars.assign(method=placement.method, mark="known images"), _marks(placement)]
    for trace in figure.data[3:]:
        trace.showlegend = False
    figure.update_xaxes(showgrid=False, zeroline=False, nticks=7, fixedrange=True, ticks="outside", ticklen=3)
    figure.update_xaxes(title={"text": "score (higher: more in-distribution)", "standoff": 6}, row=count, col=1)
    figure.update_layout(
        height=_STRIP * count + 110,
        margin={"t": 62, "b": 48, "l": 8, "r": 8},
        bargap=0.06,
        legend={"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    table = pd.concat(tables, ignore_index=True)
    return Picture(figure, _standing_reading(placements, name), table, "score-image-standing")


def _histogram(placement: ImageVerdict) -> pd.DataFrame:
    """The bars of a method: from, to, images."""
    counts, edges = np.histogram(placement.known, bins=_BINS)
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:], "images": counts})


def _bars(bars: pd.DataFrame) -> go.Bar:
    return go.Bar(
        x=(bars["from"] + bars["to"]) / 2,
        y=bars["images"],
        width=bars["to"] - bars["from"],
        customdata=bars[["from", "to"]],
        marker={"color": translucent(ID_COLOUR, 0.75), "line": {"width": 0}},
        name="known images",
        legendgroup="known",
        hovertemplate="%{y:,} known images from %{customdata[0]:.3g} to %{customdata[1]:.3g}<extra></extra>",
    )


def _threshold_line(placement: ImageVerdict, top: int) -> go.Scatter:
    return go.Scatter(
        x=[placement.threshold] * 2,
        y=[0, 1.05 * top],
        mode="lines",
        line={"color": NEUTRAL, "width": 2, "dash": "4px,3px"},
        name="95\N{NO-BREAK SPACE}% threshold",
        legendgroup="threshold",
        hovertemplate="threshold %{x:.3g}<extra></extra>",
    )


def _image_mark(placement: ImageVerdict, top: int) -> go.Scatter:
    place = f"{standing(placement)}<br>{WORDS[placement.verdict]}"
    return go.Scatter(
        x=[placement.score] * 2,
        y=[0, 1.05 * top],
        mode="lines+markers",
        line={"color": IMAGE_COLOUR, "width": 4},
        marker={"color": IMAGE_COLOUR, "size": [0, 13], "symbol": "triangle-down", "opacity": 1},
        name="this image",
        legendgroup="image",
        cliponaxis=False,
        hovertemplate=f"<b>{placement.title} %{{x:.3g}}</b><br>{place}<extra></extra>",
    )


def _marks(placement: ImageVerdict) -> pd.DataFrame:
    image = {
        "method": placement.method,
        "mark": "this image",
        "from": placement.score,
        "to": placement.score,
        "percentile": 100 * placement.percentile,
        "verdict": placement.verdict,
        "w": placement.w,
    }
    threshold = {"mark": "threshold", "from": placement.threshold, "to": placement.threshold}
    return pd.DataFrame([{"method": placement.method, **threshold}, image])


def _standing_reading(placements: Sequence[ImageVerdict], name: str) -> str:
    """On how many methods the image reaches the threshold, and where it stands lowest."""
    known, name = len(placements[0].known), plain(name)
    passed = [placement.title for placement in placements if placement.reaches_threshold]
    lowest = min(placements, key=lambda placement: placement.percentile)
    where = f"{lowest.title} places it lowest: {three_digits(lowest.score)}, {standing(lowest)}"
    if len(placements) == 1:
        reach = "reaches" if passed else "misses"
        return f"“{name}” {reach} the threshold of {lowest.title}: {three_digits(lowest.score)}, {standing(lowest)}."
    if not passed:
        which = "with none of the methods"
    elif len(passed) == len(placements):
        which = "with every method"
    else:
        which = f"with {len(passed)} of {len(placements)} methods ({join(passed)})"
    return (
        f"“{name}” reaches the threshold that 95\N{NO-BREAK SPACE}% of {known:,} known images reach {which}; {where}."
    )
