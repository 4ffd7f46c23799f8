"""The points of the scatter of maximum over mean: every point is one channel of one image.

Axes as in the paper's Figure 1b, whose caption puts the distribution of the mean above the scatter and that of the
maximum to its right: x is the mean of a channel's map, y its maximum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nap_core.activations import Activations, FloatArray
from nap_core.analysis.channels.ranking import FLOOR

SEED = 0
MOST_COLLECTED = 4_000_000
"""Points of a study from which on the first images of each dataset stand for all of them: a study of ImageNet has 184
million, and sorting so many takes minutes and gigabytes. A median of thousands does not move by more."""

Polygon = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True, eq=False)
class Points:
    """The points of one dataset, each a channel of an image.

    Attributes:
        dataset: Catalogue name of the dataset.
        channels: The number of channels of the network, C.
        place: The origin of each point, (P,): image · C + channel.
        mean: The mean of the channel's map, (P,) float32.
        maximum: Its maximum, (P,) float32.
        left_out: The number of points whose mean is at or below the threshold.
        images: The number of images that the points are of, the first of the dataset.
        all_images: The number of images of the dataset.
    """

    dataset: str
    channels: int
    place: NDArray[np.int64]
    mean: FloatArray
    maximum: FloatArray
    left_out: int
    images: int = 0
    all_images: int = 0

    def __len__(self) -> int:
        return len(self.place)

    @property
    def row(self) -> NDArray[np.int64]:
        """The image of each point, (P,)."""
        return self.place // self.channels

    @property
    def channel(self) -> NDArray[np.int64]:
        """The channel of each point, (P,)."""
        return self.place % self.channels

    def take(self, index: NDArray[np.int64]) -> Points:
        """Some of the points.

        Args:
            index: Their positions, (Q,), in the order wanted.

        Returns:
            These points; the counts are unchanged.
        """
        return replace(self, place=self.place[index], mean=self.mean[index], maximum=self.maximum[index])


def points_of(
    dataset: str,
    activations: Activations,
    *,
    channel: int | None = None,
    floor: float | None = FLOOR,
    images: int | None = None,
) -> Points:
    """The points of a dataset, of all channels or of one.

    Args:
        dataset: Catalogue name of the dataset.
        activations: Its images, N rows of C channels.
        channel: The channel; None for all.
        floor: Points with this mean or less are left out; None keeps every point, silent channels included.
        images: The number of images taken, from the first on; None for all.

    Returns:
        The points, at most N · C, in the order of the images.
    """
    first = slice(images)
    chosen = slice(None) if channel is None else slice(channel, channel + 1)
    mean, maximum = activations.mean[first, chosen], activations.maximum[first, chosen]
    kept = np.arange(mean.size) if floor is None else np.flatnonzero(mean.ravel() > floor)
    place = kept if channel is None else kept * activations.channels + channel
    return Points(
        dataset,
        activations.channels,
        place,
        mean.ravel()[kept].astype(np.float32, copy=False),
        maximum.ravel()[kept].astype(np.float32, copy=False),
        mean.size - len(kept),
        len(mean),
        len(activations),
    )


def images_collected(
    parts: Sequence[Activations], *, channel: int | None = None, most: int = MOST_COLLECTED
) -> list[int]:
    """How many images of each dataset to gather points from.

    Args:
        parts: The images of each dataset.
        channel: The channel whose points are gathered; None for all channels.
        most: The most points.

    Returns:
        The number of images of each part: all, or the same share of each, at least one, where all would give more
        points.
    """
    total = sum(len(part) * (part.channels if channel is None else 1) for part in parts)
    return [len(part) if total <= most else min(len(part), max(1, len(part) * most // total)) for part in parts]


def points_of_each(
    parts: Mapping[str, Activations],
    *,
    channel: int | None = None,
    floor: float | None = FLOOR,
    most: int = MOST_COLLECTED,
) -> list[Points]:
    """The ``points_of`` every dataset, of as many images as ``images_collected`` gives.

    Args:
        parts: Catalogue name → images of the dataset.
        channel: The channel; None for all.
        floor: Points with this mean or less are left out; None keeps every point.
        most: The most points, of all datasets together.

    Returns:
        The points of each dataset, in the order of ``parts``.
    """
    counts = images_collected(list(parts.values()), channel=channel, most=most)
    return [
        points_of(name, images, channel=channel, floor=floor, images=count)
        for (name, images), count in zip(parts.items(), counts, strict=True)
    ]


def sampled(parts: Sequence[Points], most: int) -> list[Points]:
    """At most ``most`` of the points, the same share of every dataset, drawn at random from a fixed seed.

    Args:
        parts: The points of each dataset.
        most: The most points, of all datasets together.

    Returns:
        The points drawn of each dataset; all where there are no more than ``most``.
    """
    total = sum(map(len, parts))
    if total <= most:
        return list(parts)
    chance = np.random.default_rng(SEED)
    return [
        part.take(np.sort(chance.choice(len(part), size=len(part) * most // total, replace=False))) for part in parts
    ]


@dataclass(frozen=True)
class Region:
    """A selection drawn over the scatter, in the units of its axes.

    Attributes:
        boxes: The corners (x0, y0, x1, y1) of each box.
        lassos: The x and the y of the corners of each lasso.
    """

    boxes: tuple[tuple[float, float, float, float], ...] = ()
    lassos: tuple[Polygon, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.boxes or self.lassos)

    def contains(self, x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
        """Which points lie in any of the boxes and lassos; the rim of a box belongs to it.

        Args:
            x: The means of the points, (P,).
            y: Their maxima, (P,).

        Returns:
            Whether each point is inside, (P,).
        """
        inside = np.zeros(len(x), dtype=bool)
        for x0, y0, x1, y1 in self.boxes:
            inside |= (x >= min(x0, x1)) & (x <= max(x0, x1)) & (y >= min(y0, y1)) & (y <= max(y0, y1))
        for xs, ys in self.lassos:
            inside |= _in_polygon(np.asarray(xs, np.float64), np.asarray(ys, np.float64), x, y)
        return inside


def _in_polygon(xs: FloatArray, ys: FloatArray, x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
    """Which points lie in a polygon, by the even-odd rule: a ray to the right crosses its rim an odd number of times.

    The points are sorted by height once, so that each edge is compared only with those at its height: a lasso with
    hundreds of corners costs little more than one with three.
    """
    inside = np.zeros(len(x), dtype=bool)
    if len(xs) < 3:
        return inside
    near = np.flatnonzero((x >= xs.min()) & (x <= xs.max()) & (y >= ys.min()) & (y <= ys.max()))
    near = near[np.argsort(y[near])]
    right, height = x[near].astype(np.float64), y[near].astype(np.float64)
    odd = np.zeros(len(near), dtype=bool)
    for x0, y0, x1, y1 in zip(xs, ys, np.roll(xs, -1), np.roll(ys, -1), strict=True):
        low, high = np.searchsorted(height, sorted((y0, y1)))
        if low < high:
            crossing = x0 + (height[low:high] - y0) * ((x1 - x0) / (y1 - y0))
            odd[low:high] ^= right[low:high] < crossing
    inside[near] = odd
    return inside


@dataclass(frozen=True)
class Picked:
    """An image with selected points.

    Attributes:
        dataset: Catalogue name of its dataset.
        row: Its index in the dataset.
        channels: The channels of its selected points, the one with the highest maximum first.
    """

    dataset: str
    row: int
    channels: tuple[int, ...]


def picked(parts: Sequence[Points], region: Region) -> list[Picked]:
    """The images behind the points in a region, each once.

    Args:
        parts: The points of each dataset.
        region: The selection.

    Returns:
        The images, those with most of the points first; among equals the datasets take turns.
    """
    images = []
    for part in parts:
        index = np.flatnonzero(region.contains(part.mean, part.maximum))
        chosen = part.take(index)
        chosen = chosen.take(np.lexsort((-chosen.maximum, chosen.row)))
        rows, start = np.unique(chosen.row, return_index=True)
        groups = np.split(chosen.channel, start[1:]) if len(rows) else []
        images += [
            Picked(part.dataset, int(row), tuple(channels.tolist())) for row, channels in zip(rows, groups, strict=True)
        ]
    return _alternating(images)


def _alternating(images: Sequence[Picked]) -> list[Picked]:
    """Those with most points first; among equals the datasets take turns, so that none hides the others."""
    turn: Counter[tuple[str, int]] = Counter()
    keys = []
    for image in images:
        group = image.dataset, len(image.channels)
        keys.append((-group[1], turn[group]))
        turn[group] += 1
    return [images[place] for place in sorted(range(len(images)), key=keys.__getitem__)]
