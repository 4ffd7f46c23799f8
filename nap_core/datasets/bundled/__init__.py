"""The datasets that the project ships: contact sheets of small images, sample photographs, noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nap_core.datasets.bundled import noise
from nap_core.datasets.bundled.contact_sheets import open_sheet
from nap_core.datasets.bundled.sample_photos import open_photos
from nap_core.datasets.catalogue import RECORDS
from nap_core.datasets.images import ArrayImages, ImageDataset
from nap_core.datasets.spec import DatasetRecord
from nap_core.storage.bundled_assets import ASSETS

_NOISE = {"uniform-noise": noise.uniform, "gaussian-noise": noise.gaussian}


def names() -> tuple[str, ...]:
    """The names of all bundled datasets."""
    return tuple(RECORDS)


def owns(name: str) -> bool:
    """Whether the dataset is bundled."""
    return name in RECORDS


def record(name: str) -> DatasetRecord:
    """The record of a bundled dataset."""
    return RECORDS[name]


def stamp(_name: str) -> int:
    """Bundled datasets do not change."""
    return 0


def load(name: str, _progress: Callable[[int, int], None] | None = None) -> ImageDataset:
    """Open a bundled dataset. Raises UserError when its file is missing or damaged."""
    title, size = RECORDS[name].title, RECORDS[name].size
    if name in _NOISE:
        unlabelled = np.full(size, -1, dtype=np.int64)
        return ArrayImages(name, title, (), unlabelled, _NOISE[name](size), np.arange(size, dtype=np.int64))
    if name == "photos":
        return open_photos(title, ASSETS / "photos")
    return open_sheet(name, title, ASSETS / "datasets")
