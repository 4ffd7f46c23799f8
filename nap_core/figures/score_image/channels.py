"""The channels with the largest contributions to an image's NAP score, laid over the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image
from plotly.subplots import make_subplots

from nap_core.analysis.channels.kinds import HEADS, MAPS, ChannelKind
from nap_core.figures.layout import TRANSPARENT, base_layout, under_axes
from nap_core.figures.picture import Picture
from nap_core.figures.text import percent, signed, three_digits
from nap_core.figures.thumbnails import data_address, overlay
from nap_core.nap import MEAN

if TYPE_CHECKING:
    from nap_core.analysis.single_image import NapContribution

_COLUMNS = 3  # tiles a row
_SIDE = 224  # pixels of a tile's picture
_ROW = 156  # pixels of height for a row of tiles
_OPACITY = 0.75  # of the most active neuron's paint


def channels_picture(
    contributions: Sequence[NapContribution],
    view: NDArray[np.uint8],
    maps: NDArray[np.floating],
    side: Literal["for", "against"],
    top: float,
    kind: ChannelKind = MAPS,
) -> Picture:
    """One tile a channel: its feature map laid over the network's input, brighter where it is more active.

    Args:
        contributions: The channels to draw, the largest contribution to S_NAP first; may be empty.
        view: The network's input before normalisation, (H, W, 3) uint8.
        maps: The image's penultimate feature maps, (C, h, w).
        side: Whether the channels raise ("for") or lower ("against") S_NAP.
        top: The activation at the end of the colour scale, which begins at 0.
        kind: Feature maps or attention heads.

    Returns:
        The figure; its table holds one row a channel, ``percentile`` being the percentage of ID images with a
        lower term.
    """
    rows = max(1, -(-len(contributions) // _COLUMNS))
    titles = [f"{kind.name(one.channel)}<br>{signed(one.gain, '+.2g')}" for one in contributions]
    spacing = {"horizontal_spacing": 0.03, "vertical_spacing": 0.24 if rows > 1 else 0}
    figure = make_subplots(rows=rows, cols=_COLUMNS, subplot_titles=titles, **spacing)
    base = Image.fromarray(view).resize((_SIDE, _SIDE), Image.Resampling.NEAREST if len(view) < _SIDE else None)
    for index, one in enumerate(contributions):
        _add_tile(figure, index, one, maps[one.channel], base, top, kind)
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True)
    figure.update_annotations(font={"size": 12})
    figure.update_layout(base_layout((_ROW + 44) * rows + 10, (44, 4, 6, 4), showlegend=False, **TRANSPARENT))
    caption = _heads_reading(contributions, side) if kind.of_heads else _reading(contributions, side, maps)
    return Picture(figure, caption, _table(contributions, maps), f"score-image-channels-{side}")


def _add_tile(
    figure: go.Figure,
    index: int,
    one: NapContribution,
    channel_map: NDArray[np.floating],
    base: Image.Image,
    top: float,
    kind: ChannelKind,
) -> None:
    height, width = channel_map.shape
    number = "" if index == 0 else str(index + 1)
    painted = overlay(base, channel_map, top, _OPACITY)
    figure.add_layout_image(under_axes(data_address(painted, _SIDE), width, height, number))
    # Invisible: it gives the values on hover. The picture itself is one image, so that both themes show the same.
    hover = f"{kind.name(one.channel)}: {kind.value} %{{z:.3g}}<br>{kind.term}: {three_digits(one.term)}, "
    hover += f"usually {three_digits(one.usual)}<br>higher than {percent(one.above)} of ID images<extra></extra>"
    grid = {"type": "heatmap", "z": channel_map, "opacity": 0, "showscale": False, "hovertemplate": hover}
    figure.add_trace(grid, row=index // _COLUMNS + 1, col=index % _COLUMNS + 1)
    x = {"range": [-0.5, width - 0.5], "constrain": "domain"}
    y = {"range": [height - 0.5, -0.5], "scaleanchor": f"x{number}", "constrain": "domain", "constraintoward": "top"}
    figure.update_layout({f"xaxis{number}": x, f"yaxis{number}": y})


def _table(contributions: Sequence[NapContribution], maps: NDArray[np.floating]) -> pd.DataFrame:
    rows = [
        (one.channel, one.gain, one.term, one.usual, 100 * one.above, maps[one.channel].max(), maps[one.channel].mean())
        for one in contributions
    ]
    columns = ["channel", "gain", "term", "usual_term", "percentile", "maximum", "mean"]
    return pd.DataFrame(rows, columns=columns).astype({"maximum": float, "mean": float})


def _reading(
    contributions: Sequence[NapContribution], side: Literal["for", "against"], maps: NDArray[np.floating]
) -> str:
    """The sum that the channels shown add to NAP or take from it, and the term of the largest."""
    if not contributions:
        way = "more" if side == "for" else "less"
        return f"No channel adds {way} to NAP than it does for the average ID image."
    total, count, first = sum(one.gain for one in contributions), len(contributions), contributions[0]
    which = "This channel" if count == 1 else f"These {count} channels"
    verb = {"for": ("adds", "add"), "against": ("takes", "take")}[side][count > 1]
    way = "to" if side == "for" else "from"
    peak = three_digits(float(maps[first.channel].max()))
    return (
        f"{which} {verb} {three_digits(abs(total))} {way} NAP, measured from the average ID image; in channel "
        f"{first.channel} the peak is {peak} and (max / (mean + 1))² is {three_digits(first.term)}, usually "
        f"{three_digits(first.usual)}."
    )


def _heads_reading(contributions: Sequence[NapContribution], side: Literal["for", "against"]) -> str:
    """The highest attention of the first head; channel 0, the mean over the heads, is NAP."""
    way = "higher" if side == "for" else "lower"
    if not contributions:
        return f"No head peaks {way} than it does for the average ID image."
    first = contributions[0]
    name = HEADS.name(first.channel)
    what = f"the {name}, which is NAP," if first.channel == MEAN else name
    return (
        f"The highest attention of {what} is {three_digits(first.term)}, usually {three_digits(first.usual)}: "
        f"{way} than in {percent(first.above if side == 'for' else 1 - first.above)} of ID images."
    )
