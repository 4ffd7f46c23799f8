"""Feature maps of an ID and an OOD image: one channel laid over each, many channels as tiles."""

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
from nap_core.figures.layout import INVISIBLE, Style, base_layout, marks, under_axes
from nap_core.figures.palette import sequential
from nap_core.figures.picture import Picture
from nap_core.figures.text import three_digits
from nap_core.figures.thumbnails import data_address, overlay
from nap_core.nap import MEAN, channel_ratio

MAP_HEIGHT = 420


@dataclass(frozen=True, eq=False)
class Subject:
    """An image and its penultimate feature maps.

    Attributes:
        role: "ID" or "OOD".
        title: The name of the image ("cat").
        colour: The colour of its dataset.
        view: The network's input before normalisation, (H, W, 3) uint8.
        maps: The feature maps, (C, h, w).
        contribution: The summand of each channel in the logit of the predicted class, (C,); None where the logits are
            not linear in the pooled features.
        kind: Feature maps or attention heads.
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
        return np.asarray(self.maps.max(axis=(1, 2)), np.float64)

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """(C,), of the maps."""
        return np.asarray(self.maps.mean(axis=(1, 2), dtype=np.float64))

    @cached_property
    def ratio(self) -> NDArray[np.float64]:
        """max / (mean + 1), (C,): what NAP squares and averages."""
        return channel_ratio(self.maximum, self.mean)

    @property
    def numbers(self) -> dict[str, NDArray[np.float64]]:
        """The statistics of each channel, (C,) each, by name."""
        numbers = {"maximum": self.maximum, "mean": self.mean}
        numbers |= {} if self.kind.of_heads else {"ratio": self.ratio}
        return numbers | ({} if self.contribution is None else {"contribution": self.contribution})


def enlarged(view: NDArray[np.uint8], least: int = 320) -> Image.Image:
    """``view`` as an image of at least ``least`` pixels a side, each pixel a sharp block.

    Args:
        view: The pixels, (H, W, 3) uint8.
        least: The least length of the shorter side, in pixels.

    Returns:
        An RGB image, (H, W) times the smallest whole number that suffices; at its own size where it is large enough.
    """
    image = Image.fromarray(view)
    times = max(1, -(-least // min(image.size)))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def overlay_map(subject: Subject, channel: int, top: float, opacity: float) -> Picture:
    """The image with the feature map of one channel laid over it, after Figure 1a of the NAP paper.

    Args:
        subject: The image and its maps.
        channel: The index of the channel in ``subject.maps``.
        top: The activation at the end of the colour scale, which begins at 0.
        opacity: The opacity of the map at ``top``, 0 to 1; inactive neurons are transparent.

    Returns:
        The figure with a colour bar and the activations on hover; its table is ``neurons`` of the map.
    """
    values = subject.maps[channel].astype(np.float64)
    height, width = values.shape
    # Invisible: the picture below is painted already, this carries the values.
    clear, hover = [[0, INVISIBLE], [1, INVISIBLE]], f"row %{{y}}, column %{{x}}<br>{subject.kind.value} %{{z:.3g}}"
    grid: Style = {"type": "heatmap", "z": values, "x": np.arange(1, width + 1), "y": np.arange(1, height + 1)}
    grid |= {"colorscale": clear, "showscale": False, "hovertemplate": f"{hover}<extra></extra>"}
    painted = overlay(enlarged(subject.view), values, top, opacity)
    image = under_axes(data_address(painted, size=max(painted.size)), width, height, corner=0.5)
    hidden: Style = {"visible": False, "constrain": "domain", "fixedrange": True}
    axes: Style = {"xaxis": {"range": [0.5, width + 0.5], **hidden}, "images": [image]}
    axes["yaxis"] = {"range": [height + 0.5, 0.5], "scaleanchor": "x", **hidden}
    layout = base_layout(MAP_HEIGHT, (4, 0, 56, 0), showlegend=False, **axes)
    figure = go.Figure([grid, _colour_bar(top, subject.kind.value)], layout)
    caption = _map_reading(values, channel, subject.kind)
    stem = f"{subject.kind.one}_{channel}_{subject.role.lower()}"
    table = neurons(subject.role, subject.maps[channel], title=subject.title, channel=channel)
    return Picture(figure, caption, table, stem)


def _map_reading(values: NDArray[np.float64], channel: int, kind: ChannelKind) -> str:
    maximum, mean = float(values.max()), float(values.mean())
    if maximum <= 0:
        return f"Channel {channel} is inactive: no neuron has a positive activation on this image."
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    where = f"{three_digits(maximum)} in row {row + 1}, column {column + 1}"
    if kind.of_heads:
        who, nap = ("The mean over heads", ", which is the image’s NAP") if channel == MEAN else (f"Head {channel}", "")
        return f"{who} peaks at {where}{nap}; spread evenly over the patches, each would get {1 / values.size:.2g}."
    return (
        f"Channel {channel} peaks at {where}, "
        f"over a mean of {three_digits(mean)}: {kind.ratio} is {three_digits(channel_ratio(maximum, mean))}."
    )


def _colour_bar(top: float, value: str) -> Style:
    bar = {"orientation": "h", "thickness": 10, "len": 0.6, "y": 0, "yanchor": "top", "ypad": 4, "nticks": 5}
    bar["title"] = {"text": value, "side": "bottom"}
    scale = {"cmin": 0, "cmax": top if top > 0 else 1, "colorscale": sequential(), "showscale": True}
    return marks([None], [None], {"color": [0], **scale, "colorbar": bar})


def neurons(role: str, channel_map: NDArray[np.floating], **named: str | int) -> pd.DataFrame:
    """A feature map as a table.

    Args:
        role: "ID" or "OOD", the column "image".
        channel_map: The activations of one channel, (h, w).
        named: Further columns with one value each, by name, for example the channel.

    Returns:
        h · w rows, one a neuron: "image", ``named``, "row" and "column" (from 1), "activation".
    """
    rows, columns = (index.ravel() + 1 for index in np.indices(channel_map.shape))
    return pd.DataFrame({"image": role, **named, "row": rows, "column": columns, "activation": channel_map.ravel()})


@dataclass(frozen=True, eq=False)
class Tiles:
    """The maps of some channels, ID above OOD, on one colour scale.

    Attributes:
        id_image: The ID image.
        ood_image: The OOD image.
        channels: The channels shown.
        top: The activation at the end of the colour scale, which begins at 0.
        reading: The caption.
        table: One row a map: image, title, channel, and the ``numbers`` of the image.
        name: The stem of the files.
    """

    id_image: Subject
    ood_image: Subject
    channels: tuple[int, ...]
    top: float
    reading: str
    table: pd.DataFrame
    name: str = "channel_tiles"


def channel_tiles(id_image: Subject, ood_image: Subject, shown: Sequence[int]) -> Tiles:
    """Tiles of several channels of an ID and an OOD image, on a colour scale that all channels share.

    Args:
        id_image: The ID image and its maps.
        ood_image: The OOD image and its maps of the same network.
        shown: The channels, in the order of the tiles.

    Returns:
        The tiles; the colour scale ends at the highest activation of either image in any channel, shown or not.
    """
    channels = tuple(int(channel) for channel in shown)
    tables = [
        pd.DataFrame(
            {"image": subject.role, "title": subject.title, "channel": channels}
            | {name: values[list(channels)] for name, values in subject.numbers.items()}
        )
        for subject in (id_image, ood_image)
    ]
    top = max(float(id_image.maximum.max()), float(ood_image.maximum.max()))
    return Tiles(
        id_image, ood_image, channels, top, _tiles_reading(id_image, ood_image), pd.concat(tables, ignore_index=True)
    )


def _tiles_reading(id_image: Subject, ood_image: Subject) -> str:
    kind = id_image.kind
    first = 1 if kind.of_heads else 0  # the mean over the heads is none of them
    id_peaks, ood_peaks = id_image.maximum[first:], ood_image.maximum[first:]
    higher, lower = int((id_peaks > ood_peaks).sum()), int((id_peaks < ood_peaks).sum())
    peaks = [
        f"{three_digits(float(one.max()))} ({kind.name(int(one.argmax()) + first)})" for one in (id_peaks, ood_peaks)
    ]
    return (
        f"In {higher} of {len(id_peaks):,} {kind.many} the ID image has the higher peak, in {lower} the OOD image; "
        f"the highest peaks are {peaks[0]} for ID and {peaks[1]} for OOD."
    )
