"""The channels that decided an image's NAP score, laid over the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image
from plotly.subplots import make_subplots

from nap_core.analysis.channels.kinds import HEADS, MAPS, ChannelKind
from nap_core.analysis.single_image import NapContribution
from nap_core.figures.picture import Picture, percent, three_digits
from nap_core.figures.thumbnails import data_address, overlay
from nap_core.models.attention_hook import MEAN

_COLUMNS = 3  # tiles a row
_SIDE = 224  # pixels of a tile's picture
_ROW = 156  # pixels of height for a row of tiles
_OPACITY = 0.75  # of the most active neuron's paint


def channels_picture(
    voices: Sequence[NapContribution],
    view: NDArray[np.uint8],
    maps: NDArray[np.floating],
    side: Literal["for", "against"],
    top: float,
    kind: ChannelKind = MAPS,
) -> Picture:
    """One tile a channel: its map laid over what the network sees, brighter where it is more active, 0 to ``top``.

    ``view`` is (H, W, 3), ``maps`` (C, h, w) holds the image's penultimate map. The table has a row a channel.
    """
    rows = max(1, -(-len(voices) // _COLUMNS))
    titles = [f"{kind.name(voice.channel)}<br>{voice.gain:+.2g}".replace("-", "−") for voice in voices]
    figure = make_subplots(
        rows=rows, cols=_COLUMNS, horizontal_spacing=0.03, vertical_spacing=0.24 if rows > 1 else 0,
        subplot_titles=titles,
    )  # fmt: skip
    base = Image.fromarray(view).resize((_SIDE, _SIDE), Image.Resampling.NEAREST if len(view) < _SIDE else None)
    for index, voice in enumerate(voices):
        _add_tile(figure, index, voice, maps[voice.channel], base, top, kind)
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True)
    figure.update_annotations(font={"size": 12})
    figure.update_layout(
        height=(_ROW + 44) * rows + 10,
        margin={"t": 44, "b": 6, "l": 4, "r": 4},
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    reading = _heads_reading(voices, side) if kind.of_heads else _reading(voices, side, maps)
    return Picture(figure, reading, _table(voices, maps), f"score-image-channels-{side}")


def _add_tile(
    figure: go.Figure,
    index: int,
    voice: NapContribution,
    channel_map: NDArray[np.floating],
    base: Image.Image,
    top: float,
    kind: ChannelKind,
) -> None:
    height, width = channel_map.shape
    axis = "" if index == 0 else str(index + 1)
    painted = overlay(base, channel_map, top, _OPACITY)
    figure.add_layout_image(
        source=data_address(painted, _SIDE),
        x=-0.5, y=-0.5, sizex=width, sizey=height, sizing="stretch", xref=f"x{axis}", yref=f"y{axis}", layer="below",
    )  # fmt: skip
    # Unseen: it gives the values on hover. The picture itself is one image, so that both themes show the same.
    term = f"{kind.term}: {three_digits(voice.term)}, usually {three_digits(voice.usual)}"
    about = f"{term}<br>higher than {percent(voice.above)} of known images"
    figure.add_trace(
        go.Heatmap(
            z=channel_map,
            opacity=0,
            showscale=False,
            hovertemplate=f"{kind.name(voice.channel)}: {kind.value} %{{z:.3g}}<br>{about}<extra></extra>",
        ),
        row=index // _COLUMNS + 1,
        col=index % _COLUMNS + 1,
    )
    figure.update_layout(
        {
            f"xaxis{axis}": {"range": [-0.5, width - 0.5], "constrain": "domain"},
            f"yaxis{axis}": {
                "range": [height - 0.5, -0.5],
                "scaleanchor": f"x{axis}",
                "constrain": "domain",
                "constraintoward": "top",
            },
        }
    )


def _table(voices: Sequence[NapContribution], maps: NDArray[np.floating]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "channel": voice.channel,
                "gain": voice.gain,
                "term": voice.term,
                "usual_term": voice.usual,
                "percentile": 100 * voice.above,
                "maximum": float(maps[voice.channel].max()),
                "mean": float(maps[voice.channel].mean()),
            }
            for voice in voices
        ],
        columns=["channel", "gain", "term", "usual_term", "percentile", "maximum", "mean"],
    )


def _reading(voices: Sequence[NapContribution], side: Literal["for", "against"], maps: NDArray[np.floating]) -> str:
    """How much of NAP the channels shown add or take, and what the loudest does."""
    if not voices:
        way = "more" if side == "for" else "less"
        return f"No channel adds {way} to NAP than it does for the average known image."
    total, count, first = sum(voice.gain for voice in voices), len(voices), voices[0]
    which = "This channel" if count == 1 else f"These {count} channels"
    verb = {"for": ("adds", "add"), "against": ("takes", "take")}[side][count > 1]
    way = "to" if side == "for" else "from"
    peak = three_digits(float(maps[first.channel].max()))
    return (
        f"{which} {verb} {three_digits(abs(total))} {way} NAP, measured from the average known image; in channel "
        f"{first.channel} the peak is {peak} and (max / (mean + 1))² is {three_digits(first.term)}, usually "
        f"{three_digits(first.usual)}."
    )


def _heads_reading(voices: Sequence[NapContribution], side: Literal["for", "against"]) -> str:
    """What the loudest head does, the mean over the heads first: that is NAP."""
    way = "higher" if side == "for" else "lower"
    if not voices:
        return f"No head peaks {way} than it does for the average known image."
    first = voices[0]
    name = HEADS.name(first.channel)
    what = f"the {name}, which is NAP," if first.channel == MEAN else name
    return (
        f"The highest attention of {what} is {three_digits(first.term)}, usually {three_digits(first.usual)}: "
        f"{way} than in {percent(first.above if side == 'for' else 1 - first.above)} of known images."
    )
