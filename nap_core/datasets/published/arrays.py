"""Readers of datasets that are published as arrays: CIFAR's pickles, MNIST's IDX files, SVHN's .mat."""

from __future__ import annotations

import codecs
import gzip
import pickle
import struct
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core.datasets.images import Pixels
from nap_core.datasets.published.spec import Content

Reader = Callable[[Path], Content]


def cifar(archive: str, batches: Sequence[str], labels: str, names: tuple[str, str]) -> Reader:
    """Batches of a CIFAR archive: names below its folder, the key of the labels, file and key of the class names."""

    def read(folder: Path) -> Content:
        found: dict[str, dict[str, Any]] = {}
        with tarfile.open(folder / archive) as packed:
            for member in packed:
                name = member.name.rpartition("/")[2]
                content = packed.extractfile(member) if name in (*batches, names[0]) else None
                if content:
                    found[name] = _Plain(content, encoding="latin1").load()
        pixels = np.concatenate([found[name]["data"] for name in batches])
        pixels = np.ascontiguousarray(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), dtype=np.uint8)
        numbers = np.concatenate([np.asarray(found[name][labels], np.int64) for name in batches])
        return _content(pixels, numbers, tuple(map(str, found[names[0]][names[1]])))

    return read


class _Plain(pickle.Unpickler):
    """Takes lists, text and NumPy arrays from a pickle, and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return _PLAIN[module, name]
        raise ValueError(f"it names {module}.{name}, which is no plain data")


# What arrays are made of, by the names that old and new pickles have for it.
_RECONSTRUCT = np.empty(0).__reduce__()[0]
_PLAIN: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("_codecs", "encode"): codecs.encode,
}


def idx(images: str, labels: str, classes: tuple[str, ...]) -> Reader:
    """Images and labels in gzipped IDX files, as MNIST and its relatives are."""

    def read(folder: Path) -> Content:
        pixels = _idx(folder / images, 3)
        return _content(pixels, _idx(folder / labels, 1).astype(np.int64), classes)

    return read


def _idx(path: Path, dimensions: int) -> Pixels:
    """The array in a gzipped IDX file of bytes. Raises ValueError for anything else."""
    with gzip.open(path) as file:
        head = _exactly(file, 4 + 4 * dimensions)
        kind, *shape = struct.unpack(f">{1 + dimensions}I", head)
        if kind != 0x0800 + dimensions:
            raise ValueError(f"{path.name} is no IDX file of {dimensions} dimensions")
        content = _exactly(file, int(np.prod(shape)))
    return np.frombuffer(content, np.uint8).reshape(shape)


def _exactly(file: gzip.GzipFile, count: int) -> bytes:
    content = file.read(count)
    if len(content) < count:
        raise ValueError("the file ends early")
    return content


def svhn(matrix: str) -> Reader:
    """Cropped digits in a MATLAB file, in which the digit 0 is labelled 10."""

    def read(folder: Path) -> Content:
        from scipy.io import loadmat

        found = loadmat(str(folder / matrix), variable_names=("X", "y"))
        pixels = np.ascontiguousarray(found["X"].transpose(3, 0, 1, 2), dtype=np.uint8)
        return _content(pixels, found["y"].reshape(-1).astype(np.int64) % 10, tuple("0123456789"))

    return read


def _content(pixels: Pixels, labels: NDArray[np.int64], classes: tuple[str, ...]) -> Content:
    if len(pixels) != len(labels) or not len(pixels):
        raise ValueError(f"it holds {len(pixels)} images and {len(labels)} labels")
    return Content(labels, classes, lambda index: Image.fromarray(pixels[index]).convert("RGB"))
