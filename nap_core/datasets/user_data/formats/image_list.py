"""Lists of images as OpenOOD, Caffe and Places have them: a path and a label a line."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from nap_core.datasets.images import BaseImages
from nap_core.datasets.user_data import label_arrays
from nap_core.datasets.user_data.formats.listed import files_named, looks_like_a_path, open_listed
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts
from nap_core.errors import UserError

TITLE = "list of images (.txt, .lst, .list): a path and a label a line"

MAX_BYTES = 256 * 2**20
_SUFFIXES = (".txt", ".lst", ".list")
_LINE = re.compile(r"(?P<path>.+?\.\w{2,5}|\S+)(?:[ \t,;]+(?P<label>-?\d+|[^\W\d][^\t,;]*))?\s*")
_SEEN = 5  # lines that must look like a list


def matches(path: Path) -> bool:
    """Whether the path is a text whose first lines are paths of images, with or without a label."""
    if path.suffix.lower() not in _SUFFIXES or not path.is_file():
        return False
    try:
        with path.open(encoding="utf-8") as file:
            lines = [line for line, _ in zip(_filled(file), range(_SEEN), strict=False)]
    except (OSError, ValueError):
        return False
    pairs = [_LINE.fullmatch(line) for line in lines]
    return bool(pairs) and all(pair is not None and looks_like_a_path(pair["path"]) for pair in pairs)


def parts(_path: Path) -> Parts:
    """None: a list is one dataset."""
    return Parts()


def contents(path: Path, _part: str, _allowed: object = None) -> Contents:
    """Size and classes, from the list alone."""
    paths, labelled = _entries(path, path.stat().st_mtime_ns)
    return Contents(len(paths), labelled.classes)


def files(path: Path) -> list[Path]:
    """The list and the images that it names."""
    return files_named(path, _entries(path, path.stat().st_mtime_ns)[0])


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images, decoded one by one."""
    paths, labelled = _entries(path, path.stat().st_mtime_ns)
    return open_listed(path, paths, labelled, options, how)


def _filled(lines: object) -> list[str]:
    return [line.rstrip("\n") for line in lines if line.strip() and not line.startswith("#")]  # type: ignore[attr-defined]


@lru_cache(maxsize=4)
def _entries(path: Path, _changed: int) -> tuple[tuple[str, ...], Labelled]:
    """The paths of a list and their labels. Raises UserError for a line of another kind."""
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"“{path.name}” has more than {MAX_BYTES // 2**20} MB. Use a shorter list.")
    lines = _filled(path.read_text(encoding="utf-8", errors="replace").splitlines())
    paths, labels = [], []
    for line in lines:
        pair = _LINE.fullmatch(line)
        if pair is None:
            raise UserError(f"“{line[:100]}” in “{path.name}” is no path and label. Mend the line or leave it out.")
        paths.append(pair["path"])
        labels.append((pair["label"] or "").strip())
    return tuple(paths), labels_of_texts(labels, path.name)


def labels_of_texts(labels: list[str], name: str) -> Labelled:
    """Labels that a text has for each image: whole numbers, or names; empty for unknown."""
    if not any(labels):
        return label_arrays.unlabelled(len(labels))
    try:
        numbers = np.array([int(label) if label else -1 for label in labels], np.int64)
    except ValueError:
        return label_arrays.from_names(labels)
    return label_arrays.convert(numbers, len(labels), f"The labels in “{name}”")
