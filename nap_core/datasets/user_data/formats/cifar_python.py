"""CIFAR-10 and CIFAR-100 as their authors publish them: pickled batches in a folder, in a .tar.gz, or one batch."""

from __future__ import annotations

import pickle
import re
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nap_core.datasets import plain_pickle
from nap_core.datasets.images import BaseImages, Pixels
from nap_core.datasets.published.unpacking import DAMAGED, members
from nap_core.datasets.user_data import label_arrays
from nap_core.datasets.user_data.formats.array_files import open_arrays
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts, usual_split
from nap_core.errors import UserError

TITLE = "CIFAR-10's and CIFAR-100's Python batches: their folder, .tar.gz, or one batch"

_ARCHIVE = re.compile(r"cifar-100?-python\.tar\.gz", re.IGNORECASE)
_BATCH = re.compile(r"data_batch_\d+|test_batch|train|test")
_META = ("batches.meta", "meta")
_PICKLED = b"\x80"
_LABELS = ("fine_labels", "labels", "coarse_labels")
_NAMES = {"fine_labels": "fine_label_names", "labels": "label_names", "coarse_labels": "coarse_label_names"}
# Exceptions of pickle and NumPy on damaged content.
_UNREADABLE = (OSError, pickle.UnpicklingError, KeyError, IndexError, TypeError, AttributeError, struct.error, *DAMAGED)


def matches(path: Path) -> bool:
    """Whether the path holds batches by their names, which begin as pickles do."""
    if path.is_dir():
        return bool(_batches(path))
    return bool(_ARCHIVE.fullmatch(path.name)) or _is_batch(path)


def parts(path: Path) -> Parts:
    """The splits; the test images are read where nothing was said."""
    if path.is_file() and not _ARCHIVE.fullmatch(path.name):
        return Parts()
    names = ("train", "test") if path.is_file() else tuple(_batches(path))
    return Parts(names, usual=usual_split(names))


def contents(path: Path, part: str, _allowed: object = None) -> Contents:
    """Size and classes, from the batches."""
    labelled = _content(path, part, path.stat().st_mtime_ns)[1]
    return Contents(len(labelled.labels), labelled.classes)


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images in memory."""
    pixels, labelled = _content(path, options.part, path.stat().st_mtime_ns)
    return open_arrays(path, pixels, labelled, options, how, numbering="from-0")


def _is_batch(path: Path) -> bool:
    if not _BATCH.fullmatch(path.name) or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(1) == _PICKLED
    except OSError:
        return False


def _batches(folder: Path) -> dict[str, list[str]]:
    """The batches of each split in a folder."""
    try:
        names = sorted(one.name for one in folder.iterdir() if _is_batch(one))
    except OSError:
        return {}
    return _by_split(names)


def _by_split(names: Sequence[str]) -> dict[str, list[str]]:
    train = [name for name in names if name == "train" or name.startswith("data_batch_")]
    test = [name for name in names if name in ("test", "test_batch")]
    return {split: found for split, found in (("train", train), ("test", test)) if found}


@lru_cache(maxsize=2)  # the record of a dataset is made from what then opens it
def _content(path: Path, part: str, _changed: int) -> tuple[Pixels, Labelled]:
    try:
        return _read(path, part)
    except _UNREADABLE as error:
        raise UserError(f"“{path.name}” cannot be read as CIFAR's batches ({error}). Copy it again.") from error


def _read(path: Path, part: str) -> tuple[Pixels, Labelled]:
    if path.is_file() and not part:
        content = {path.name: path.read_bytes()}
        wanted = [path.name]
        content |= {name: (path.parent / name).read_bytes() for name in _META if (path.parent / name).is_file()}
    elif path.is_file():
        every = {*_META, "train", "test", "test_batch", *(f"data_batch_{number}" for number in range(1, 6))}
        content = {name: file.read() for name, file in members(path, every)}
        wanted = _by_split(sorted(content)).get(part, [])
    else:
        wanted = _batches(path)[part]
        content = {name: (path / name).read_bytes() for name in wanted}
        content |= {name: (path / name).read_bytes() for name in _META if (path / name).is_file()}
    if not wanted:
        raise UserError(f"“{path.name}” holds no batch of {part} images. Use CIFAR's Python archive.")
    batches = [_named(plain_pickle.load(content[name])) for name in wanted]
    rows = np.concatenate([np.asarray(batch["data"], np.uint8) for batch in batches])
    side = round((rows.shape[1] / 3) ** 0.5)
    pixels = np.ascontiguousarray(rows.reshape(-1, 3, side, side).transpose(0, 2, 3, 1))
    key = next((name for name in _LABELS if name in batches[0]), "")
    if not key:
        return pixels, label_arrays.unlabelled(len(pixels))
    meta = next((_named(plain_pickle.load(content[name])) for name in _META if name in content), {})
    names = tuple(_text(name) for name in meta.get(_NAMES[key], ()))
    numbers = np.concatenate([np.asarray(batch[key]) for batch in batches])
    return pixels, label_arrays.convert(numbers, len(pixels), f"“{key}” in “{path.name}”", names or None)


def _named(batch: Mapping[Any, Any]) -> dict[str, Any]:
    """A batch with keys of text, which pickles of Python 3 may have as bytes."""
    return {_text(key): value for key, value in batch.items()}


def _text(name: str | bytes) -> str:
    return name.decode("latin1") if isinstance(name, bytes) else str(name)
