"""Folders of images: class folders, no classes, or splits on top."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from nap_core.datasets.images import BaseImages
from nap_core.datasets.passed_over import Tally
from nap_core.datasets.user_data.folders import MAX_FILES, classes_of, from_folder, splits_of
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts
from nap_core.datasets.user_data.walking import Allowed, walk

TITLE = "folder of images, with or without class folders"


def matches(path: Path) -> bool:
    """Whether the path is a folder; whether it holds images is seen when it is opened."""
    return path.is_dir()


def parts(path: Path) -> Parts:
    """The splits on top, one of which has to be said."""
    return splits_of(path)


def contents(path: Path, part: str, allowed: Allowed = None) -> Contents:
    """Size, classes and other files, from names alone."""
    tally = Tally()
    files = sorted(islice(walk(path / part, allowed, tally), MAX_FILES))
    return Contents(len(files), classes_of(files), tally.all())


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images, decoded one by one."""
    title = how.title or ", ".join(one for one in (path.resolve().name, options.part) if one)
    return from_folder(path / options.part, title, how.progress, how.cache, how.limit, options, how.allowed)
