"""Channels of the penultimate map, one by one: how they rank for an image, and what their means hide.

Every function takes statistics, never maps: maximum and mean per image and channel are enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nap_core.activations import Activations

Values = NDArray[np.float64]
TOLERANCE = 0.05  # two means are "the same" when they differ by at most this share of the larger one
FLOOR = 0.1  # the paper leaves out points with a mean of 0.1 or less (Figures 5 and 9 to 11)

ORDERS: Mapping[str, str] = {
    "contribution": "contribution to the predicted class",
    "maximum": "maximum",
    "mean": "mean",
    "ratio": "max / (mean + 1)",
}
"""What channels can be ordered by, name → words; ``values`` computes each."""

BASES: Mapping[str, str] = {"ID": "ID image", "OOD": "OOD image", "difference": "ID − OOD"}
"""Whose values channels can be ordered by, name → words; ``basis_values`` picks them."""


def contributions(activations: Activations, head_weight: NDArray[np.floating]) -> Values:
    """What each channel adds to the logit of the class that is predicted: mean_j · W[c, j], (N, C).

    ``head_weight`` is W, (K, C). With the bias of c the row adds up to the predicted logit, because the network's head
    is linear in the means. Raises ValueError for activations of a network whose head reads something else.
    """
    if activations.features is not None:
        raise ValueError("the logits are not linear in the means of the channels")
    weights = np.asarray(head_weight, dtype=np.float64)[activations.predictions]
    added: Values = activations.mean.astype(np.float64) * weights
    return added


def values(activations: Activations, order: str, head_weight: NDArray[np.floating] | None) -> Values:
    """One quantity per image and channel.

    Args:
        activations: The images, N rows of C channels.
        order: The quantity, a key of ``ORDERS``.
        head_weight: The weight of the linear head, (K, C), for "contribution"; None without one.

    Returns:
        The quantity, (N, C) float64.

    Raises:
        ValueError: There is no such quantity, or no linear head for "contribution".
    """
    if order == "contribution":
        if head_weight is None:
            raise ValueError("without a linear head no channel contributes to a class")
        return contributions(activations, head_weight)
    if order == "ratio":
        return activations.ratio().astype(np.float64)
    if order not in ORDERS:
        raise ValueError(f"channels cannot be ordered by {order!r}; there are {', '.join(ORDERS)}")
    statistics: NDArray[np.floating] = getattr(activations, order)
    return statistics.astype(np.float64)


def basis_values(id_values: ArrayLike, ood_values: ArrayLike, basis: str) -> Values:
    """The values by which channels are ordered, of a pair of images.

    Args:
        id_values: The values of the ID image, (C,).
        ood_values: The values of the OOD image, (C,).
        basis: Whose values are taken, a key of ``BASES``.

    Returns:
        The ID image's values, the OOD image's, or ID less OOD, (C,).

    Raises:
        ValueError: There is no such basis.
    """
    first, second = np.asarray(id_values, dtype=np.float64), np.asarray(ood_values, dtype=np.float64)
    if basis not in BASES:
        raise ValueError(f"there is no basis {basis!r}; there are {', '.join(BASES)}")
    return {"ID": first, "OOD": second, "difference": first - second}[basis]


def ranking(one_image: ArrayLike) -> NDArray[np.int64]:
    """The channels from the largest value to the smallest; equal values keep the order of the channels.

    Args:
        one_image: One value a channel, (C,).

    Returns:
        Channel numbers, (C,).
    """
    return np.argsort(-np.asarray(one_image, dtype=np.float64), kind="stable")


@dataclass(frozen=True)
class SameMeanPair:
    """Two images that one channel gives the same mean: what Figures 1a and 8 of the NAP paper show.

    Attributes:
        channel: The channel.
        id_row: The row of the ID image in the activations compared.
        ood_row: The row of the OOD image in the activations compared.
        id_mean: The channel's mean on the ID image.
        ood_mean: Its mean on the OOD image.
        id_maximum: Its maximum on the ID image.
        ood_maximum: Its maximum on the OOD image.
    """

    channel: int
    id_row: int
    ood_row: int
    id_mean: float
    ood_mean: float
    id_maximum: float
    ood_maximum: float

    @property
    def difference(self) -> float:
        """By how much the ID image's peak is the higher one; negative when it is the lower one."""
        return self.id_maximum - self.ood_maximum


def same_mean_pair(
    id_activations: Activations,
    ood_activations: Activations,
    channel: int,
    *,
    tolerance: float = TOLERANCE,
    floor: float = FLOOR,
) -> SameMeanPair | None:
    """The ID and OOD image whose means in a channel agree and whose maxima differ most, the ID image's being higher.

    Exactly: among all pairs with both means above ``floor`` and |mean_ID − mean_OOD| ≤ ``tolerance`` · the larger mean,
    the pair with the largest max_ID − max_OOD; the first by row among equals. N ID and M OOD images take
    O((N + M) log M), not N · M: means are sorted, so the partners of an image are one run of them.

    Args:
        id_activations: The ID images, N rows.
        ood_activations: The OOD images, M rows.
        channel: The channel.
        tolerance: The share of the larger mean by which the two may differ.
        floor: Images with this mean or less are left out.

    Returns:
        The pair; None when no two images qualify.
    """
    id_mean, id_maximum = _column(id_activations, channel)
    ood_mean, ood_maximum = _column(ood_activations, channel)
    id_rows, ood_rows = np.flatnonzero(id_mean > floor), _ascending(ood_mean, floor)
    low, high = _partners(id_mean[id_rows], ood_mean[ood_rows], tolerance)
    some = high > low
    if not some.any():
        return None
    id_rows, low, high = id_rows[some], low[some], high[some]
    best = int(np.argmax(id_maximum[id_rows] - _lowest(ood_maximum[ood_rows], low, high)))
    partners = np.sort(ood_rows[low[best] : high[best]])
    first, second = int(id_rows[best]), int(partners[np.argmin(ood_maximum[partners])])
    return SameMeanPair(
        channel,
        first,
        second,
        float(id_mean[first]),
        float(ood_mean[second]),
        float(id_maximum[first]),
        float(ood_maximum[second]),
    )


def clearest_pair(id_activations: Activations, ood_activations: Activations) -> SameMeanPair | None:
    """The ``same_mean_pair`` of the channel where the maxima differ most.

    2,000 images on either side and 2,048 channels take a second.

    Args:
        id_activations: The ID images.
        ood_activations: The OOD images.

    Returns:
        The pair, of the first such channel among equals; None where no channel has one.
    """
    pairs = [same_mean_pair(id_activations, ood_activations, channel) for channel in range(id_activations.channels)]
    return max((pair for pair in pairs if pair), key=lambda pair: pair.difference, default=None)


def average_maximum(images: Sequence[Activations]) -> Values:
    """The mean of each channel's maximum over all images of several datasets; each image counts alike.

    Args:
        images: The images of each dataset, at least one.

    Returns:
        One mean a channel, (C,).
    """
    means = [one.maximum.mean(axis=0, dtype=np.float64) for one in images]
    return np.average(means, axis=0, weights=[len(one) for one in images])


@dataclass(frozen=True)
class MatchedPeaks:
    """ID images matched with OOD images by their mean.

    Attributes:
        share: The share of the pairs in which the ID image has the higher maximum; NaN without pairs.
        pairs: The number of pairs.
    """

    share: float
    pairs: int


def matched_peaks(
    id_activations: Activations,
    ood_activations: Activations,
    channel: int,
    *,
    tolerance: float = TOLERANCE,
    floor: float = FLOOR,
) -> MatchedPeaks:
    """How typical ``same_mean_pair`` is of a channel: the rule, where that is the extreme.

    Each ID image with a mean above ``floor`` is matched with the OOD image whose mean is nearest (the lower of two
    equally near).

    Args:
        id_activations: The ID images.
        ood_activations: The OOD images.
        channel: The channel.
        tolerance: Matches whose means differ by more than this share of the larger one are left out.
        floor: Images with this mean or less are left out.

    Returns:
        The share of the matches in which the ID image has the higher maximum, equal maxima counted half, and their
        number.
    """
    id_mean, id_maximum = _column(id_activations, channel)
    ood_mean, ood_maximum = _column(ood_activations, channel)
    kept = id_mean > floor
    id_mean, id_maximum = id_mean[kept], id_maximum[kept]
    ood_rows = _ascending(ood_mean, floor)
    if not len(ood_rows) or not len(id_mean):
        return MatchedPeaks(float("nan"), 0)
    ood_mean, ood_maximum = ood_mean[ood_rows], ood_maximum[ood_rows]
    above = np.searchsorted(ood_mean, id_mean).clip(0, len(ood_mean) - 1)
    below = (above - 1).clip(0)
    nearest = np.where(np.abs(ood_mean[above] - id_mean) < np.abs(id_mean - ood_mean[below]), above, below)
    low, high = _partners(id_mean, ood_mean, tolerance)
    same = (low <= nearest) & (nearest < high)
    if not same.any():
        return MatchedPeaks(float("nan"), 0)
    first, second = id_maximum[same], ood_maximum[nearest[same]]
    return MatchedPeaks(float(np.mean((first > second) + 0.5 * (first == second))), int(same.sum()))


def _column(activations: Activations, channel: int) -> tuple[Values, Values]:
    """Mean and maximum of one channel, (N,) each."""
    mean, maximum = activations.mean[:, channel], activations.maximum[:, channel]
    return mean.astype(np.float64), maximum.astype(np.float64)


def _ascending(means: Values, floor: float) -> NDArray[np.int64]:
    """The rows with a mean above ``floor``, in ascending order of it."""
    rows = np.flatnonzero(means > floor)
    return rows[np.argsort(means[rows], kind="stable")]


def _partners(means: Values, sorted_means: Values, tolerance: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each mean, the run [low, high) of ``sorted_means`` that agree with it to within ``tolerance``."""
    low = np.searchsorted(sorted_means, means * (1 - tolerance), side="left")
    high = np.searchsorted(sorted_means, means / (1 - tolerance), side="right")
    return low.astype(np.int64), high.astype(np.int64)


def _lowest(sequence: Values, low: NDArray[np.int64], high: NDArray[np.int64]) -> Values:
    """The smallest of sequence[low[i]:high[i]] for each i; no run may be empty.

    A run of length n is covered by two runs of length 2^k ≤ n that may overlap; the minima over all runs of length 2^k
    come from those of length 2^(k−1).
    """
    lowest = np.empty(len(low))
    power = np.frexp((high - low).astype(np.float64))[1] - 1
    minima = sequence
    for step in range(int(power.max()) + 1):
        if step:
            half = 2 ** (step - 1)
            minima = np.minimum(minima[:-half], minima[half:])
        here = power == step
        lowest[here] = np.minimum(minima[low[here]], minima[high[here] - 2**step])
    return lowest
