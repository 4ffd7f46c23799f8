"""Activation maps of an ID and an OOD image: one channel laid over each, many channels as tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image

from nap_core.analysis.channels.kinds import MAPS, ChannelKind
from nap_core.figures.palette import sequential
from nap_core.figures.picture import Picture, three_digits
from nap_core.figures.thumbnails import data_address, overlay
from nap_core.models.attention_hook import MEAN
from nap_core.nap import channel_ratio

MAP_HEIGHT = 420


@dataclass(frozen=True, eq=False)
class Subject:
    """An image on the screen and what the network's penultimate layer answers to it.

    ``role`` is "ID" or "OOD", ``title`` names the image ("cat"), ``colour`` is its dataset's; ``view`` (H, W, 3) uint8
    is what the network sees, ``maps`` (C, h, w) the activations, ``contribution`` (C,) what each channel adds to the
    logit of the predicted class, None where the logits are not linear in the channels' means. ``kind`` says what the
    channels are.
    """

    role: str
    title: str
    colour: str
    view: NDArray[np.uint8]
    maps: NDArray[np.float32]
    contribution: NDArray[np.float64] | None
    kind: ChannelKind = MAPS

    @cached_property
    def maximum(self) -> NDArray[np.float64]:
        """(C,), of the maps."""
        found: NDArray[np.float64] = self.maps.max(axis=(1, 2)).astype(np.float64)
        return found

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """(C,), of the maps."""
        found: NDArray[np.float64] = self.maps.mean(axis=(1, 2), dtype=np.float64)
        return found

    @cached_property
    def ratio(self) -> NDArray[np.float64]:
        """max / (mean + 1), (C,): what NAP squares and averages."""
        return channel_ratio(self.maximum, self.mean)

    @property
    def numbers(self) -> dict[str, NDArray[np.float64]]:
        """What there is to say of each channel in numbers, (C,) each, by name."""
        found = {"maximum": self.maximum, "mean": self.mean}
        found |= {} if self.kind.of_heads else {"ratio": self.ratio}
        return found | ({} if self.contribution is None else {"contribution": self.contribution})


def enlarged(view: NDArray[np.uint8], least: int = 320) -> Image.Image:
    """``view`` as an image of at least ``least`` pixels a side, each pixel a sharp block."""
    image = Image.fromarray(view)
    times = max(1, -(-least // min(image.size)))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def overlay_map(subject: Subject, channel: int, top: float, opacity: float) -> Picture:
    """The image with the map of ``channel`` laid over it, coloured from 0 to ``top``; the values show on hover."""
    found = subject.maps[channel].astype(np.float64)
    height, width = found.shape
    figure = go.Figure(
        [
            go.Heatmap(  # invisible: the picture below is painted already, this carries the values
                z=found,
                x=np.arange(1, width + 1),
                y=np.arange(1, height + 1),
                colorscale=[[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]],
                showscale=False,
                hovertemplate=f"row %{{y}}, column %{{x}}<br>{subject.kind.value} %{{z:.3g}}<extra></extra>",
            ),
            _colour_bar(top, subject.kind.value),
        ]
    )
    painted = overlay(enlarged(subject.view), found, top, opacity)
    figure.add_layout_image(
        source=data_address(painted, size=max(painted.size)),
        xref="x",
        yref="y",
        x=0.5,
        y=0.5,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )
    figure.update_xaxes(visible=False, range=[0.5, width + 0.5], constrain="domain", fixedrange=True)
    figure.update_yaxes(visible=False, range=[height + 0.5, 0.5], scaleanchor="x", constrain="domain", fixedrange=True)
    figure.update_layout(height=MAP_HEIGHT, margin={"l": 0, "r": 0, "t": 4, "b": 56}, showlegend=False)
    reading = _map_reading(found, channel, subject.kind)
    stem = f"{subject.kind.one}_{channel}_{subject.role.lower()}"
    return Picture(figure, reading, _long_table([(subject, channel)]), stem)


def _map_reading(found: NDArray[np.float64], channel: int, kind: ChannelKind) -> str:
    maximum, mean = float(found.max()), float(found.mean())
    if maximum <= 0:
        return f"Channel {channel} stays silent: no neuron answers this image."
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    where = f"{three_digits(maximum)} in row {row + 1}, column {column + 1}"
    if kind.of_heads:
        who, nap = ("The mean over heads", ", which is the image’s NAP") if channel == MEAN else (f"Head {channel}", "")
        return f"{who} peaks at {where}{nap}; spread evenly over the patches, each would get {1 / found.size:.2g}."
    return (
        f"Channel {channel} peaks at {where}, "
        f"over a mean of {three_digits(mean)}: {kind.ratio} is {three_digits(channel_ratio(maximum, mean))}."
    )


def _colour_bar(top: float, value: str) -> go.Scatter:
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        hoverinfo="skip",
        marker={
            "color": [0],
            "cmin": 0,
            "cmax": top if top > 0 else 1,
            "colorscale": sequential(),
            "showscale": True,
            "colorbar": {
                "orientation": "h",
                "thickness": 10,
                "len": 0.6,
                "y": 0,
                "yanchor": "top",
                "ypad": 4,
                "nticks": 5,
                "title": {"text": value, "side": "bottom"},
            },
        },
    )


def _long_table(drawn: Sequence[tuple[Subject, int]]) -> pd.DataFrame:
    """One row a neuron."""
    parts = []
    for subject, channel in drawn:
        rows, columns = (index.ravel() + 1 for index in np.indices(subject.maps.shape[1:]))
        part = pd.DataFrame({"row": rows, "column": columns, "activation": subject.maps[channel].ravel()})
        parts.append(part.assign(image=subject.role, title=subject.title, channel=channel))
    return pd.concat(parts, ignore_index=True)[["image", "title", "channel", "row", "column", "activation"]]


@dataclass(frozen=True, eq=False)
class Tiles:
    """The maps of some channels, ID above OOD, on one colour scale from 0 to ``top``.

    ``table`` has one row a map: image, title, channel, and the subjects' ``numbers``.
    """

    known: Subject
    met: Subject
    channels: tuple[int, ...]
    top: float
    reading: str
    table: pd.DataFrame
    name: str = "channel_tiles"


def channel_tiles(known: Subject, met: Subject, shown: Sequence[int]) -> Tiles:
    """Tiles of the channels ``shown``. The colour scale ends at the highest activation of either image in any channel,
    so that colours mean the same whichever channels are shown."""
    channels = tuple(int(channel) for channel in shown)
    tables = [
        pd.DataFrame(
            {"image": subject.role, "title": subject.title, "channel": channels}
            | {name: values[list(channels)] for name, values in subject.numbers.items()}
        )
        for subject in (known, met)
    ]
    top = max(float(known.maximum.max()), float(met.maximum.max()))
    return Tiles(known, met, channels, top, _tiles_reading(known, met), pd.concat(tables, ignore_index=True))


def _tiles_reading(known: Subject, met: Subject) -> str:
    kind = known.kind
    first = 1 if kind.of_heads else 0  # the mean over the heads is none of them
    ours, theirs = known.maximum[first:], met.maximum[first:]
    higher, lower = int((ours > theirs).sum()), int((ours < theirs).sum())
    peaks = [f"{three_digits(float(one.max()))} ({kind.name(int(one.argmax()) + first)})" for one in (ours, theirs)]
    return (
        f"In {higher} of {len(ours):,} {kind.many} the ID image has the higher peak, in {lower} the OOD image; "
        f"the highest peaks are {peaks[0]} for ID and {peaks[1]} for OOD."
    )
