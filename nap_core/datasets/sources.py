"""Datasets by name: bundled, published archives, from the Hugging Face Hub, a user's folders → records and images."""

from __future__ import annotations

import pkgutil
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from nap_core.datasets import hub, published
from nap_core.datasets.catalogue import RECORDS
from nap_core.datasets.images import ImageDataset
from nap_core.datasets.spec import DatasetRecord
from nap_core.datasets.user_data import registry
from nap_core.errors import UserError
from nap_core.storage.downloads import Download
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

Counted = Callable[[int, int], None]


class Source(Protocol):
    """A module that provides datasets. The other functions take names for which ``owns`` is true."""

    def names(self) -> tuple[str, ...]: ...

    def owns(self, name: str, /) -> bool: ...

    def record(self, name: str, /) -> DatasetRecord: ...

    def stamp(self, name: str, /) -> int:
        """A number that changes with the files on disk; an opened dataset is cached under it."""
        ...

    def load(self, name: str, progress: Counted | None, /) -> ImageDataset: ...


class RemoteSource(Source, Protocol):
    """A source whose datasets are downloaded before they are opened."""

    def missing(self, name: str, /) -> list[Download]: ...

    def prepared(self, name: str, /) -> bool: ...

    def prepare(self, name: str, callbacks: RunCallbacks, /) -> None: ...


class _Bundled:
    """The datasets that the project ships. They do not change."""

    def names(self) -> tuple[str, ...]:
        return tuple(RECORDS)

    def owns(self, name: str, /) -> bool:
        return name in RECORDS

    def record(self, name: str, /) -> DatasetRecord:
        return RECORDS[name]

    def stamp(self, _name: str, /) -> int:
        return 0

    def load(self, name: str, _progress: Counted | None = None, /) -> ImageDataset:
        opened: ImageDataset = pkgutil.resolve_name(RECORDS[name].opener)(name, RECORDS[name].title)
        return opened


REMOTE: tuple[RemoteSource, ...] = (published, hub)
SOURCES: tuple[Source, ...] = (_Bundled(), *REMOTE, registry)

_loaded: dict[str, tuple[int, ImageDataset]] = {}
# One lock a dataset: scanning a large folder for the first time does not block the other datasets.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def names() -> tuple[str, ...]:
    """The names of all datasets: bundled, published (downloaded or not), downloaded from the Hub, the user's own."""
    return tuple(name for source in SOURCES for name in source.names())


def source_of(name: str) -> Source:
    """The source that provides the dataset ``name``. Raises UserError if there is none."""
    for source in SOURCES:
        if source.owns(name):
            return source
    raise UserError(f"There is no dataset called “{name}”. There are: {', '.join(names())}.")


def remote_source_of(name: str) -> RemoteSource | None:
    """The source that downloads the dataset ``name``; None for local and unknown datasets."""
    return next((source for source in REMOTE if source.owns(name)), None)


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
