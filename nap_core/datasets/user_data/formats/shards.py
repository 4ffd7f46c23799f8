"""What formats of several files have in common: the files of a split by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from nap_core.datasets.user_data.parts import Parts, split_names, usual_split
from nap_core.datasets.user_data.walking import is_hidden, walk

_WORD = re.compile(r"[A-Za-z]+")


def files_of(path: Path, suffix: str) -> list[Path]:
    """The file itself, or the files with the suffix in a folder without images and in its folder ``data``; sorted."""
    if path.is_file():
        return [path] if path.suffix.lower() == suffix else []
    if next(walk(path), None):
        return []
    for folder in (path, path / "data"):
        try:
            found = sorted(one for one in folder.iterdir() if one.suffix.lower() == suffix and one.is_file())
        except OSError:
            continue
        if shown := [one for one in found if not is_hidden(one.name)]:
            return shown
    return []


def parts_of(files: list[Path]) -> Parts:
    """The splits that the files' names begin with: "train-00000-of-00002"."""
    if len(files) < 2:
        return Parts()
    names = tuple(dict.fromkeys(split for file in files if (split := _split(file))))
    return Parts(names, usual=usual_split(names)) if len(names) > 1 else Parts()


def of_part(files: list[Path], part: str) -> list[Path]:
    """The files of a split; all of them for an empty ``part``."""
    return [file for file in files if not part or _split(file) == part]


def placed(files: Sequence[Path]) -> Callable[[str], Path]:
    """The file of a name "shard/entry", by the shard's name."""
    by_name = {file.name: file for file in files}
    return lambda name: by_name[name.partition("/")[0]]


def _split(file: Path) -> str:
    first = _WORD.match(file.stem)
    return first[0] if first and split_names([first[0]]) else ""
