"""What a dataset of images is to the rest of the program, and how one is told from another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]

ORDER_SEED = 20260101
"""Seeds the order in which the images of an archive or a folder are presented."""


class ImageDataset(Protocol):
    """Images in a fixed order, of which any first n are representative.

    ``labels`` is (N,) int64, indices into ``classes`` and −1 where the class is unknown; ``classes`` is empty where
    there are none. ``fingerprint`` is a sha256 in hex over what the images show, their order and their labels (see
    ``fingerprint``): two sets that share it give the same activations.
    """

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def labels(self) -> Labels: ...

    def __len__(self) -> int: ...

    def image(self, index: int) -> Image.Image:
        """Image ``index`` in RGB, at its own size. Raises UserError when it can no longer be read."""
        ...


def digest(pixels: Pixels) -> bytes:
    """The sha256 of an image's RGB shape and pixels; a grey (H, W) one has the digest of its (H, W, 3) RGB."""
    rgb = np.repeat(pixels[..., None], 3, axis=-1) if pixels.ndim == 2 else np.ascontiguousarray(pixels)
    hasher = hashlib.sha256(f"{rgb.shape[0]} {rgb.shape[1]} {rgb.shape[2]}\n".encode())
    hasher.update(rgb.data)
    return hasher.digest()


def fingerprint(digests: Iterable[bytes], labels: Labels) -> str:
    """The identity of a dataset, from the ``digest`` of each image in order of presentation and the (N,) labels.

    Whether the images came from an archive, a folder or a contact sheet makes no difference; their names and titles
    do not enter, because activations do not depend on them.
    """
    hasher = hashlib.sha256()
    for one in digests:
        hasher.update(one)
    hasher.update(np.ascontiguousarray(labels, dtype="<i8").data)
    return hasher.hexdigest()


def presentation_order(count: int) -> NDArray[np.int64]:
    """The permutation of ``count`` images that ``ORDER_SEED`` gives.

    It ranks the raw output of PCG64, which NumPy keeps unchanged between versions; its shuffles may change.
    """
    keys = np.random.PCG64(ORDER_SEED).random_raw(count)
    return np.argsort(keys, kind="stable").astype(np.int64)


@dataclass(frozen=True, eq=False)
class ArrayImages:
    """Images held in one array, (N, H, W) grey or (N, H, W, 3) RGB uint8, shown in ``order``; ``labels`` follow it."""

    name: str
    title: str
    classes: tuple[str, ...]
    labels: Labels
    pixels: Pixels
    order: NDArray[np.int64]

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint((digest(self.pixels[i]) for i in self.order), self.labels)

    def __len__(self) -> int:
        return len(self.order)

    def image(self, index: int) -> Image.Image:
        return Image.fromarray(self.pixels[self.order[index]]).convert("RGB")
