"""Images in a user's NumPy archive: ``images`` and ``labels``, or MedMNIST's or Keras' arrays of each split."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from nap_core.datasets.images import ArrayImages, presentation_order
from nap_core.datasets.user_data import label_arrays, npy_arrays, pixel_arrays
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts, split_names, usual_split
from nap_core.errors import UserError

# Exceptions of zipfile and NumPy on damaged, encrypted or foreign content.
UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)
_LAYOUT = "The archive needs an array “images” of shape (N, H, W) or (N, H, W, 3), uint8."
# Names of arrays that hold images and labels, where there are no splits.
_PAIRS = (
    ("images", "labels"),
    ("x", "y"),
    ("X", "y"),
    ("data", "labels"),
    ("data", "targets"),
    ("image", "label"),
    ("imgs", "labels"),
    ("arr_0", "arr_1"),
)


class Arrays(NamedTuple):
    """The arrays of an archive that hold the images and the labels."""

    images: str
    labels: str


def from_npz(path: str | Path, title: str | None = None, options: Options | None = None) -> ArrayImages:
    """Open the images of an .npz archive.

    The archive needs ``images``: (N, H, W), (N, H, W, C) or (N, C, H, W). Numbers that are not uint8 are brought to 8
    bits by one window for all images. Optional are ``labels``, (N,) or (N, 1) whole numbers from −1 (unknown), and
    ``classes``, the names that labels index (by default the numbers). Archives of MedMNIST and Keras, with arrays for
    each split, are read too. Array headers are checked before arrays are loaded, and pickled objects are refused.

    Args:
        path: the archive.
        title: the dataset's title; the file's name by default.
        options: the split, the window, and how labels count.

    Returns:
        The images in memory, in the order of ``presentation_order``.

    Raises:
        UserError: the archive is missing, damaged, or its arrays have other types or shapes.
    """
    path, options = Path(path).expanduser(), options or Options()
    with _opened(path) as archive:
        held = _parts(archive)
        arrays = _arrays(archive, held.chosen(options.part, path.name)[0], path.name)
        what = f"“{arrays.images}” in “{path.name}”"
        _check_images(archive, arrays, path.name)
        with archive.open(f"{arrays.images}.npy") as file:
            pixels, notes = pixel_arrays.convert(npy_arrays.read(file), what, options.window)
        labels, classes, said = _labels(archive, arrays, path.name, len(pixels))
    order = presentation_order(len(pixels))
    medmnist = arrays.images.endswith("_images")
    return ArrayImages(
        f"npz:{path.stem}",
        title or path.stem,
        classes,
        labels[order],
        pixels,
        order,
        notes=(*_named(arrays), *notes, *said),
        numbering=options.numbering or ("from-0" if medmnist else ""),
    )


def contents(path: Path, part: str = "") -> tuple[int, tuple[str, ...]]:
    """The number of images in an archive and its classes, without reading the images; raises as ``from_npz`` does."""
    with _opened(path) as archive:
        arrays = _arrays(archive, _parts(archive).chosen(part, path.name)[0], path.name)
        count = _check_images(archive, arrays, path.name)
        return count, _labels(archive, arrays, path.name, count).classes


def parts(path: Path) -> Parts:
    """The splits of an archive; none where it has one array of images. Raises as ``from_npz`` does."""
    with _opened(path) as archive:
        return _parts(archive)


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
    except UNREADABLE as error:
        raise UserError(f"“{path.name}” is damaged and cannot be read ({error}). Write or copy it again.") from error


def _stems(archive: zipfile.ZipFile) -> list[str]:
    return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def _by_split(stems: list[str]) -> dict[str, Arrays]:
    """The arrays of each split: MedMNIST's ``test_images`` and ``test_labels``, Keras' ``x_test`` and ``y_test``."""
    found = {}
    for stem in stems:
        for images, labels in (("_images", "_labels"), ("x_", "y_"), ("X_", "y_")):
            split = stem.removesuffix(images) if images.startswith("_") else stem.removeprefix(images)
            if split != stem and split_names([split]):
                found[split] = Arrays(stem, f"{split}{labels}" if labels.startswith("_") else f"{labels}{split}")
    return found


def _parts(archive: zipfile.ZipFile) -> Parts:
    stems = _stems(archive)
    if "images" in stems:
        return Parts()
    names = tuple(_by_split(stems))
    return Parts(names, usual=usual_split(names))


def _arrays(archive: zipfile.ZipFile, part: str, name: str) -> Arrays:
    stems = _stems(archive)
    if part:
        return _by_split(stems)[part]
    pair = next((Arrays(*one) for one in _PAIRS if one[0] in stems), None)
    if pair is None:
        arrays = ", ".join(f"“{stem}”" for stem in stems[:10]) or "nothing"
        raise UserError(f"“{name}” holds no array “images” (found: {arrays}). {_LAYOUT}")
    return pair


def _named(arrays: Arrays) -> tuple[str, ...]:
    """A note where the arrays have other names than ours."""
    if arrays.images == "images":
        return ()
    return (f"Images are those of “{arrays.images}”, labels those of “{arrays.labels}”.",)


def _check_images(archive: zipfile.ZipFile, arrays: Arrays, name: str) -> int:
    """The number of images. Raises UserError when the array has another type or shape."""
    what = f"“{arrays.images}” in “{name}”"
    with archive.open(f"{arrays.images}.npy") as file:
        return pixel_arrays.check(npy_arrays.header(file, what), what)


def _labels(archive: zipfile.ZipFile, arrays: Arrays, name: str, count: int) -> Labelled:
    """Labels (N,) in the archive's order and class names; −1 and no names without labels."""
    stems, what = _stems(archive), f"“{arrays.labels}” in “{name}”"
    if arrays.labels not in stems:
        return label_arrays.unlabelled(count)
    classes = None
    if "classes" in stems:
        with archive.open("classes.npy") as file:
            shape, dtype = npy_arrays.header(file, f"“classes” in “{name}”")
        if len(shape) != 1 or dtype.kind != "U":
            raise UserError(f"“classes” in “{name}” must be a list of names: save numpy.array([…], dtype=str).")
        with archive.open("classes.npy") as file:
            classes = tuple(str(one) for one in npy_arrays.read(file))
    with archive.open(f"{arrays.labels}.npy") as file:
        npy_arrays.header(file, what)
    with archive.open(f"{arrays.labels}.npy") as file:
        return label_arrays.convert(npy_arrays.read(file), count, what, classes)
