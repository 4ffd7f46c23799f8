"""Images in a user's folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from nap_core.datasets.decoding import SUFFIXES, decode
from nap_core.datasets.images import BaseImages, Labels, digest, fingerprint, presentation_order
from nap_core.datasets.user_data.scan_cache import ScanCache
from nap_core.errors import UserError

MAX_FILES = 100_000


@dataclass(frozen=True, eq=False)
class FolderImages(BaseImages):
    """The readable images of a folder, decoded one by one.

    ``files`` are paths below ``root``; ``unreadable`` are the files left out, each with an error message.
    """

    root: Path
    files: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]

    def image(self, index: int) -> Image.Image:
        return read_image(self.root, self.files[index])


def from_folder(
    path: str | Path,
    title: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    cache: Path | None = None,
) -> FolderImages:
    """Open the images in a folder and its sub-folders.

    The sub-folders of ``path`` are the classes; images in ``path`` itself have label −1. Hidden files and folders, and
    files without an image suffix, are ignored. Every image is decoded once, to fingerprint the content and to detect
    unreadable files.

    Args:
        path: the folder.
        title: the dataset's title; the folder's name by default.
        progress: called with (done, total) after each image.
        cache: a folder that stores the scan, so that unchanged files are not decoded again; None for no cache.

    Returns:
        The readable images, in the order of ``presentation_order`` over their sorted paths.

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

    digests: dict[str, bytes] = {}
    unreadable: list[tuple[str, str]] = []
    scans = ScanCache(root, cache)
    # Pillow decodes outside Python's global lock, so threads help.
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda file: scans.find(file) or _examine(root, file), files)
        for done, (file, result) in enumerate(zip(files, results, strict=True), start=1):
            scans.add(file, result)
            if isinstance(result, UserError):
                unreadable.append((file, str(result)))
            else:
                digests[file] = result
            if progress is not None:
                progress(done, len(files))
    scans.save()
    if not digests:
        raise UserError(f"None of the {len(files):,} images in “{root}” can be read. {unreadable[0][1]}")

    readable = list(digests)
    classes = classes_of(files)
    ordered = tuple(readable[i] for i in presentation_order(len(readable)))
    labels = labels_of(ordered, classes)
    return FolderImages(
        name=f"folder:{root.resolve().name}",
        title=title or root.resolve().name,
        stated_fingerprint=fingerprint((digests[file] for file in ordered), labels),
        classes=classes,
        labels=labels,
        root=root,
        files=ordered,
        unreadable=tuple(unreadable),
    )


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


def read_image(root: Path, file: str) -> Image.Image:
    """The image at a path below ``root``. Raises UserError when it is missing or damaged."""
    try:
        data = (root / file).read_bytes()
    except OSError as error:
        raise UserError(f"“{file}” can no longer be opened ({error.strerror}). Check the folder “{root}”.") from error
    return decode(data, file)


def _examine(root: Path, file: str) -> bytes | UserError:
    try:
        return digest(np.asarray(read_image(root, file)))
    except UserError as error:
        return error
