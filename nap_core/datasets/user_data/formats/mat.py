"""SVHN's cropped digits: a MATLAB file with X (H, W, 3, N) and y, in which the digit 0 has label 10."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from nap_core.datasets.images import BaseImages
from nap_core.datasets.user_data import label_arrays
from nap_core.datasets.user_data.formats.array_files import open_arrays
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.npy_arrays import MAX_BYTES
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts
from nap_core.errors import UserError

TITLE = "SVHN's MATLAB file (.mat) with X and y"
TEN = 10
DIGITS = tuple("0123456789")

# Exceptions of scipy's reader on damaged and foreign content; NotImplementedError for MATLAB 7.3.
_UNREADABLE = (
    *(OSError, ValueError, TypeError, KeyError, IndexError, EOFError, zlib.error, struct.error),
    *(NotImplementedError, MemoryError),
)


def matches(path: Path) -> bool:
    """Whether the path is a .mat with an array X of four dimensions."""
    return path.suffix.lower() == ".mat" and path.is_file() and len(_shapes(path).get("X", ())) == 4


def parts(_path: Path) -> Parts:
    """None: each split is a file."""
    return Parts()


def contents(path: Path, _part: str, _allowed: object = None) -> Contents:
    """Size from the header, and the digits."""
    shapes = _shapes(path)
    return Contents(shapes["X"][3], DIGITS if "y" in shapes else ())


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images in memory."""
    from scipy.io import loadmat

    if np.prod(_shapes(path)["X"], dtype=float) > MAX_BYTES:
        raise UserError(f"“{path.name}” holds more than {MAX_BYTES // 2**30} GiB of images. Save fewer of them.")
    try:
        content = loadmat(str(path), variable_names=("X", "y"))
    except _UNREADABLE as error:
        raise UserError(f"“{path.name}” is damaged and cannot be read ({error}). Copy it again.") from error
    array = content["X"].transpose(3, 0, 1, 2)
    labelled, notes = label_arrays.unlabelled(len(array)), list[str]()
    if "y" in content:
        labelled = label_arrays.convert(content["y"], len(array), f"“y” in “{path.name}”")
        if not options.numbering and labelled.labels.max() <= TEN:
            labelled = Labelled(labelled.labels % TEN, DIGITS)
            notes.append(
                "Its labels are digits, as in SVHN, where 10 is the digit 0. Write :from-0 or :from-1 behind the name "
                "if they are numbers of classes."
            )
    return open_arrays(path, array, labelled, options, how, tuple(notes), digits_are_names=not options.numbering)


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The arrays of a file; empty where it cannot be read."""
    from scipy.io import whosmat

    try:
        return {str(name): tuple(shape) for name, shape, _ in whosmat(str(path))}
    except _UNREADABLE:
        return {}
