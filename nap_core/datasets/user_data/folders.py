"""Images in a user's folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from nap_core.datasets.decoding import SUFFIXES, decode
from nap_core.datasets.images import BaseImages, Labels, digest, fingerprint, presentation_order
from nap_core.datasets.user_data.scan_cache import Scan, ScanCache, Stamp, stamp, stamp_of
from nap_core.errors import UserError

MAX_FILES = 100_000
KEPT_BYTES = 2**28
"""Bytes of decoded images that a folder opened with a limit keeps for the pass that follows, so that a file is decoded
once."""


@dataclass(frozen=True, eq=False)
class FolderImages(BaseImages):
    """The readable images of a folder, decoded one by one.

    Attributes:
        root: the folder.
        files: paths below ``root``.
        unreadable: the files left out, each with an error message.
        stamps: what the files were when the fingerprint was taken; ``image`` refuses a file that has changed since.
        decoded: images that the scan has decoded; ``image`` gives each of them once.
    """

    root: Path
    files: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    stamps: Mapping[str, Stamp]
    decoded: dict[str, Image.Image] = field(default_factory=dict, repr=False)

    def image(self, index: int) -> Image.Image:
        """Image ``index`` in RGB. Raises UserError when its file is missing, damaged or has changed."""
        file = self.files[index]
        return self.decoded.pop(file, None) or read_image(self.root, file, self.stamps[file])


def from_folder(
    path: str | Path,
    title: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    cache: Path | None = None,
    limit: int | None = None,
) -> FolderImages:
    """Open the images in a folder and its sub-folders.

    The sub-folders of ``path`` are the classes; images in ``path`` itself have label −1. Hidden files and folders, and
    files without an image suffix, are ignored. Every image is decoded once, to fingerprint the content and to detect
    unreadable files, unless ``cache`` has it; with ``limit``, no more are decoded than are needed for that many.

    Args:
        path: the folder.
        title: the dataset's title; the folder's name by default.
        progress: called with (done, total) after each image.
        cache: a folder that stores the scan, so that unchanged files are not decoded again; None for no cache.
        limit: how many images are wanted at most, the first ones of the order; None for all. Where ``cache`` has the
            scan of the whole folder, all are opened nevertheless: their fingerprint is the one that is known.

    Returns:
        The readable images, in the order of ``presentation_order`` over the sorted paths of all images.

    Raises:
        UserError: no such folder, no readable image in it, or more than ``MAX_FILES`` images.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise UserError(f"There is no folder “{root}”. Check the path.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise UserError(f"The folder “{root}” may not be opened. Check its permissions.")
    files = files_in(root, MAX_FILES + 1)
    if len(files) > MAX_FILES:
        raise UserError(f"“{root}” holds more than {MAX_FILES:,} images. Choose a smaller folder.")
    if not files:
        raise UserError(f"“{root}” holds no images. PNG, JPEG, WebP, GIF, BMP and TIFF files can be read.")

    read = _Reading(root, files, cache, limit)
    read.run(progress)
    if not read.digests:
        reason = min(read.unreadable.items())[1]
        raise UserError(f"None of the {len(files):,} images in “{root}” can be read. {reason}")

    classes, readable = classes_of(files), tuple(read.digests)
    labels = labels_of(readable, classes)
    return FolderImages(
        name=f"folder:{root.resolve().name}",
        title=title or root.resolve().name,
        stated_fingerprint=fingerprint(read.digests.values(), labels),
        classes=classes,
        labels=labels,
        root=root,
        files=readable,
        unreadable=tuple(sorted(read.unreadable.items())),
        stamps=read.stamps,
        decoded=read.decoded,
    )


class _Reading:
    """The scan of the images ``files`` of a folder, in the order of presentation, until ``limit`` can be read.

    ``digests`` of those that can, ``unreadable`` with the reasons, ``stamps`` and ``decoded`` as in ``FolderImages``.
    """

    def __init__(self, root: Path, files: Sequence[str], cache: Path | None, limit: int | None) -> None:
        self._root, self._scans = root, ScanCache(root, cache)
        self._found = {file: stamp(root / file) for file in files}
        self._ordered = [files[i] for i in presentation_order(len(files))]
        self._keeps = limit is not None  # a pass over these few follows
        known = all(self._scans.find(*one) for one in self._found.items())
        self._limit = len(files) if limit is None or known else min(limit, len(files))
        self.digests: dict[str, bytes] = {}
        self.unreadable: dict[str, str] = {}
        self.stamps: dict[str, Stamp] = {}
        self.decoded: dict[str, Image.Image] = {}
        self._kept = 0

    def run(self, progress: Callable[[int, int], None] | None) -> None:
        # Pillow decodes outside Python's global lock, so threads help.
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            while len(self.digests) < self._limit and (rest := self._ordered[self._done :]):
                wanted = rest[: self._limit - len(self.digests)]
                for file, scanned in zip(wanted, pool.map(self._scan, wanted), strict=True):
                    self._add(file, *scanned)
                    if progress is not None:
                        progress(self._done, max(self._limit, self._done))
        self._scans.save(whole=self._limit == len(self._ordered))

    @property
    def _done(self) -> int:
        return len(self.digests) + len(self.unreadable)

    def _scan(self, file: str) -> tuple[Stamp | None, Scan, Image.Image | None]:
        """The stamp of a file's content, None where it is unknown; the digest or the error of its image; the image,
        None where it was not decoded."""
        before = self._found[file]
        cached = self._scans.find(file, before)
        if cached is not None:
            return before, cached, None
        try:
            data, read = _bytes(self._root, file)
        except UserError as error:
            return None, error, None
        try:
            image = decode(data, file)
        except UserError as error:
            return read, error, None
        return read, digest(np.asarray(image)), image if self._keeps else None

    def _add(self, file: str, read: Stamp | None, scan: Scan, image: Image.Image | None) -> None:
        if read:
            self._scans.add(file, read, scan)
            self.stamps[file] = read
        if image is not None and (kept := self._kept + 3 * image.width * image.height) <= KEPT_BYTES:
            self.decoded[file], self._kept = image, kept
        if isinstance(scan, UserError):
            self.unreadable[file] = str(scan)
        else:
            self.digests[file] = scan


def files_in(root: Path, limit: int) -> list[str]:
    """Paths below ``root`` of up to ``limit`` images, sorted, with forward slashes; no file is opened."""
    return sorted(islice(_walk(root), limit))


def classes_of(files: Iterable[str]) -> tuple[str, ...]:
    """The class folders of paths below a folder, sorted."""
    return tuple(sorted({file.split("/")[0] for file in files if "/" in file}))


def labels_of(files: Sequence[str], classes: tuple[str, ...]) -> Labels:
    """The classes (N,) of paths below a folder; −1 for files outside the class folders."""
    number = {name: index for index, name in enumerate(classes)}
    return np.array([number[file.split("/")[0]] if "/" in file else -1 for file in files], dtype=np.int64)


def _walk(root: Path) -> Iterator[str]:
    """Paths below ``root``, with forward slashes, of files with an image suffix; links to folders are not followed."""
    for folder, folders, files in os.walk(root):
        folders[:] = [one for one in folders if not one.startswith((".", "__MACOSX"))]
        for file in files:
            if not file.startswith(".") and Path(file).suffix.lower() in SUFFIXES:
                yield Path(folder, file).relative_to(root).as_posix()


def read_image(root: Path, file: str, expected: Stamp | None = None) -> Image.Image:
    """The image at a path below ``root``.

    Raises UserError when it is missing or damaged, changes while it is read, or has another stamp than ``expected``.
    """
    data, read = _bytes(root, file)
    if expected is not None and read != expected:
        raise UserError(
            f"“{file}” in “{root}” has changed since the folder was read. Start again: the folder is then read anew."
        )
    return decode(data, file)


def _bytes(root: Path, file: str) -> tuple[bytes, Stamp]:
    """The content of a file below ``root``, and the stamp that it had before and after it was read."""
    try:
        with (root / file).open("rb") as opened:
            before = stamp_of(os.fstat(opened.fileno()))
            data = opened.read()
            after = stamp_of(os.fstat(opened.fileno()))
    except OSError as error:
        raise UserError(f"“{file}” can no longer be opened ({error.strerror}). Check the folder “{root}”.") from error
    if before != after or len(data) != before[0]:
        raise UserError(f"“{file}” in “{root}” changed while it was read. Start again when nothing writes to it.")
    return data, before
