"""Readers of datasets published as arrays: CIFAR's pickles, MNIST's IDX files, SVHN's .mat."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core.datasets import plain_pickle
from nap_core.datasets.images import Pixels
from nap_core.datasets.published.spec import Content
from nap_core.datasets.published.unpacking import members

Reader = Callable[[Path], Content]


def cifar(archive: str, batches: Sequence[str], labels: str, names: tuple[str, str]) -> Reader:
    """Reads ``batches`` of a CIFAR archive; ``labels`` is the labels' key, ``names`` the class names' file and key."""

    def read(folder: Path) -> Content:
        files = members(folder / archive, (*batches, names[0]))
        batch = {name: plain_pickle.load(content) for name, content in files}
        pixels = np.concatenate([batch[name]["data"] for name in batches])
        pixels = np.ascontiguousarray(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), dtype=np.uint8)
        numbers = np.concatenate([np.asarray(batch[name][labels], np.int64) for name in batches])
        return _content(pixels, numbers, tuple(map(str, batch[names[0]][names[1]])))

    return read


def idx(images: str, labels: str, classes: tuple[str, ...]) -> Reader:
    """Reads gzipped IDX files of images and labels, the format of MNIST and its variants."""

    def read(folder: Path) -> Content:
        pixels = _idx(folder / images, 3)
        return _content(pixels, _idx(folder / labels, 1).astype(np.int64), classes)

    return read


def _idx(path: Path, dimensions: int) -> Pixels:
    """The uint8 array of a gzipped IDX file. Raises ValueError for other content."""
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
    """Reads cropped digits from a MATLAB file, in which the digit 0 has label 10."""

    def read(folder: Path) -> Content:
        from scipy.io import loadmat

        content = loadmat(str(folder / matrix), variable_names=("X", "y"))
        pixels = np.ascontiguousarray(content["X"].transpose(3, 0, 1, 2), dtype=np.uint8)
        return _content(pixels, content["y"].reshape(-1).astype(np.int64) % 10, tuple("0123456789"))

    return read


def _content(pixels: Pixels, labels: NDArray[np.int64], classes: tuple[str, ...]) -> Content:
    if len(pixels) != len(labels) or not len(pixels):
        raise ValueError(f"it holds {len(pixels)} images and {len(labels)} labels")
    return Content(labels, classes, lambda index: Image.fromarray(pixels[index]).convert("RGB"))
