"""Images in a user's NumPy archive."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any, NoReturn

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nap_core.datasets.images import ArrayImages, Labels, presentation_order
from nap_core.errors import UserError

MAX_BYTES = 8 * 2**30
MAX_CLASSES = 100_000
# Exceptions of zipfile and NumPy on damaged, encrypted or foreign content.
_UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)
_LAYOUT = "The archive needs an array “images” of shape (N, H, W) or (N, H, W, 3), uint8."


def from_npz(path: str | Path, title: str | None = None) -> ArrayImages:
    """Open the images of an .npz archive.

    The archive needs ``images``, (N, H, W) or (N, H, W, 3) uint8. Optional are ``labels``, (N,) integers from −1
    (unknown), and ``classes``, the names that labels index (by default the numbers). Array headers are checked before
    arrays are loaded, and pickled objects are refused.

    Args:
        path: the archive.
        title: the dataset's title; the file's name by default.

    Returns:
        The images in memory, in the order of ``presentation_order``.

    Raises:
        UserError: the archive is missing, damaged, or its arrays have other types or shapes.
    """
    path = Path(path).expanduser()
    with _opened(path) as archive:
        _check_images(archive, path.name)
        images: NDArray[np.uint8] = _read(archive, "images")
        labels, classes = _labels(archive, path.name, len(images))
    order = presentation_order(len(images))
    return ArrayImages(f"npz:{path.stem}", title or path.stem, classes, labels[order], images, order)


def contents(path: Path) -> tuple[int, tuple[str, ...]]:
    """The number of images in an archive and its classes, without reading the images; raises as ``from_npz`` does."""
    with _opened(path) as archive:
        count = _check_images(archive, path.name)
        return count, _labels(archive, path.name, count)[1]


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive at ``path``; exceptions of the readers become a UserError."""
    if not path.is_file():
        raise UserError(f"There is no file “{path}”. Check the path.")
    if not zipfile.is_zipfile(path):
        raise UserError(f"“{path.name}” is not an .npz archive. Write one with numpy.savez(path, images=…, labels=…).")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except MemoryError:
        raise UserError(f"“{path.name}” does not fit into memory. Save fewer images in an archive.") from None
    except _UNREADABLE as error:
        raise UserError(f"“{path.name}” is damaged and cannot be read ({error}). Write or copy it again.") from error


def _check_images(archive: zipfile.ZipFile, name: str) -> int:
    """The number of images. Raises UserError when the array is missing or has another type or shape."""
    if "images.npy" not in archive.namelist():
        arrays = ", ".join(f"“{Path(entry).stem}”" for entry in archive.namelist()[:10]) or "nothing"
        raise UserError(f"“{name}” holds no array “images” (found: {arrays}). {_LAYOUT}")
    shape, dtype = _header(archive, "images", name)
    if dtype != np.uint8:
        hint = " Scale values from 0…1 by 255 before converting." if dtype.kind == "f" else ""
        raise UserError(f"“images” in “{name}” is {dtype}, not uint8. Save images.astype(numpy.uint8).{hint}")
    if len(shape) == 4 and shape[1] == 3 and shape[3] != 3:
        raise UserError(f"“images” in “{name}” has its channels first. Save images.transpose(0, 2, 3, 1) instead.")
    if not (len(shape) == 3 or (len(shape) == 4 and shape[3] == 3)):
        raise UserError(f"“images” in “{name}” has shape {shape}. {_LAYOUT}")
    if 0 in shape:
        raise UserError(f"“images” in “{name}” has shape {shape}, which holds no image. {_LAYOUT}")
    return shape[0]


def _labels(archive: zipfile.ZipFile, name: str, count: int) -> tuple[Labels, tuple[str, ...]]:
    """Labels (N,) in the archive's order and class names; −1 and no names without labels."""
    if "labels.npy" not in archive.namelist():
        return np.full(count, -1, dtype=np.int64), ()
    shape, dtype = _header(archive, "labels", name)
    if shape != (count,) or dtype.kind not in "iu":
        raise UserError(
            f"“labels” in “{name}” has shape {shape} and type {dtype}; {count} images need ({count},) integers."
        )
    labels = _read(archive, "labels")
    low, high = int(labels.min()), int(labels.max())
    if "classes.npy" in archive.namelist():
        shape, dtype = _header(archive, "classes", name)
        if len(shape) != 1 or dtype.kind != "U":
            raise UserError(f"“classes” in “{name}” must be a list of names: save numpy.array([…], dtype=str).")
        classes = tuple(str(one) for one in _read(archive, "classes"))
    else:
        classes = tuple(str(one) for one in range(min(high + 1, MAX_CLASSES)))
    if low < -1 or high >= len(classes):
        raise UserError(
            f"“labels” in “{name}” runs from {low} to {high}; it must index {len(classes):,} classes (−1: unknown)."
        )
    return labels.astype(np.int64), classes


def _header(archive: zipfile.ZipFile, array: str, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array from its header. Raises UserError for pickled objects and too large arrays."""
    with archive.open(f"{array}.npy") as file:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            _refuse(array, name)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        try:
            shape, _, dtype = read(file)
        except (TypeError, SyntaxError, TokenError) as error:  # NumPy evaluates the header as a Python literal
            raise ValueError(f"the header of {array} makes no sense") from error
    if dtype.hasobject or dtype.fields is not None:
        _refuse(array, name)
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES:
        raise UserError(
            f"“{array}” in “{name}” takes {size / 2**30:,.0f} GiB; up to {MAX_BYTES // 2**30} GiB can be taken. "
            "Save fewer images in an archive."
        )
    return shape, dtype


def _refuse(array: str, name: str) -> NoReturn:
    raise UserError(f"“{array}” in “{name}” holds Python objects, which are never loaded. Save a plain array instead.")


def _read(archive: zipfile.ZipFile, array: str) -> NDArray[Any]:
    with archive.open(f"{array}.npy") as file:
        content: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    return content
