"""Published datasets by name: download, unpacking, reading.

Each has a folder of its own below NAP_DATASETS, by default ``datasets`` in the user's data folder. Only ``prepare``
uses the network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core.datasets.images import BaseImages, presentation_order
from nap_core.datasets.published.catalogue import RECORDS
from nap_core.datasets.published.spec import Content, PublishedRecord, Unpacking
from nap_core.datasets.published.unpacking import DAMAGED, unpack
from nap_core.datasets.spec import DatasetRecord
from nap_core.errors import UserError
from nap_core.storage import allowed_folders, byte_size
from nap_core.storage.downloads import Download, fetch
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

VARIABLE = "NAP_DATASETS"
READERS = 1
"""Part of every fingerprint; raise it when a reader gives other pixels, another order or other labels."""
# Exceptions of the readers on damaged and foreign files.
_UNREADABLE = (OSError, KeyError, IndexError, TypeError, *DAMAGED)


@dataclass(frozen=True, eq=False)
class PublishedImages(BaseImages):
    """The images of a published dataset, or one of the Hub, in ``presentation_order``.

    The fingerprint is over name, published checksums, reader version, labels and file names instead of pixels: the
    files were checked after the download. ``unreadable`` are images of the Hub that were left out, with an error
    message each.
    """

    order: NDArray[np.int64]
    picture: Callable[[int], Image.Image]
    unreadable: tuple[tuple[str, str], ...] = ()

    def image(self, index: int) -> Image.Image:
        return self.picture(int(self.order[index]))


def names() -> tuple[str, ...]:
    """The names of all published datasets, downloaded or not."""
    return tuple(RECORDS)


def owns(name: str) -> bool:
    """Whether the dataset is in the catalogue of published datasets."""
    return name in RECORDS


def folder() -> Path:
    """The folder of the datasets: NAP_DATASETS, else ``datasets`` in the user's data folder."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser().absolute() if named else allowed_folders.user_folder() / "datasets"


def record(name: str) -> DatasetRecord:
    """The record of a published dataset, with its downloads."""
    published = RECORDS[name]
    place, title = folder() / published.folder, published.title
    downloads = tuple(
        Download(
            file.url,
            place / file.name,
            title if len(published.files) == 1 else f"{title}, {file.name}",
            file.size,
            file.checksum,
            file.by_hand,
        )
        for file in published.files
    )
    return replace(published, downloads=downloads)


def missing(name: str) -> list[Download]:
    """The files that have to be downloaded; archives that are unpacked already are not needed."""
    published = RECORDS[name]
    unpacked = set(published.unpackings).difference(_packed(published))
    done = {file for one in unpacked for file in (one.archive, *one.needs)}
    return [one for one in record(name).downloads if one.path.name not in done and not one.present]


def packed(name: str) -> bool:
    """Whether archives have to be unpacked before the images can be read."""
    return bool(_packed(RECORDS[name]))


def stamp(name: str) -> int:
    """A number that changes when the folder is moved or the dataset is unpacked again."""
    published = RECORDS[name]
    places = [_place(published, one) for one in published.unpackings]
    return hash((folder(), *(one.stat().st_mtime_ns for one in places if one.is_dir())))


def prepared(name: str) -> bool:
    """Whether the images can be read without downloading or unpacking."""
    return not (missing(name) or packed(name))


def prepare(name: str, callbacks: RunCallbacks = NO_CALLBACKS) -> None:
    """Download missing files and unpack archives; after a cancellation a second call resumes.

    Args:
        name: a published dataset.
        callbacks: progress in bytes, and cancellation.

    Raises:
        UserError: a failed download, a damaged archive or a missing package.
        ExtractionStopped: the call was cancelled.
    """
    published = RECORDS[name]
    _check_package(published)
    for download in missing(name):
        fetch(download, callbacks)
    for one in _packed(published):
        _unpack(published, one, _unpacking(published.title, callbacks))


def _unpacking(title: str, callbacks: RunCallbacks) -> Callable[[int, int], None]:
    """Converts (bytes read, bytes in all) of an archive into a report; raises ExtractionStopped on request."""
    began = time.monotonic()

    def note(done: int, total: int) -> None:
        callbacks.raise_if_stopped()
        callbacks.report(title, done, total, done / max(time.monotonic() - began, 1e-3), "packed bytes")

    return note


def load(name: str, _progress: Callable[[int, int], None] | None = None) -> PublishedImages:
    """Open the images of a published dataset.

    Raises:
        UserError: files are missing (the message lists what to download) or damaged.
    """
    absent = missing(name)
    if absent:
        raise UserError(_absent(name, absent))
    prepare(name)
    published = RECORDS[name]
    place = folder() / published.folder
    try:
        content = published.read(place)
    except _UNREADABLE as error:
        raise UserError(
            f"“{published.title}” cannot be read from {place} ({error}). Delete that folder and load it again."
        ) from error
    order = presentation_order(len(content.labels))
    return PublishedImages(
        name=name,
        title=published.title,
        stated_fingerprint=_fingerprint(published, content),
        classes=content.classes,
        labels=content.labels[order],
        order=order,
        picture=content.picture,
        digits_are_names=True,
    )


def _place(published: PublishedRecord, unpacking: Unpacking) -> Path:
    return folder() / published.folder / unpacking.into


def _packed(published: PublishedRecord) -> list[Unpacking]:
    """The archives that are not unpacked yet."""
    return [one for one in published.unpackings if not _place(published, one).is_dir()]


def _unpack(published: PublishedRecord, one: Unpacking, progress: Callable[[int, int], None]) -> None:
    place = folder() / published.folder
    try:
        layout = one.layout(place)
    except _UNREADABLE as error:
        raise UserError(
            f"{', '.join(one.needs)} in {place} is damaged ({error}). Delete it and get it again."
        ) from error
    unpack(place / one.archive, _place(published, one), layout, progress)


def _check_package(published: PublishedRecord) -> None:
    if published.package and importlib.util.find_spec(published.package) is None:
        raise UserError(
            f"“{published.title}” needs the package {published.package}: run pip install {published.package}, "
            "or pip install -r requirements-extra.txt."
        )


def _absent(name: str, absent: list[Download]) -> str:
    announced = sum(one.size or 0 for one in absent)
    size = f"{byte_size.in_words(announced)} from " if announced else "from "
    how = "; ".join(one.instruction for one in absent)
    return f"“{RECORDS[name].title}” is not here yet ({size}{absent[0].host}): run a study with it, or {how}."


def _fingerprint(published: PublishedRecord, content: Content) -> str:
    hasher = hashlib.sha256(f"library {READERS}\n{published.name}\n".encode())
    for file in published.files:
        hasher.update(f"{file.name} {file.checksum}\n".encode())
    for name in content.files:
        hasher.update(f"{name}\n".encode())
    hasher.update(np.ascontiguousarray(content.labels, dtype="<i8").data)
    return hasher.hexdigest()
