"""Datasets of images by name: bundled, published, from the Hugging Face Hub, and a user's own."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

from nap_core.datasets import hub, published
from nap_core.datasets.bundled.sample_photos import PHOTOS, Photo, SamplePhotos
from nap_core.datasets.catalogue import RECORDS
from nap_core.datasets.decoding import decode
from nap_core.datasets.images import ArrayImages, ImageDataset
from nap_core.datasets.sources import names, remote_source_of, source_of
from nap_core.datasets.spec import DatasetRecord
from nap_core.datasets.user_data import registry
from nap_core.datasets.user_data.folders import FolderImages, from_folder
from nap_core.datasets.user_data.npz import from_npz
from nap_core.errors import UserError
from nap_core.storage.downloads import Download
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

__all__ = [
    "PHOTOS",
    "RECORDS",
    "ArrayImages",
    "DatasetRecord",
    "FolderImages",
    "ImageDataset",
    "Photo",
    "SamplePhotos",
    "decode",
    "find",
    "from_folder",
    "from_npz",
    "hub",
    "load",
    "missing_downloads",
    "names",
    "prepare",
    "prepared",
    "published",
    "registry",
    "title",
]

_loaded: dict[str, tuple[int, ImageDataset]] = {}
# One lock a dataset: scanning a large folder for the first time does not block the other datasets.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def find(name: str) -> DatasetRecord:
    """The record of the dataset ``name``. Raises UserError for an unknown name."""
    return source_of(name).record(name)


def title(name: str) -> str:
    """The title of a dataset; the name itself if the dataset does not exist (any more)."""
    try:
        return find(name).title
    except UserError:
        return name


def missing_downloads(name: str) -> list[Download]:
    """The files to download before ``load`` can open the dataset; empty for datasets of the Hub, whose files are not
    listed in advance (``prepared`` covers them)."""
    source = remote_source_of(name)
    return source.missing(name) if source else []


def prepared(name: str) -> bool:
    """Whether ``load`` opens the dataset without downloading or unpacking anything."""
    source = remote_source_of(name)
    return source is None or source.prepared(name)


def prepare(name: str, callbacks: RunCallbacks = NO_CALLBACKS) -> None:
    """Download and unpack what ``load`` needs; a cancelled call resumes where it stopped.

    Args:
        name: one of ``names()``, or a dataset of the Hub.
        callbacks: progress in bytes, and cancellation.

    Raises:
        UserError: the download fails, or an archive is damaged.
        ExtractionStopped: the call was cancelled.
    """
    source = remote_source_of(name)
    if source:
        source.prepare(name, callbacks)


def load(name: str, progress: Callable[[int, int], None] | None = None) -> ImageDataset:
    """Open a dataset.

    Labels, classes and fingerprint are available at once; images are decoded one by one. A user's folder or archive is
    scanned the first time, and again when its files have changed.

    Args:
        name: one of ``names()``.
        progress: called with (done, total) while a folder is scanned.

    Returns:
        The dataset: the same object at every call, safe to share between threads.

    Raises:
        UserError: unknown name, a dataset without images (precomputed activations), files that are missing or damaged.
    """
    record = find(name)
    if not record.images_shipped:
        raise UserError(
            f"The images of “{record.title}” are not shipped, only their activations. "
            "Choose another dataset to see images."
        )
    source = source_of(name)
    with _locks[name]:
        stamp = source.stamp(name)
        if name not in _loaded or _loaded[name][0] != stamp:
            dataset = source.load(name, progress)
            _loaded[name] = source.stamp(name), dataset
        return _loaded[name][1]
