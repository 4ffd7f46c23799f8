"""Labels as people save them: (N,) or (N, 1), whole numbers of any type, names, one row of 0 and 1 an image."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nap_core.datasets.images import Labels
from nap_core.errors import UserError

MAX_CLASSES = 100_000


class Labelled(NamedTuple):
    """Labels (N,) that index the class names, −1 for unknown, and sentences on what was converted."""

    labels: Labels
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def unlabelled(count: int) -> Labelled:
    """Labels of ``count`` images of unknown classes."""
    return Labelled(np.full(count, -1, np.int64), ())


def convert(array: NDArray[Any], count: int, what: str, classes: tuple[str, ...] | None = None) -> Labelled:
    """The labels of ``count`` images.

    Args:
        array: (N,) or (N, 1) whole numbers or names, or (N, K) with a single 1 in each row.
        count: the number of images N.
        what: its name in sentences.
        classes: the names that numbers index; None for the numbers themselves.

    Returns:
        Labels, class names, and notes. Labels of several classes an image are unknown.

    Raises:
        UserError: other shapes and types, or numbers beyond ``classes``.
    """
    if array.shape in ((count, 1), (1, count)):
        array = array.reshape(count)
    if array.ndim == 2 and len(array) == count and array.shape[1] > 1 and array.dtype.kind in "buif":
        return _rows(array, what, classes)
    if array.shape != (count,) or array.dtype.kind not in "buifUS":
        raise UserError(
            f"{what} has shape {array.shape} and type {array.dtype}; {count} images need ({count},) integers."
        )
    if array.dtype.kind in "US":
        return from_names([one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in array])
    notes = []
    if array.dtype.kind == "f":
        unknown = ~np.isfinite(array)
        if unknown.any():
            notes.append(f"{what} has {int(unknown.sum()):,} values that are no numbers: their labels are unknown.")
        whole = np.where(unknown, -1, array)
        if (whole != np.rint(whole)).any():
            raise UserError(f"{what} has type {array.dtype} and fractions; labels are whole numbers.")
        array = whole
    low, high = int(array.min()), int(array.max())
    names = classes or tuple(str(one) for one in range(min(high + 1, MAX_CLASSES)))
    if low < -1 or high >= len(names):
        raise UserError(f"{what} runs from {low} to {high}; it must index {len(names):,} classes (−1: unknown).")
    return Labelled(array.astype(np.int64), names, tuple(notes))


def from_names(names: list[str]) -> Labelled:
    """Labels of images from the name of each one's class; empty names are unknown classes."""
    classes = tuple(sorted({name for name in names if name}))
    number = {name: index for index, name in enumerate(classes)}
    return Labelled(np.array([number.get(name, -1) for name in names], np.int64), classes)


def _rows(array: NDArray[Any], what: str, classes: tuple[str, ...] | None) -> Labelled:
    if ((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all():
        names = classes or tuple(map(str, range(array.shape[1])))
        note = f"{what} has a 1 for the class in each row of {array.shape[1]:,}."
        return Labelled(array.argmax(axis=1).astype(np.int64), names, (note,))
    note = f"{what} has several classes an image, of {array.shape[1]:,}: labels are unknown."
    return unlabelled(len(array))._replace(notes=(note,))
