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

    ``left_out`` are the indices, in the dataset, of images whose activations are not finite: see ``finite``.
    """

    activations: Activations
    images: ImageDataset | None = None
    left_out: tuple[int, ...] = ()

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


def left_out_sentence(title: str, left_out: tuple[int, ...], rows: int) -> str:
    """Which images of ``rows`` have no finite answer, in one sentence; empty for none."""
    if not left_out:
        return ""
    some = ", ".join(f"{index:,}" for index in left_out[:NAMED]) + (" …" if len(left_out) > NAMED else "")
    return (
        f"{title}: the network's answer to {len(left_out):,} of {rows:,} images is not finite (image {some}, counted "
        "from 0). They are left out of all numbers."
    )
