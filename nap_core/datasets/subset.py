"""Some of the images of a dataset."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core.datasets.images import BaseImages, ImageDataset, label_facts


def subset(dataset: ImageDataset, rows: NDArray[np.int64]) -> ImageDataset:
    """The images ``rows`` of a dataset, in that order, as a dataset with a fingerprint of its own."""
    labels = dataset.labels[rows]
    return _Subset(dataset.name, dataset.title, dataset.classes, labels, dataset, rows, **label_facts(dataset))


def whole(dataset: ImageDataset) -> ImageDataset:
    """The dataset that a ``subset`` was taken from; any other dataset itself."""
    return dataset.dataset if isinstance(dataset, _Subset) else dataset


@dataclass(frozen=True, eq=False)
class _Subset(BaseImages):
    dataset: ImageDataset
    rows: NDArray[np.int64]

    @cached_property
    def fingerprint(self) -> str:
        rows = np.ascontiguousarray(self.rows, dtype="<i8").tobytes()
        return hashlib.sha256(self.dataset.fingerprint.encode() + rows).hexdigest()

    def image(self, index: int) -> Image.Image:
        return self.dataset.image(int(self.rows[index]))
