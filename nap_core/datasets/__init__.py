"""Datasets of images: a catalogue of bundled ones, and a user's own from an archive or a folder."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from nap_core.datasets import noise
from nap_core.datasets.archives import from_npz
from nap_core.datasets.catalogue import RECORDS, DatasetRecord
from nap_core.datasets.decoding import decode
from nap_core.datasets.folders import FolderImages, from_folder
from nap_core.datasets.images import ArrayImages, ImageDataset
from nap_core.datasets.photos import PHOTOS, Photo, SamplePhotos, open_photos
from nap_core.datasets.sheets import open_sheet
from nap_core.errors import UserError

__all__ = [
    "PHOTOS",
    "RECORDS",
    "DatasetRecord",
    "FolderImages",
    "ImageDataset",
    "Photo",
    "SamplePhotos",
    "decode",
    "from_folder",
    "from_npz",
    "load",
]

ASSETS = Path(__file__).resolve().parents[2] / "assets"

_NOISE = {"uniform-noise": noise.uniform, "gaussian-noise": noise.gaussian}
_loaded: dict[str, ImageDataset] = {}
_lock = threading.Lock()


def load(name: str) -> ImageDataset:
    """The bundled dataset ``name``, a key of ``RECORDS``; the same object every time, safe to share between threads.

    Labels, classes and fingerprint of stored sets are there at once; their images are decoded at the first ``image``.
    Raises UserError for a name that is not in the catalogue, for the reference bank, whose images are not shipped,
    and for missing or damaged files in assets.
    """
    record = RECORDS.get(name)
    if record is None:
        raise UserError(f"There is no dataset “{name}”. There are: {', '.join(RECORDS)}.")
    if not record.images_shipped:
        raise UserError(
            f"The images of “{record.title}” are not shipped, only their activations. "
            "Choose another dataset to see images."
        )
    with _lock:
        if name not in _loaded:
            _loaded[name] = _open(record)
        return _loaded[name]


def _open(record: DatasetRecord) -> ImageDataset:
    if record.name in _NOISE:
        unknown = np.full(record.size, -1, dtype=np.int64)
        pixels = _NOISE[record.name](record.size)
        return ArrayImages(record.name, record.title, (), unknown, pixels, np.arange(record.size, dtype=np.int64))
    if record.name == "photos":
        return open_photos(record.title, ASSETS / "photos")
    return open_sheet(record.name, record.title, ASSETS / "datasets")
