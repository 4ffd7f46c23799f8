"""A user's images in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from nap_core.datasets.decoding import SUFFIXES, decode
from nap_core.datasets.images import Labels, digest, fingerprint, presentation_order
from nap_core.datasets.user_data.scan_cache import Examined
from nap_core.errors import UserError

MAXIMUM_FILES = 100_000


@dataclass(frozen=True, eq=False)
class FolderImages:
    """The readable images of a folder, decoded when asked for.

    ``unreadable`` lists the files left out, each with its path below the folder and a sentence that says why.
    """

    name: str
    title: str
    fingerprint: str
    classes: tuple[str, ...]
    labels: Labels
    root: Path
    files: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.files)

    def image(self, index: int) -> Image.Image:
        return read_image(self.root, self.files[index])


def from_folder(
    path: str | Path,
    title: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    kept: Path | None = None,
) -> FolderImages:
    """The images in a folder and below it, in the order of ``presentation_order`` over their sorted paths.

    The sub-folders of ``path`` that hold images are the classes; images that lie in ``path`` itself have none (−1).
    Hidden files and folders and files without an image's suffix are passed over. Every image is decoded once, to
    find those that cannot be read (they go to ``unreadable``, the rest goes on) and to fingerprint the content;
    ``progress(done, total)`` is called after each. What was found is kept in the folder ``kept``, if one is given, and
    files that have not changed since are not decoded again. Raises UserError when there is no such folder or no
    readable image in it, or when there are more than ``MAXIMUM_FILES``.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise UserError(f"There is no folder “{root}”. Check the path.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise UserError(f"The folder “{root}” may not be opened. Check its permissions.")
    files = files_in(root, MAXIMUM_FILES + 1)
    if len(files) > MAXIMUM_FILES:
        raise UserError(f"“{root}” holds more than {MAXIMUM_FILES:,} images. Choose a smaller folder.")
    if not files:
        raise UserError(f"“{root}” holds no images. PNG, JPEG, WebP, GIF, BMP and TIFF files can be read.")

    digests: dict[str, bytes] = {}
    unreadable: list[tuple[str, str]] = []
    examined = Examined(root, kept)
    # Pillow decodes outside Python's global lock, so threads help.
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda file: examined.find(file) or _examine(root, file), files)
        for done, (file, result) in enumerate(zip(files, results, strict=True), start=1):
            examined.note(file, result)
            if isinstance(result, UserError):
                unreadable.append((file, str(result)))
            else:
                digests[file] = result
            if progress is not None:
                progress(done, len(files))
    examined.save()
    if not digests:
        raise UserError(f"None of the {len(files):,} images in “{root}” can be read. {unreadable[0][1]}")

    readable = list(digests)
    classes = tuple(sorted({file.split("/")[0] for file in files if "/" in file}))
    number = {one: index for index, one in enumerate(classes)}
    ordered = tuple(readable[i] for i in presentation_order(len(readable)))
    labels = np.array([number[file.split("/")[0]] if "/" in file else -1 for file in ordered], dtype=np.int64)
    return FolderImages(
        name=f"folder:{root.resolve().name}",
        title=title or root.resolve().name,
        fingerprint=fingerprint((digests[file] for file in ordered), labels),
        classes=classes,
        labels=labels,
        root=root,
        files=ordered,
        unreadable=tuple(unreadable),
    )


def files_in(root: Path, limit: int) -> list[str]:
    """Paths below ``root`` of up to ``limit`` images, sorted, with forward slashes; nothing is opened."""
    return sorted(islice(_walk(root), limit))


def _walk(root: Path) -> Iterator[str]:
    """Paths below ``root``, with forward slashes, of what looks like an image; links to folders are not followed."""
    for folder, folders, files in os.walk(root):
        folders[:] = [one for one in folders if not one.startswith((".", "__MACOSX"))]
        for file in files:
            if not file.startswith(".") and Path(file).suffix.lower() in SUFFIXES:
                yield Path(folder, file).relative_to(root).as_posix()


def read_image(root: Path, file: str) -> Image.Image:
    """The picture at a path below ``root``. Raises UserError when it is gone or damaged."""
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
