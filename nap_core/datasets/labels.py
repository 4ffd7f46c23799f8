"""A dataset's labels → class indices of a network."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core.datasets.images import BaseImages, ImageDataset

_UNNAMED = re.compile(r"class \d+")  # class names of a checkpoint without names


def labels_for(dataset: ImageDataset, model_classes: tuple[str, ...]) -> NDArray[np.int64]:
    """The labels of ``dataset`` as indices into ``model_classes``, (N,), −1 for unknown.

    Classes are matched by name if the model has all of them. Numbers as class names are taken as the model's indices.
    As many classes as the model's are matched by position, as in training on a folder of class folders.
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
    """Whether a dataset's class names show that it shares no class with the model.

    False where names say nothing: numbers, as many names as the model has, a model without class names.
    """
    if not classes or len(classes) == len(model_classes) or set(classes) & set(model_classes):
        return False
    return not any(map(str.isdecimal, classes)) and not all(map(_UNNAMED.fullmatch, model_classes))


def relabelled(dataset: ImageDataset, labels: NDArray[np.int64]) -> ImageDataset:
    """The dataset with other ``labels`` (N,); the same object if they are its own."""
    if np.array_equal(labels, dataset.labels):
        return dataset
    return _Relabelled(dataset.name, dataset.title, dataset.classes, labels, dataset)


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
