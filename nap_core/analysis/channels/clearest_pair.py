"""Pairs of an ID and an OOD image with equal means and unequal maxima, over several OOD datasets."""

from __future__ import annotations

from collections.abc import Mapping

from nap_core.activations import Activations
from nap_core.analysis.channels.max_mean_points import images_collected
from nap_core.analysis.channels.ranking import (
    MatchedPeaks,
    SameMeanPair,
    clearest_pair,
    matched_peaks,
    same_mean_pair,
)

MOST_SEARCHED = 2**23  # values: of 2,048 channels 4,000 images, which are compared within some seconds


def pair_of_channel(
    id_images: Activations, ood: Mapping[str, Activations], channel: int
) -> tuple[str, SameMeanPair | None, MatchedPeaks]:
    """The clearest pair of images with equal means and unequal maxima in one channel.

    Args:
        id_images: The ID images.
        ood: Catalogue name → images of each OOD dataset, at least one.
        channel: The channel.

    Returns:
        The OOD dataset of the pair, the pair (None without one), and how typical it is of that dataset.
    """
    name, pair = _largest({name: same_mean_pair(id_images, images, channel) for name, images in ood.items()})
    return name, pair, matched_peaks(id_images, ood[name], channel)


def pair_of_all_channels(id_images: Activations, ood: Mapping[str, Activations]) -> tuple[str, SameMeanPair | None]:
    """The clearest pair of images with equal means and unequal maxima in any channel, among the ``images_searched``.

    Args:
        id_images: The ID images.
        ood: Catalogue name → images of each OOD dataset, at least one.

    Returns:
        The OOD dataset of the pair, and the pair; None without one.
    """
    first, *others = images_searched(id_images, ood)
    pairs = (
        clearest_pair(id_images.head(first), images.head(count))
        for images, count in zip(ood.values(), others, strict=True)
    )
    return _largest(dict(zip(ood, pairs, strict=True)))


def images_searched(id_images: Activations, ood: Mapping[str, Activations]) -> list[int]:
    """How many images are compared: all, or the first of each dataset where these hold over ``MOST_SEARCHED`` values.

    Args:
        id_images: The ID images.
        ood: Catalogue name → images of each OOD dataset.

    Returns:
        The number of ID images, then that of each OOD dataset.
    """
    return images_collected([id_images, *ood.values()], most=MOST_SEARCHED)


def _largest(pairs: Mapping[str, SameMeanPair | None]) -> tuple[str, SameMeanPair | None]:
    return max(pairs.items(), key=lambda entry: entry[1].difference if entry[1] else float("-inf"))
