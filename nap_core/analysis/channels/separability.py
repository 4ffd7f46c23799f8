"""How well single channels separate ID from OOD, and how much higher ID peaks stand at the same mean.

This is what the paper's Figures 1b, 5 and 9 to 11 show by eye ("at the same average activation level, ID data exhibits
significantly higher maximum activation values than OOD data"), in numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nap_core.activations import Activations, FloatArray
from nap_core.analysis.channels.max_mean_points import images_collected

STEP = 1.2  # bins of the mean are this factor wide: narrow enough that means in one bin may be called the same
LEAST = 10  # points from which the median of a bin is taken

MOST_RANKED = 2**25
"""Numbers from which on channels are ranked by a sample: of 2,048 channels 16,000 images, which give an AUROC to half a
percent, in two seconds instead of ten."""

_EDGES = 0.01 * STEP ** np.arange(110)  # from 0.01, below which a map is as good as silent, to about 4 million


def channel_auroc(id_values: FloatArray, ood_values: FloatArray) -> NDArray[np.float64]:
    """AUROC of each channel on its own: how likely an ID image has the larger value, ties counted half.

    An AUROC over several OOD datasets joined is the average of theirs weighted by their numbers of images.

    Args:
        id_values: One value an ID image and channel, (N, C), here max / (mean + 1); more is more ID.
        ood_values: The values of the OOD images, (M, C).

    Returns:
        Shares, (C,).

    Raises:
        ValueError: There is no image on a side, the channels differ or a value is not finite.
    """
    if id_values.ndim != 2 or ood_values.ndim != 2 or id_values.shape[1] != ood_values.shape[1]:
        raise ValueError(f"ID and OOD values must be (N, C) and (M, C), not {id_values.shape} and {ood_values.shape}")
    if not len(id_values) or not len(ood_values):
        raise ValueError(f"a rank needs both ID and OOD images, not {len(id_values)} and {len(ood_values)}")
    if not (np.isfinite(id_values).all() and np.isfinite(ood_values).all()):
        raise ValueError("some values are not finite")
    # A channel a row, so that sorting and searching run through memory in order. Looking the sorted values of one side
    # up in the other's needs no ranks of the union, which would cost an argsort of everything: seven times as slow.
    first = np.sort(np.ascontiguousarray(id_values.T), axis=1)
    second = np.sort(np.ascontiguousarray(ood_values.T), axis=1)
    areas = np.empty(len(first))
    for channel, (ours, theirs) in enumerate(zip(first, second, strict=True)):
        below = np.searchsorted(theirs, ours, side="left").sum(dtype=np.int64)
        up_to = np.searchsorted(theirs, ours, side="right").sum(dtype=np.int64)
        areas[channel] = (below + up_to) / 2
    return areas / (len(id_values) * len(ood_values))


def ratio_auroc(
    id_activations: Activations,
    ood_activations: Sequence[Activations],
    *,
    ratios: Callable[[Activations], FloatArray] = Activations.ratio,
    most: int = MOST_RANKED,
) -> tuple[NDArray[np.float64], int]:
    """``channel_auroc`` of ID images against several OOD datasets joined.

    Args:
        id_activations: The ID images.
        ood_activations: The images of each OOD dataset.
        ratios: Activations → the values compared, (N, C); by default max / (mean + 1).
        most: The most values: of more, only the first images of each dataset are used.

    Returns:
        The AUROC of each channel, (C,), and the number of images used.

    Raises:
        ValueError: As ``channel_auroc`` does.
    """
    parts = (id_activations, *ood_activations)
    counts = images_collected(parts, most=most)
    first, *others = (ratios(part.head(count)) for part, count in zip(parts, counts, strict=True))
    return channel_auroc(first, np.concatenate(others)), sum(counts)


@dataclass(frozen=True)
class PeakCurve:
    """The median of the maxima in B bins of the mean, which are the same for every curve.

    Attributes:
        count: The number of points in each bin, (B,).
        median: The median of their maxima, (B,); NaN in empty bins.
    """

    count: NDArray[np.int64]
    median: NDArray[np.float64]

    @property
    def centre(self) -> NDArray[np.float64]:
        """The geometric middle of the bins, (B,)."""
        middle: NDArray[np.float64] = _EDGES[:-1] * STEP**0.5
        return middle

    @property
    def firm(self) -> NDArray[np.bool_]:
        """The bins with enough points to be drawn and compared, (B,)."""
        return self.count >= LEAST


def peak_curve(mean: FloatArray, maximum: FloatArray) -> PeakCurve:
    """The median of the maxima in bins of the mean.

    Args:
        mean: The mean of each point, (P,); means below 0.01 are left out.
        maximum: The maximum of each point, (P,).

    Returns:
        The counts and medians, (B,) each.
    """
    place = np.searchsorted(_EDGES, mean, side="right") - 1
    inside = (place >= 0) & (place < len(_EDGES) - 1)
    place, maximum = place[inside], np.asarray(maximum)[inside]
    ordered = maximum[np.lexsort((maximum, place))].astype(np.float64)
    count = np.bincount(place, minlength=len(_EDGES) - 1)
    start = np.cumsum(count) - count
    median = np.full(len(count), np.nan)
    some = count > 0
    lower, upper = start[some] + (count[some] - 1) // 2, start[some] + count[some] // 2
    median[some] = (ordered[lower] + ordered[upper]) / 2
    return PeakCurve(count, median)


def peak_factor(id_curve: PeakCurve, ood_curve: PeakCurve) -> float:
    """How many times as high ID maxima are as OOD maxima at the same mean.

    In each bin of the mean with enough points on both sides the ID median is divided by the OOD median. The result is
    the geometric mean of these factors, each weighted by the smaller of its two numbers of points.

    Args:
        id_curve: The medians of the ID maxima.
        ood_curve: The medians of the OOD maxima.

    Returns:
        The factor; NaN where no bin has enough points of both.
    """
    both = id_curve.firm & ood_curve.firm
    if not both.any():
        return float("nan")
    factors = np.log(id_curve.median[both] / ood_curve.median[both])
    return float(np.exp(np.average(factors, weights=np.minimum(id_curve.count, ood_curve.count)[both])))
