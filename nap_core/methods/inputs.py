"""The images of one dataset as methods take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.datasets.subset import subset

NAMED = 5


@dataclass(frozen=True, eq=False)  # one object is one set of images: it serves as a key of caches
class ImageSet:
    """Images to be scored: their stored activations (N rows) and, where there are any, the images themselves.

    Attributes:
        activations: of N images.
        images: the images, None where there are none.
        left_out: the indices in the dataset, ascending, of the images that are not in the set.
        shared: those of ``left_out`` that stand in another set of the data, see ``methods.overlap``. The others have
            activations that are not finite, see ``finite``.
    """

    activations: Activations
    images: ImageDataset | None = None
    left_out: tuple[int, ...] = ()
    shared: tuple[int, ...] = ()

    @property
    def not_finite(self) -> tuple[int, ...]:
        """The indices in the dataset, ascending, of the images whose activations are not finite."""
        return tuple(index for index in self.left_out if index not in self.shared)

    def index(self, row: int) -> int:
        """The index in the dataset of the image of a row."""
        for index in self.left_out:  # ascending
            row += row >= index
        return row


def finite(images: ImageSet) -> ImageSet:
    """The set without the images whose activations or logits are not finite; the same object if all are."""
    answered = images.activations.finite
    if answered.all():
        return images
    kept = np.flatnonzero(answered)
    dataset = None if images.images is None else subset(images.images, kept)
    return ImageSet(images.activations.take(kept), dataset, tuple(np.flatnonzero(~answered).tolist()))


def left_out_sentences(title: str, images: ImageSet) -> list[str]:
    """Which images of the dataset called ``title`` are left out, a sentence for each reason."""
    rows = len(images.activations) + len(images.left_out)
    reasons = {
        "for which the network's answer is not finite": images.not_finite,
        "also found in the fit split or among the ID images": images.shared,
    }
    return [
        f"{title}: {len(left_out):,} of {rows:,} images left out of all numbers, {reason} ({_some(left_out)}, counted "
        "from 0)."
        for reason, left_out in reasons.items()
        if left_out
    ]


def _some(indices: tuple[int, ...]) -> str:
    return ", ".join(f"{index:,}" for index in indices[:NAMED]) + (" …" if len(indices) > NAMED else "")
