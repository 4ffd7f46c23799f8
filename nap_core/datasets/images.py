"""The ImageDataset protocol, its base class, and the fingerprint of a dataset's content."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]

Numbering = Literal["", "from-0", "from-1", "in-order"]
"""How class names that are numbers count; "in-order" for classes by their place, "" where nothing was said."""

ORDER_SEED = 20260101
"""Seed of the order in which the images of an archive or a folder are presented."""


class ImageDataset(Protocol):
    """Images in a fixed random order, so that the first n are a representative sample.

    Attributes:
        name: the name in addresses.
        title: the name on the screen.
        fingerprint: sha256 in hex over the images' content, order and labels; part of store keys, so that two datasets
            with the same fingerprint have the same activations.
        classes: class names; empty if there are none.
        labels: (N,) int64, indices into ``classes``, −1 for unknown.
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
        """Image ``index`` in RGB at its own size. Raises UserError when its file cannot be read."""
        ...


def digest(pixels: Pixels) -> bytes:
    """sha256 over the shape and pixels of an RGB image (H, W, 3) uint8; a grey (H, W) one is converted to RGB first."""
    rgb = np.repeat(pixels[..., None], 3, axis=-1) if pixels.ndim == 2 else np.ascontiguousarray(pixels)
    hasher = hashlib.sha256(f"{rgb.shape[0]} {rgb.shape[1]} {rgb.shape[2]}\n".encode())
    hasher.update(rgb.data)
    return hasher.digest()


def fingerprint(digests: Iterable[bytes], labels: Labels) -> str:
    """The fingerprint of a dataset from the ``digest`` of each image in order of presentation and the labels (N,).

    File format, names and titles do not enter, because activations do not depend on them.
    """
    hasher = hashlib.sha256()
    for one in digests:
        hasher.update(one)
    hasher.update(np.ascontiguousarray(labels, dtype="<i8").data)
    return hasher.hexdigest()


def presentation_order(count: int) -> NDArray[np.int64]:
    """The permutation (count,) of images that ``ORDER_SEED`` gives.

    It ranks the raw output of PCG64, which is stable between NumPy versions; NumPy's shuffles are not.
    """
    keys = np.random.PCG64(ORDER_SEED).random_raw(count)
    return np.argsort(keys, kind="stable").astype(np.int64)


@dataclass(frozen=True, eq=False)
class BaseImages(ABC):
    """Base class of image datasets: subclasses define ``image``.

    Attributes:
        stated_fingerprint: a fingerprint that was computed before; "" to compute it from the pixels when it is used.
        notes: sentences on what was concluded or chosen when the images were opened.
        numbering: how class names that are numbers count.
        used_classes: the classes that have images, where ``labels`` are those of a part alone; None where they are not.
        digits_are_names: whether digits are what the images show, as in MNIST, and no numbers of classes.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    labels: Labels
    stated_fingerprint: str = field(default="", kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    numbering: Numbering = field(default="", kw_only=True)
    used_classes: tuple[int, ...] | None = field(default=None, kw_only=True)
    digits_are_names: bool = field(default=False, kw_only=True)

    @cached_property
    def fingerprint(self) -> str:
        digests = (digest(np.asarray(self.image(index))) for index in range(len(self)))
        return self.stated_fingerprint or fingerprint(digests, self.labels)

    def noted(self, *notes: str) -> Self:
        """The same images with further ``notes`` in front."""
        return replace(self, notes=(*notes, *self.notes)) if notes else self

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def image(self, index: int) -> Image.Image: ...


@dataclass(frozen=True, eq=False)
class ArrayImages(BaseImages):
    """Images in one array, (N, H, W) grey or (N, H, W, 3) RGB uint8, presented in ``order``, as are ``labels``."""

    pixels: Pixels
    order: NDArray[np.int64]

    @cached_property
    def fingerprint(self) -> str:
        """From the array itself: no image is made."""
        return self.stated_fingerprint or fingerprint((digest(self.pixels[i]) for i in self.order), self.labels)

    def image(self, index: int) -> Image.Image:
        return Image.fromarray(self.pixels[self.order[index]]).convert("RGB")


def relabelled(dataset: ImageDataset, labels: NDArray[np.int64]) -> ImageDataset:
    """The dataset with other ``labels`` (N,); the same object if they are its own."""
    if np.array_equal(labels, dataset.labels):
        return dataset
    return _Relabelled(dataset.name, dataset.title, dataset.classes, labels, dataset, **label_facts(dataset))


def label_facts(dataset: ImageDataset) -> dict[str, Any]:
    """The fields of ``BaseImages`` with which the labels of a part of ``dataset`` match as those of the whole do."""
    used = getattr(dataset, "used_classes", None)
    return {
        "numbering": getattr(dataset, "numbering", ""),
        "used_classes": tuple(np.unique(dataset.labels[dataset.labels >= 0]).tolist()) if used is None else used,
        "digits_are_names": getattr(dataset, "digits_are_names", False),
    }


@dataclass(frozen=True, eq=False)
class _Relabelled(BaseImages):
    dataset: ImageDataset

    @cached_property
    def fingerprint(self) -> str:
        # Methods that are fitted on these labels must not share stored scores with those fitted on the original ones.
        labels = np.ascontiguousarray(self.labels, dtype="<i8").tobytes()
        return hashlib.sha256(self.dataset.fingerprint.encode() + labels).hexdigest()

    def image(self, index: int) -> Image.Image:
        return self.dataset.image(index)
