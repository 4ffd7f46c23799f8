"""One NumPy array: images with or without labels beside it, CIFAR-10-C's and -100-C's corruptions, CIFAR-10.1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nap_core.datasets.images import BaseImages, Numbering
from nap_core.datasets.user_data import label_arrays, npy_arrays, pixel_arrays
from nap_core.datasets.user_data.formats.array_files import open_arrays
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.npy_arrays import Header
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts
from nap_core.errors import UserError

TITLE = "NumPy array (.npy) of images, CIFAR-10-C and CIFAR-10.1 among them"
SEVERITIES = 5
ALL = "all"
_SHARED = "labels.npy"


def matches(path: Path) -> bool:
    """Whether the path is an .npy of more dimensions than labels have."""
    if path.suffix.lower() != ".npy" or not path.is_file():
        return False
    try:
        return len(_header(path).shape) > 2
    except UserError:  # the sentence comes with opening it
        return True


def parts(path: Path) -> Parts:
    """The severities, where labels.npy beside the array repeats itself five times; one has to be said."""
    labels = _labels_path(path)
    if labels is None or labels.name != _SHARED or not _repeats(_read(labels)):
        return Parts()
    return Parts((*(str(one) for one in range(1, SEVERITIES + 1)), ALL), "severity")


def contents(path: Path, part: str, _allowed: object = None) -> Contents:
    """Size and classes, from the header and the labels."""
    array = _header(path)
    count = _count(path, array)
    rows = _rows(count, part)
    return Contents(len(range(count)[rows]), _labels(path, count)[0].classes)


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images in memory; of a severity only its fifth of the file is read."""
    count = _count(path, _header(path))
    labelled, notes = _labels(path, count)
    rows = _rows(count, options.part)
    array = np.load(path, mmap_mode="r", allow_pickle=False)[rows]
    chosen = labelled._replace(labels=labelled.labels[rows])
    if options.part and options.part != ALL:
        first, last = rows.start, rows.stop - 1
        notes = (f"Severity {options.part} is images {first:,} to {last:,} of {count:,}, a fifth.", *notes)
    numbering: Numbering = "from-0" if options.part or "_data" in path.stem else ""
    return open_arrays(path, array, chosen, options, how, notes, numbering=numbering)


def _header(path: Path) -> Header:
    try:
        with path.open("rb") as file:
            return npy_arrays.header(file, f"“{path.name}”")
    except (OSError, EOFError, ValueError) as error:
        raise UserError(f"“{path.name}” is damaged and cannot be read ({error}). Write or copy it again.") from error


def _read(path: Path) -> NDArray[Any]:
    _header(path)
    with path.open("rb") as file:
        return npy_arrays.read(file)


def _count(path: Path, array: Header) -> int:
    shape = array.shape
    if len(shape) == 3 and shape[2] in (3, 4):
        raise UserError(f"“{path.name}” has shape {shape}: a single image. Save images as (N, H, W, {shape[2]}).")
    return pixel_arrays.check(array, f"“{path.name}”")


def _rows(count: int, part: str) -> slice:
    if not part or part == ALL:
        return slice(0, count)
    size = count // SEVERITIES
    return slice((int(part) - 1) * size, int(part) * size)


def _labels_path(path: Path) -> Path | None:
    """The file beside ``path`` that has the labels of its images; None if there is none of as many."""
    stem, folder = path.stem, path.parent
    names = [f"{stem}_labels.npy", f"{stem}-labels.npy"]
    for images, labels in (("data", "labels"), ("images", "labels"), ("x_", "y_"), ("X_", "y_")):
        if images in stem:
            names.append(f"{stem.replace(images, labels)}.npy")
    names.append(_SHARED)
    count = _header(path).shape[0]
    for name in names:
        candidate = folder / name
        if candidate != path and candidate.is_file() and _header(candidate).shape[:1] == (count,):
            return candidate
    return None


def _labels(path: Path, count: int) -> tuple[Labelled, tuple[str, ...]]:
    labels = _labels_path(path)
    if labels is None:
        return label_arrays.unlabelled(count), ()
    found = label_arrays.convert(_read(labels), count, f"“{labels.name}”")
    return found, (f"Labels are those of “{labels.name}”, which lies beside it.",)


def _repeats(labels: NDArray[Any]) -> bool:
    """Whether labels are the same five times, one severity after the other."""
    if not len(labels) or len(labels) % SEVERITIES or len(labels) == SEVERITIES:
        return False
    rows = labels.reshape(SEVERITIES, -1)
    return bool((rows == rows[0]).all()) and len(np.unique(labels)) > 1
