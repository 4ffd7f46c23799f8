"""DATA on the command line: a name of the catalogue, a folder of images, or an .npz."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nap_core.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

    from nap_core.datasets import ImageDataset
    from nap_core.models import LoadedModel


@dataclass(frozen=True)
class Data:
    """One DATA that is there; nothing of it has been read yet. ``path`` is None for a name of the catalogue."""

    label: str
    source: str
    path: Path | None

    @property
    def is_bank(self) -> bool:
        """Whether only activations of it are shipped."""
        from nap_core.datasets import RECORDS

        return self.path is None and RECORDS[self.source].role == "bank"


def read(text: str) -> Data:
    """What ``text`` names: "svhn", "folder/", "svhn=file.npz". Raises UserError for a path that does not exist."""
    from nap_core.datasets import RECORDS

    whole = _find(text, "")
    if whole:
        return whole
    label, equals, source = text.partition("=")
    if equals and not label:
        raise UserError(f"“{text}” has no name before the equals sign. Write it as name={source or 'DATA'}.")
    found = _find(source, label) if equals else None
    if found:
        return found
    raise UserError(
        f"There is no file or folder “{source if equals else text}”, and no dataset of that name. "
        f"The catalogue has: {', '.join(RECORDS)}."
    )


def _find(source: str, label: str) -> Data | None:
    from nap_core.datasets import RECORDS

    if source in RECORDS:
        return Data(label or source, source, None)
    path = Path(source).expanduser()
    if not source or not path.exists():
        return None
    return Data(label or (path.resolve().name if path.is_dir() else path.stem), source, path)


def load(data: Data, reading: Callable[[int, int], None]) -> ImageDataset:
    """The images. ``reading(done, total)`` hears how far a folder has been read; what is unreadable in it is told on
    stderr. Raises UserError as the readers of ``nap_core.datasets`` do."""
    from nap_core import datasets

    if data.path is None:
        return datasets.load(data.source)
    if not data.path.is_dir():
        return datasets.from_npz(data.path, data.label)
    folder = datasets.from_folder(data.path, data.label, reading)
    if folder.unreadable:
        count, (_, reason) = len(folder.unreadable), folder.unreadable[0]
        rest = f" (and {count - 1:,} more)" if count > 1 else ""
        print(f"Left out of {data.label}: {reason}{rest}", file=sys.stderr)
    return folder


def labels_for(dataset: ImageDataset, model: LoadedModel) -> NDArray[np.int64]:
    """The labels of ``dataset`` as classes of ``model``, (N,); −1, unknown, where that cannot be told.

    Class names that the model has are matched by name. Numbers are taken as the model's, and as many classes as the
    model's in their order, as folders of classes are trained on. Labels beyond the model's classes are none of its.
    """
    labels, count = dataset.labels, len(model.classes)
    numbered = dataset.classes == tuple(str(index) for index in range(len(dataset.classes)))
    if dataset.classes == model.classes:
        return labels
    if dataset.classes and not numbered and set(dataset.classes) <= set(model.classes):
        places = [model.classes.index(name) for name in dataset.classes]
        return np.array([*places, -1], np.int64)[labels]
    if (numbered and len(dataset.classes) <= count) or len(dataset.classes) == count:
        return labels
    return np.full(len(dataset), -1, np.int64)


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
