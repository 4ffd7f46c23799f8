"""Folders of images: class folders, no classes, or splits on top."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from nap_core.datasets.images import BaseImages
from nap_core.datasets.passed_over import Tally
from nap_core.datasets.user_data.folders import MAX_FILES, classes_of, from_folder
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts, split_kinds, split_names
from nap_core.datasets.user_data.walking import Allowed, is_hidden, walk

TITLE = "folder of images, with or without class folders"


def matches(path: Path) -> bool:
    """Whether the path is a folder; whether it holds images is seen when it is opened."""
    return path.is_dir()


def parts(path: Path) -> Parts:
    """The splits on top, where there are folders of two kinds of them with images; one of them has to be said."""
    try:
        below = sorted(one.name for one in path.iterdir() if one.is_dir() and not is_hidden(one.name))
    except OSError:  # the sentence comes with opening it
        return Parts()
    names = split_names(below)
    if len(split_kinds(names)) < 2:
        return Parts()
    names = tuple(name for name in names if next(walk(path / name), None))
    return Parts(names) if len(split_kinds(names)) > 1 else Parts()


def contents(path: Path, part: str, allowed: Allowed = None) -> Contents:
    """Size, classes and other files, from names alone."""
    tally = Tally()
    files = sorted(islice(walk(path / part, allowed, tally), MAX_FILES))
    return Contents(len(files), classes_of(files), tally.all())


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images, decoded one by one."""
    title = how.title or ", ".join(one for one in (path.resolve().name, options.part) if one)
    return from_folder(path / options.part, title, how.progress, how.cache, options, how.allowed, how.first)
