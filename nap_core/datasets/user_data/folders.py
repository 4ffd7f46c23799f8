"""Images in a user's folder, and lists of image files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nap_core.datasets.decoding import READABLE, decode
from nap_core.datasets.images import BaseImages, Labels, fingerprint
from nap_core.datasets.passed_over import PassedOver, Tally
from nap_core.datasets.user_data.encoded import Encoded, ImageFiles
from nap_core.datasets.user_data.opening import Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts, split_kinds, split_names
from nap_core.datasets.user_data.scan import look
from nap_core.datasets.user_data.scan_cache import ScanCache, Stamp
from nap_core.datasets.user_data.walking import Allowed, is_hidden, walk
from nap_core.datasets.windows import Family, Window
from nap_core.errors import UserError

MAX_FILES = 100_000


@dataclass(frozen=True, eq=False)
class EncodedImages(BaseImages):
    """Images that are decoded one by one.

    Attributes:
        files: the readable ones, by name.
        unreadable: the ones left out, each with an error message.
        encoded: their content.
        stamps: what the files were when the fingerprint was taken; ``image`` refuses a file that has changed since.
        decoded: images that were decoded before; ``image`` gives each of them once.
        passed_over: other files in the same place.
        windows: how grey of more than 8 bits becomes 8.
    """

    files: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    encoded: Encoded
    stamps: Mapping[str, Stamp]
    decoded: dict[str, Image.Image] = field(default_factory=dict, repr=False)
    passed_over: tuple[PassedOver, ...] = field(default=(), kw_only=True)
    windows: Mapping[Family, Window] = field(default_factory=dict, kw_only=True)

    def image(self, index: int) -> Image.Image:
        """Image ``index`` in RGB. Raises UserError when its file is missing, damaged or has changed."""
        file = self.files[index]
        return self.decoded.pop(file, None) or self._read(file)

    def _read(self, file: str) -> Image.Image:
        data, stamp = self.encoded.read(file)
        if stamp != self.stamps[file]:
            raise UserError(
                f"“{file}” in “{self.title}” has changed since it was read. Start again: all is then read anew."
            )
        return decode(data, file, self.windows)


@dataclass(frozen=True, eq=False)
class FolderImages(EncodedImages):
    """Images in files below ``root``; ``files`` are their paths."""

    root: Path = field(kw_only=True)


def from_folder(
    path: str | Path,
    title: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    cache: Path | None = None,
    limit: int | None = None,
    options: Options | None = None,
    allowed: Allowed = None,
) -> FolderImages:
    """Open the images in a folder and its sub-folders.

    The sub-folders of ``path`` are the classes; images in ``path`` itself have label −1. Links to folders are followed,
    except into a folder that is being read. Files without an ending are images if their content is. Every image is
    decoded once, to fingerprint the content, to detect unreadable files and to choose one window for grey of more than
    8 bits.

    Args:
        path: the folder.
        title: the dataset's title; the folder's name by default.
        progress: called with (done, total) after each image.
        cache: a folder that stores the scan, so that unchanged files are not decoded again; None for no cache.
        limit: how many images are wanted at most, the first ones of the order; None for all. See ``Opening``.
        options: the window, and how class folders count whose names are numbers.
        allowed: folders in which the targets of links to folders must lie; None for anywhere.

    Returns:
        The readable images, in the order of ``presentation_order`` over the sorted paths of all images. Other files are
        counted.

    Raises:
        UserError: no such folder, no readable image in it, more than ``MAX_FILES`` images, or splits on top.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise UserError(f"There is no folder “{root}”. Check the path.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise UserError(f"The folder “{root}” may not be opened. Check its permissions.")
    splits_of(root).chosen("", root.name)
    tally = Tally()
    files = sorted(islice(walk(root, allowed, tally), MAX_FILES + 1))
    if len(files) > MAX_FILES:
        raise UserError(f"“{root}” holds more than {MAX_FILES:,} images. Choose a smaller folder.")
    if not files:
        raise UserError(f"“{root}” holds no images. {READABLE}")
    classes = classes_of(files)
    how = Opening(title, progress, cache, allowed, limit)
    notes: tuple[str, ...] = ()
    if len(classes) == 1 and split_names(classes) and all(file.count("/") > 1 for file in files):
        notes = (f"All images lie in “{classes[0]}”, which is one class; read {root / classes[0]} for those in it.",)
    return open_files(root, files, labels_of(files, classes), classes, options or Options(), how, tally, notes)


def splits_of(root: Path) -> Parts:
    """The folders on top of ``root`` that are splits: two kinds of them with images; none where there is one kind."""
    try:
        below = sorted(one.name for one in root.iterdir() if one.is_dir() and not is_hidden(one.name))
    except OSError:  # the sentence comes with opening it
        return Parts()
    names = split_names(below)
    if len(split_kinds(names)) < 2:
        return Parts()
    names = tuple(name for name in names if next(walk(root / name), None))
    return Parts(names) if len(split_kinds(names)) > 1 else Parts()


def open_files(
    root: Path,
    files: Sequence[str],
    labels: Labels,
    classes: tuple[str, ...],
    options: Options,
    how: Opening,
    tally: Tally | None = None,
    notes: Iterable[str] = (),
) -> FolderImages:
    """Open image files with labels, each file once.

    Args:
        root: the folder that their paths start from.
        files: paths below ``root``.
        labels: their classes (N,).
        classes: the names of the classes.
        options: the window, and how classes count whose names are numbers.
        how: title, progress and cache.
        tally: what was passed over so far.
        notes: sentences on what was concluded so far.

    Returns:
        The readable images in the order of presentation.

    Raises:
        UserError: none of the images can be read.
    """

    title = how.title or root.resolve().name
    common = looked_at(root, title, files, labels, classes, ImageFiles(root), options, how, tally, notes)
    return FolderImages(name=f"folder:{root.resolve().name}", root=root, **common)


def looked_at(
    root: Path,
    title: str,
    files: Sequence[str],
    labels: Labels,
    classes: tuple[str, ...],
    encoded: Encoded,
    options: Options,
    how: Opening,
    tally: Tally | None = None,
    notes: Iterable[str] = (),
) -> dict[str, Any]:
    """The fields of ``EncodedImages`` but its name, after a look at the images; raises as ``open_files`` does."""
    found = look(files, encoded, ScanCache(root, how.cache), how.progress, options.window, how.limit)
    if not found.digests:
        reason = min(found.unreadable.items())[1]
        raise UserError(f"None of the {len(files):,} images in “{title}” can be read. {reason}")
    number = dict(zip(files, labels.tolist(), strict=True))
    numbers = np.array([number[file] for file in found.digests], np.int64)
    return {
        "title": title,
        "classes": classes,
        "labels": numbers,
        "files": tuple(found.digests),
        "unreadable": tuple(sorted(found.unreadable.items())),
        "encoded": encoded,
        "stamps": found.stamps,
        "decoded": found.decoded,
        "stated_fingerprint": fingerprint(found.digests.values(), numbers),
        "notes": (*notes, *found.notes),
        "numbering": options.numbering,
        "used_classes": tuple(np.unique(labels[labels >= 0]).tolist()),
        "passed_over": tally.all() if tally else (),
        "windows": found.windows,
    }


def files_in(root: Path, limit: int) -> list[str]:
    """Paths below ``root`` of up to ``limit`` images, sorted, with forward slashes."""
    return sorted(islice(walk(root), limit))


def classes_of(files: Iterable[str]) -> tuple[str, ...]:
    """The class folders of paths below a folder, sorted."""
    return tuple(sorted({file.split("/")[0] for file in files if "/" in file}))


def labels_of(files: Sequence[str], classes: tuple[str, ...]) -> Labels:
    """The classes (N,) of paths below a folder; −1 for files outside the class folders."""
    number = {name: index for index, name in enumerate(classes)}
    return np.array([number[file.split("/")[0]] if "/" in file else -1 for file in files], dtype=np.int64)


def read_image(root: Path, file: str) -> Image.Image:
    """The image at a path below ``root``. Raises UserError when it is missing or damaged, or changes meanwhile."""
    return decode(ImageFiles(root).read(file)[0], file)
