"""Readers of datasets published as image files: flat folders, class folders, lists of files and labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nap_core.datasets.published.spec import Content, Parts
from nap_core.datasets.published.unpacking import members
from nap_core.datasets.user_data.folders import classes_of, files_in, labels_of, read_image

Reader = Callable[[Path], Content]
MAX_FILES = 1_000_000


def flat(unpacked: str) -> Reader:
    """Reads every image below a folder, without labels."""

    def read(folder: Path) -> Content:
        files = files_in(folder / unpacked, MAX_FILES)
        return _content(folder / unpacked, files, [-1] * len(files), ())

    return read


def class_folders(unpacked: str) -> Reader:
    """Reads class folders in alphabetical order."""

    def read(folder: Path) -> Content:
        files = files_in(folder / unpacked, MAX_FILES)
        classes = classes_of(files)
        return _content(folder / unpacked, files, labels_of(files, classes), classes)

    return read


def food101(folder: Path) -> Content:
    """Food-101's test split, which a JSON file lists by class."""
    root = folder / "food-101" / "food-101"
    listed: dict[str, list[str]] = json.loads((root / "meta" / "test.json").read_text(encoding="utf-8"))
    classes = tuple(sorted(listed))
    pairs = [(f"images/{name}.jpg", index) for index, one in enumerate(classes) for name in listed[one]]
    return _content(root, [file for file, _ in pairs], [label for _, label in pairs], classes)


def flowers102(folder: Path) -> Content:
    """The test split of the 102 flowers, which two MATLAB files list and label."""
    from scipy.io import loadmat
    from torchvision.datasets import Flowers102

    chosen = loadmat(str(folder / "setid.mat"))["tstid"].reshape(-1).astype(int)
    labels = loadmat(str(folder / "imagelabels.mat"))["labels"].reshape(-1).astype(int) - 1
    files = [f"jpg/image_{number:05d}.jpg" for number in chosen]
    return _content(folder / "102flowers", files, labels[chosen - 1].tolist(), tuple(Flowers102.classes))


def places365(folder: Path) -> Content:
    """The validation set of Places365, labelled by a list in an archive of lists."""
    listed = members(folder / "filelist_places365-standard.tar", ("places365_val.txt", "categories_places365.txt"))
    lists = {name: content.read().decode() for name, content in listed}
    numbers = {line.split()[0]: int(line.split()[1]) for line in lists["categories_places365.txt"].splitlines()}
    pairs = [line.split() for line in lists["places365_val.txt"].splitlines()]
    files = [f"val_256/{file}" for file, _ in pairs]
    classes = tuple(sorted(numbers, key=lambda name: numbers[name]))
    return _content(folder / "val_256", files, [int(label) for _, label in pairs], classes)


def tiny_imagenet_wanted(_folder: Path) -> Callable[[Parts], Parts | None]:
    """Layout that unpacks only the validation set and the list of classes, without the 100,000 training images."""
    return lambda parts: parts if parts[1:2] == ("val",) or parts[1:] == ("wnids.txt",) else None


def tiny_imagenet(folder: Path) -> Content:
    """The validation set of Tiny ImageNet; its classes are WordNet's numbers, sorted."""
    root = folder / "tiny-imagenet-200" / "tiny-imagenet-200"
    classes = tuple(sorted((root / "wnids.txt").read_text(encoding="utf-8").split()))
    lines = (root / "val" / "val_annotations.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split()[:2] for line in lines]
    files = [f"val/images/{file}" for file, _ in pairs]
    return _content(root, files, [classes.index(name) for _, name in pairs], classes)


def _content(root: Path, files: Sequence[str], labels: ArrayLike, classes: tuple[str, ...]) -> Content:
    if not files:
        raise ValueError(f"there are no pictures in {root}")
    numbers = np.asarray(labels, np.int64)
    return Content(numbers, classes, lambda index: read_image(root, files[index]), tuple(files))
