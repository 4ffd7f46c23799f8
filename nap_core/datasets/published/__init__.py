"""Published datasets by name: fetched when a study wants them, unpacked and read where they lie.

They lie in the folder that NAP_DATASETS names, else in ``datasets`` in the user's data folder, each in a folder of its
own. Nothing here asks the network by itself: ``downloads.fetch`` brings what ``missing`` names.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tarfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core.datasets.images import Labels, presentation_order
from nap_core.datasets.published.records import ENTRIES
from nap_core.datasets.published.spec import Content, Entry, Unpacking
from nap_core.datasets.published.unpacking import unpack
from nap_core.datasets.spec import DatasetRecord
from nap_core.errors import UserError
from nap_core.storage import allowed_folders, byte_size
from nap_core.storage.downloads import Download, fetch
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

__all__ = ["LibraryImages", "folder", "load", "missing", "names", "packed", "prepare", "record", "stamp"]

VARIABLE = "NAP_DATASETS"
READERS = 1
"""Goes into every fingerprint: to be raised when a reader shows other pixels, another order or other labels."""
# What the readers are known to raise on files that are not what they should be.
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, IndexError, TypeError, tarfile.TarError, BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class LibraryImages:
    """The images of a published dataset in ``presentation_order``; made by ``load``.

    The fingerprint is made of the name, the published checksums, the version of the readers, the labels and the files'
    names, and not of pixels: the files were checked when they came. ``unreadable`` lists images of the Hub that were
    left out, each with a sentence that says why.
    """

    name: str
    title: str
    fingerprint: str
    classes: tuple[str, ...]
    labels: Labels
    order: NDArray[np.int64]
    picture: Callable[[int], Image.Image]
    unreadable: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.order)

    def image(self, index: int) -> Image.Image:
        return self.picture(int(self.order[index]))


def names() -> tuple[str, ...]:
    """Every dataset of the library, here or not."""
    return tuple(ENTRIES)


def folder() -> Path:
    """Where the datasets lie: NAP_DATASETS, else ``datasets`` in the user's data folder."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser().absolute() if named else allowed_folders.user_folder() / "datasets"


def record(name: str) -> DatasetRecord:
    """What is known of the dataset ``name``, with its downloads."""
    entry = ENTRIES[name]
    place, title = folder() / entry.folder, entry.record.title
    found = tuple(
        Download(
            file.url,
            place / file.name,
            title if len(entry.files) == 1 else f"{title}, {file.name}",
            file.size,
            file.checksum,
            file.by_hand,
        )
        for file in entry.files
    )
    return replace(entry.record, downloads=found)


def missing(name: str) -> list[Download]:
    """The files that have still to be fetched. What is unpacked already needs its archive no more."""
    entry = ENTRIES[name]
    done = {file for one in entry.unpackings if _place(entry, one).is_dir() for file in (one.archive, *one.needs)}
    return [one for one in record(name).downloads if one.path.name not in done and not one.present]


def packed(name: str) -> bool:
    """Whether archives have still to be unpacked before the images can be read."""
    entry = ENTRIES[name]
    return any(not _place(entry, one).is_dir() for one in entry.unpackings)


def stamp(name: str) -> int:
    """A number that changes when the library is moved, or the dataset is unpacked anew."""
    entry = ENTRIES[name]
    places = [_place(entry, one) for one in entry.unpackings]
    return hash((folder(), *(one.stat().st_mtime_ns for one in places if one.is_dir())))


def prepare(name: str, callbacks: RunCallbacks = NO_CALLBACKS) -> None:
    """Fetch what is missing, and unpack it; progress is in bytes.

    Raises UserError for what cannot be fetched, an archive that is damaged, and a package that is missing without
    which nothing can be read; ExtractionStopped on request: a second call goes on from there.
    """
    entry = ENTRIES[name]
    _check_package(entry)
    for download in missing(name):
        fetch(download, callbacks)
    for one in entry.unpackings:
        if not _place(entry, one).is_dir():
            _unpack(entry, one, _unpacking(entry.record.title, callbacks))


def _unpacking(title: str, callbacks: RunCallbacks) -> Callable[[int, int], None]:
    """Reports how far an archive has been read."""
    began = time.monotonic()

    def note(done: int, total: int) -> None:
        callbacks.raise_if_stopped()
        callbacks.report(title, done, total, done / max(time.monotonic() - began, 1e-3), "packed bytes")

    return note


def load(name: str) -> LibraryImages:
    """The images. Raises UserError, which says what to fetch, when files are missing, and for damaged ones."""
    absent = missing(name)
    if absent:
        raise UserError(_absent(name, absent))
    prepare(name)
    entry = ENTRIES[name]
    place = folder() / entry.folder
    try:
        content = entry.read(place)
    except _UNREADABLE as error:
        raise UserError(
            f"“{entry.record.title}” cannot be read from {place} ({error}). Delete that folder and load it again."
        ) from error
    order = presentation_order(len(content.labels))
    return LibraryImages(
        name=name,
        title=entry.record.title,
        fingerprint=_fingerprint(entry, content),
        classes=content.classes,
        labels=content.labels[order],
        order=order,
        picture=content.picture,
    )


def _place(entry: Entry, unpacking: Unpacking) -> Path:
    return folder() / entry.folder / unpacking.into


def _unpack(entry: Entry, one: Unpacking, progress: Callable[[int, int], None]) -> None:
    place = folder() / entry.folder
    try:
        layout = one.layout(place)
    except _UNREADABLE as error:
        raise UserError(
            f"{', '.join(one.needs)} in {place} is damaged ({error}). Delete it and get it again."
        ) from error
    unpack(place / one.archive, _place(entry, one), layout, progress)


def _check_package(entry: Entry) -> None:
    if entry.package and importlib.util.find_spec(entry.package) is None:
        raise UserError(
            f"“{entry.record.title}” needs the package {entry.package}: run pip install {entry.package}, or "
            "pip install -r requirements-extra.txt."
        )


def _absent(name: str, absent: list[Download]) -> str:
    known = sum(one.size or 0 for one in absent)
    size = f"{byte_size.in_words(known)} from " if known else "from "
    how = "; ".join(one.instruction for one in absent)
    return f"“{ENTRIES[name].record.title}” is not here yet ({size}{absent[0].host}): run a study with it, or {how}."


def _fingerprint(entry: Entry, content: Content) -> str:
    hasher = hashlib.sha256(f"library {READERS}\n{entry.record.name}\n".encode())
    for file in entry.files:
        hasher.update(f"{file.name} {file.checksum}\n".encode())
    for name in content.files:
        hasher.update(f"{name}\n".encode())
    hasher.update(np.ascontiguousarray(content.labels, dtype="<i8").data)
    return hasher.hexdigest()
