"""Datasets of images: bundled ones, a library of published ones that are fetched, and a user's own."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from nap_core import roots
from nap_core.datasets import hugging_face, library, noise, own
from nap_core.datasets.archives import from_npz
from nap_core.datasets.catalogue import RECORDS, DatasetRecord
from nap_core.datasets.decoding import decode
from nap_core.datasets.folders import FolderImages, from_folder
from nap_core.datasets.images import ArrayImages, ImageDataset
from nap_core.datasets.photos import PHOTOS, Photo, SamplePhotos, open_photos
from nap_core.datasets.sheets import open_sheet
from nap_core.downloads import Download
from nap_core.errors import UserError
from nap_core.progress import Progress

__all__ = [
    "PHOTOS",
    "RECORDS",
    "DatasetRecord",
    "FolderImages",
    "ImageDataset",
    "Photo",
    "SamplePhotos",
    "decode",
    "find",
    "from_folder",
    "from_npz",
    "load",
    "missing_downloads",
    "names",
    "prepare",
    "prepared",
    "title",
]

ASSETS = Path(__file__).resolve().parents[2] / "assets"

_NOISE = {"uniform-noise": noise.uniform, "gaussian-noise": noise.gaussian}
_loaded: dict[str, tuple[int, ImageDataset]] = {}
# One a dataset: a large folder that is read for the first time keeps nobody from the others.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def names() -> tuple[str, ...]:
    """Every dataset there is: bundled ones, the library's, here or not, what came from the Hub, the user's own."""
    return (*RECORDS, *library.names(), *hugging_face.names(), *own.names())


def find(name: str) -> DatasetRecord:
    """What is known of the dataset ``name``. Raises UserError when there is none."""
    if roots.is_own(name):
        return own.record(name)
    if hugging_face.is_hub(name):
        return hugging_face.record(name)
    if name in library.names():
        return library.record(name)
    if name not in RECORDS:
        raise UserError(f"There is no dataset called “{name}”. There are: {', '.join(names())}.")
    return RECORDS[name]


def title(name: str) -> str:
    """The title of a dataset; the name itself where there is no such dataset (any more)."""
    try:
        return find(name).title
    except UserError:
        return name


def missing_downloads(name: str) -> list[Download]:
    """The files that have still to be fetched before ``load`` can open the dataset ``name``.

    A dataset of the Hugging Face Hub has none that are known: ``prepared`` tells whether it is here.
    """
    return library.missing(name) if name in library.names() else []


def prepared(name: str) -> bool:
    """Whether ``load`` opens the dataset ``name`` without fetching or unpacking anything."""
    if hugging_face.is_hub(name):
        return hugging_face.prepared(name)
    return name not in library.names() or not (library.missing(name) or library.packed(name))


def prepare(
    name: str,
    *,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> None:
    """Fetch and unpack what ``load`` needs of the dataset ``name``; ``progress`` hears of bytes.

    Raises UserError for what cannot be fetched and for damaged archives, ExtractionStopped when ``should_stop`` says
    so; a second call goes on from there.
    """
    if hugging_face.is_hub(name):
        hugging_face.prepare(name, progress, should_stop)
    elif name in library.names():
        library.prepare(name, progress, should_stop)


def load(name: str, progress: Callable[[int, int], None] | None = None) -> ImageDataset:
    """The dataset ``name``, one of ``names``; the same object every time, safe to share between threads.

    Labels, classes and fingerprint of stored sets are there at once; their images are decoded at the first ``image``.
    A user's own are read as ``from_folder`` and ``from_npz`` do the first time, and again when their folder or archive
    has changed; ``progress(done, total)`` hears of it. Raises UserError for a name that there is not, for the reference
    bank, whose images are not shipped, for files that have still to be fetched, and for damaged ones.
    """
    record = find(name)
    if not record.images_shipped:
        raise UserError(
            f"The images of “{record.title}” are not shipped, only their activations. "
            "Choose another dataset to see images."
        )
    with _locks[name]:
        stamp = _stamp(name)
        if name not in _loaded or _loaded[name][0] != stamp:
            found = _open(record, progress)
            _loaded[name] = _stamp(name), found
        return _loaded[name][1]


def _stamp(name: str) -> int:
    if roots.is_own(name):
        return own.stamp(name)
    if hugging_face.is_hub(name):
        return hugging_face.stamp(name)
    return library.stamp(name) if name in library.names() else 0


def _open(record: DatasetRecord, progress: Callable[[int, int], None] | None) -> ImageDataset:
    if roots.is_own(record.name):
        return own.load(record.name, progress)
    if hugging_face.is_hub(record.name):
        return hugging_face.load(record.name)
    if record.name in library.names():
        return library.load(record.name)
    if record.name in _NOISE:
        unknown = np.full(record.size, -1, dtype=np.int64)
        pixels = _NOISE[record.name](record.size)
        return ArrayImages(record.name, record.title, (), unknown, pixels, np.arange(record.size, dtype=np.int64))
    if record.name == "photos":
        return open_photos(record.title, ASSETS / "photos")
    return open_sheet(record.name, record.title, ASSETS / "datasets")
