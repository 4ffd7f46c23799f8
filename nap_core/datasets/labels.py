"""The labels of a dataset as classes of a network that was trained elsewhere."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core.datasets.images import ImageDataset

_UNNAMED = re.compile(r"class \d+")  # as a checkpoint's classes are called that came without names


def labels_for(dataset: ImageDataset, model_classes: tuple[str, ...]) -> NDArray[np.int64]:
    """The labels of ``dataset`` as indices into ``model_classes``, (N,); −1, unknown, where that cannot be told.

    Class names that the model has are matched by name. Numbers are taken as the model's, and as many classes as the
    model's in their order, as folders of classes are trained on. Labels beyond the model's classes are none of its.
    """
    labels, count = dataset.labels, len(model_classes)
    numbered = dataset.classes == tuple(str(index) for index in range(len(dataset.classes)))
    if dataset.classes == model_classes:
        return labels
    if dataset.classes and not numbered and set(dataset.classes) <= set(model_classes):
        places = [model_classes.index(name) for name in dataset.classes]
        return np.array([*places, -1], np.int64)[labels]
    if (numbered and len(dataset.classes) <= count) or len(dataset.classes) == count:
        return labels
    return np.full(len(dataset), -1, np.int64)


def are_strangers(classes: tuple[str, ...], model_classes: tuple[str, ...]) -> bool:
    """Whether none of a dataset's ``classes`` is one of the model's, as far as names tell: then the model hardly knows
    its images. Numbers tell nothing, neither do as many names as the model has, or a model without names of its own."""
    if not classes or len(classes) == len(model_classes) or set(classes) & set(model_classes):
        return False
    return not any(map(str.isdecimal, classes)) and not all(map(_UNNAMED.fullmatch, model_classes))


def relabelled(dataset: ImageDataset, labels: NDArray[np.int64]) -> ImageDataset:
    """The dataset with other ``labels`` (N,); itself where they are its own."""
    return dataset if np.array_equal(labels, dataset.labels) else _Relabelled(dataset, labels)


@dataclass(frozen=True, eq=False)
class _Relabelled:
    dataset: ImageDataset
    labels: NDArray[np.int64]

    @property
    def name(self) -> str:
        return self.dataset.name

    @property
    def title(self) -> str:
        return self.dataset.title

    @property
    def classes(self) -> tuple[str, ...]:
        return self.dataset.classes

    @cached_property
    def fingerprint(self) -> str:
        # What methods fit on other labels must not be taken for what they fit on these.
        labels = np.ascontiguousarray(self.labels, dtype="<i8").tobytes()
        return hashlib.sha256(self.dataset.fingerprint.encode() + labels).hexdigest()

    def __len__(self) -> int:
        return len(self.dataset)

    def image(self, index: int) -> Image.Image:
        return self.dataset.image(index)
