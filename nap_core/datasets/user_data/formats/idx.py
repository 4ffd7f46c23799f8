"""IDX, the format of MNIST and its variants: a file of images beside one of labels, gzipped or not."""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nap_core.datasets.images import BaseImages
from nap_core.datasets.user_data import label_arrays
from nap_core.datasets.user_data.formats.array_files import open_arrays
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.npy_arrays import MAX_BYTES
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts, usual_split
from nap_core.errors import UserError

TITLE = "IDX files of MNIST and its variants, or their folder"

_NAME = re.compile(r"(?i).*(idx|ubyte).*")
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_SPLITS = {"train": re.compile(r"(?i)(.*[-_])?train[-_.].*"), "test": re.compile(r"(?i)(.*[-_])?(t10k|test)[-_.].*")}
_UNREADABLE = (OSError, EOFError, zlib.error, struct.error, ValueError)


def matches(path: Path) -> bool:
    """Whether the path is an IDX file of images by its first bytes, or a folder with one of a split."""
    return bool(_by_split(path)) if path.is_dir() else _holds_images(path)


def parts(path: Path) -> Parts:
    """The splits of a folder; the test images are read where nothing was said."""
    names = tuple(_by_split(path)) if path.is_dir() else ()
    return Parts(names, usual=usual_split(names))


def contents(path: Path, part: str, _allowed: object = None) -> Contents:
    """Size and classes, from the header and the labels."""
    file = _file(path, part)
    count = _shape(file)[0]
    return Contents(count, _labels(file, count)[0].classes)


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images in memory."""
    file = _file(path, options.part)
    array = _read(file)
    labelled, notes = _labels(file, len(array))
    if file.name.lower().startswith("emnist"):
        array = array.swapaxes(1, 2)
        notes = (*notes, "EMNIST stores its images transposed; they were turned upright.")
    return open_arrays(path, array, labelled, options, how, notes, digits_are_names=True)


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _holds_images(path: Path) -> bool:
    if not path.is_file() or not _NAME.fullmatch(path.name):
        return False
    try:
        return len(_shape(path)) in (3, 4)
    except UserError:
        return False


def _by_split(folder: Path) -> dict[str, Path]:
    """The file of images of each split; a file that is there gzipped too is read without."""
    found: dict[str, Path] = {}
    try:
        files = sorted(one for one in folder.iterdir() if _NAME.fullmatch(one.name))
    except OSError:
        return found
    for split, pattern in _SPLITS.items():
        file = next((one for one in files if pattern.fullmatch(one.name) and _holds_images(one)), None)
        if file:
            found[split] = file
    return found


def _file(path: Path, part: str) -> Path:
    return _by_split(path)[part] if path.is_dir() else path


def _head(file: IO[bytes], name: str) -> tuple[str, tuple[int, ...]]:
    zero, kind, dimensions = struct.unpack(">HBB", _exactly(file, 4))
    if zero or kind not in _TYPES or not dimensions:
        raise ValueError("it does not begin as an IDX file does")
    shape = struct.unpack(f">{dimensions}I", _exactly(file, 4 * dimensions))
    if math.prod(shape) * int(_TYPES[kind][-1]) > MAX_BYTES:
        raise UserError(f"“{name}” holds more than {MAX_BYTES // 2**30} GiB. Save fewer images in it.")
    return _TYPES[kind], shape


def _shape(path: Path) -> tuple[int, ...]:
    try:
        with _opened(path) as file:
            return _head(file, path.name)[1]
    except _UNREADABLE as error:
        raise UserError(f"“{path.name}” is no IDX file, or is damaged ({error}). Copy it again.") from error


def _read(path: Path) -> NDArray[Any]:
    try:
        with _opened(path) as file:
            kind, shape = _head(file, path.name)
            return np.frombuffer(_exactly(file, math.prod(shape) * int(kind[-1])), kind).reshape(shape)
    except _UNREADABLE as error:
        raise UserError(f"“{path.name}” is no IDX file, or is damaged ({error}). Copy it again.") from error


def _exactly(file: IO[bytes], count: int) -> bytes:
    content = file.read(count)
    if len(content) < count:
        raise ValueError("it ends early")
    return content


def _labels(path: Path, count: int) -> tuple[Labelled, tuple[str, ...]]:
    """Those of the file with “labels” for “images” and “idx1” for “idx3” in its name; unknown where it is missing."""
    name = path.name.replace("images", "labels").replace("idx3", "idx1")
    for candidate in (name, name.removesuffix(".gz"), f"{name}.gz"):
        file = path.with_name(candidate)
        if file != path and file.is_file():
            note = (
                f"Labels are those of “{file.name}”, taken for digits that are shown. Write :from-0 or :from-1 behind "
                "the name if they are numbers of classes."
            )
            return label_arrays.convert(_read(file), count, f"“{file.name}”"), (note,)
    return label_arrays.unlabelled(count), ()
