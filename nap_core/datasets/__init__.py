"""Datasets of images: bundled ones, a library of published ones that are fetched, and a user's own."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from nap_core.datasets import hub, published
from nap_core.datasets.bundled import noise
from nap_core.datasets.bundled.contact_sheets import open_sheet
from nap_core.datasets.bundled.sample_photos import PHOTOS, Photo, SamplePhotos, open_photos
from nap_core.datasets.decoding import decode
from nap_core.datasets.images import ArrayImages, ImageDataset
from nap_core.datasets.spec import RECORDS, DatasetRecord
from nap_core.datasets.user_data import registry
from nap_core.datasets.user_data.folders import FolderImages, from_folder
from nap_core.datasets.user_data.npz import from_npz
from nap_core.errors import UserError
from nap_core.storage import allowed_folders
from nap_core.storage.bundled_assets import ASSETS
from nap_core.storage.downloads import Download
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

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


_NOISE = {"uniform-noise": noise.uniform, "gaussian-noise": noise.gaussian}
_loaded: dict[str, tuple[int, ImageDataset]] = {}
# One a dataset: a large folder that is read for the first time keeps nobody from the others.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def names() -> tuple[str, ...]:
    """Every dataset there is: bundled ones, the library's, here or not, what came from the Hub, the user's own."""
    return (*RECORDS, *published.names(), *hub.names(), *registry.names())


def find(name: str) -> DatasetRecord:
    """What is known of the dataset ``name``. Raises UserError when there is none."""
    if allowed_folders.is_own(name):
        return registry.record(name)
    if hub.is_hub(name):
        return hub.record(name)
    if name in published.names():
        return published.record(name)
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
    return published.missing(name) if name in published.names() else []


def prepared(name: str) -> bool:
    """Whether ``load`` opens the dataset ``name`` without fetching or unpacking anything."""
    if hub.is_hub(name):
        return hub.prepared(name)
    return name not in published.names() or not (published.missing(name) or published.packed(name))


def prepare(name: str, callbacks: RunCallbacks = NO_CALLBACKS) -> None:
    """Fetch and unpack what ``load`` needs of the dataset ``name``; progress is in bytes.

    Raises UserError for what cannot be fetched and for damaged archives, ExtractionStopped on request; a second call
    goes on from there.
    """
    if hub.is_hub(name):
        hub.prepare(name, callbacks)
    elif name in published.names():
        published.prepare(name, callbacks)


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
    if allowed_folders.is_own(name):
        return registry.stamp(name)
    if hub.is_hub(name):
        return hub.stamp(name)
    return published.stamp(name) if name in published.names() else 0


def _open(record: DatasetRecord, progress: Callable[[int, int], None] | None) -> ImageDataset:
    if allowed_folders.is_own(record.name):
        return registry.load(record.name, progress)
    if hub.is_hub(record.name):
        return hub.load(record.name)
    if record.name in published.names():
        return published.load(record.name)
    if record.name in _NOISE:
        unknown = np.full(record.size, -1, dtype=np.int64)
        pixels = _NOISE[record.name](record.size)
        return ArrayImages(record.name, record.title, (), unknown, pixels, np.arange(record.size, dtype=np.int64))
    if record.name == "photos":
        return open_photos(record.title, ASSETS / "photos")
    return open_sheet(record.name, record.title, ASSETS / "datasets")
