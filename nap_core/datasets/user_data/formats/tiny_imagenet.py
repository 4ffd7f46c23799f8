"""Tiny ImageNet as it is unpacked: class folders for training, a list of annotations for validation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nap_core.datasets.images import BaseImages
from nap_core.datasets.passed_over import Tally
from nap_core.datasets.user_data import label_arrays
from nap_core.datasets.user_data.folders import MAX_FILES, classes_of, files_in, from_folder, open_files
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts
from nap_core.datasets.user_data.walking import walk
from nap_core.errors import UserError

TITLE = "Tiny ImageNet's folder, or its val folder"

ANNOTATIONS = "val_annotations.txt"
_IMAGES = "images"
_SPLITS = ("train", "val", "test")


def matches(path: Path) -> bool:
    """Whether the path holds the list of annotations, or a val folder that does."""
    return any((path / place / ANNOTATIONS).is_file() for place in ("", "val"))


def parts(path: Path) -> Parts:
    """The splits of the whole folder; one has to be said."""
    if (path / ANNOTATIONS).is_file():
        return Parts()
    return Parts(tuple(split for split in _SPLITS if (path / split).is_dir()))


def contents(path: Path, part: str, _allowed: object = None) -> Contents:
    """Size and classes, from names and the list."""
    root = path / part
    if (root / ANNOTATIONS).is_file():
        names = _annotated(root)
        return Contents(len(names), tuple(sorted(set(names.values()))))
    files = files_in(root, MAX_FILES)
    return Contents(len(files), () if part == "test" else classes_of(files))


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images, decoded one by one. Labels of the test images are not published."""
    root = path / options.part
    title = how.title or ", ".join(one for one in (path.resolve().name, options.part) if one)
    how = replace(how, title=title)
    if not (root / ANNOTATIONS).is_file():
        if options.part != "test":
            return from_folder(root, title, how.progress, how.cache, how.limit, options, how.allowed)
        files = files_in(root, MAX_FILES)
        return open_files(root, files, label_arrays.unlabelled(len(files)).labels, (), options, how)
    names, tally = _annotated(root), Tally()
    there = sorted(f"{_IMAGES}/{file}" for file in walk(root / _IMAGES, how.allowed, tally))
    files = [file for file in there if file in names]
    for file in there:
        if file not in names:
            tally.add(f"not in {ANNOTATIONS}", file)
    for file in names.keys() - set(there):
        tally.add(f"in {ANNOTATIONS} and not there", file)
    if not files:
        raise UserError(f"None of the images in {ANNOTATIONS} is in “{root}”. Unpack the archive again.")
    labelled = label_arrays.from_names([names[file] for file in files])
    note = f"Labels are those of {ANNOTATIONS}."
    return open_files(root, files, labelled.labels, labelled.classes, options, how, tally, (note,))


def _annotated(root: Path) -> dict[str, str]:
    """The class of each image by its path below ``root``."""
    try:
        lines = (root / ANNOTATIONS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"{ANNOTATIONS} in “{root}” cannot be read ({error}). Unpack the archive again.") from error
    pairs = (line.split()[:2] for line in lines)
    return {f"{_IMAGES}/{pair[0]}": pair[1] for pair in pairs if len(pair) == 2}
