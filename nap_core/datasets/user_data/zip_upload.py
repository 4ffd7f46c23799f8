"""Unpacks a .zip of images into the first allowed folder."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from nap_core.datasets.decoding import READABLE, SUFFIXES
from nap_core.datasets.passed_over import Tally
from nap_core.datasets.user_data import uploads
from nap_core.datasets.user_data.folders import MAX_FILES
from nap_core.datasets.user_data.walking import is_hidden
from nap_core.errors import UserError
from nap_core.storage import allowed_folders
from nap_core.storage.atomic_folders import atomic_folder, commit

MAX_ENTRIES = 2 * MAX_FILES
MAX_BYTES = 8 * 2**30
MAX_RATIO = 200
"""Limit of unpacked to packed bytes. Photographs are near 1, drawings reach 50."""
_FREE = 2**20  # bytes allowed at any ratio: a plain image compresses to almost nothing
_CHUNK = 2**20
# Exceptions of zipfile on damaged and foreign content.
_UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, LookupError, zipfile.BadZipFile, zlib.error)


def unpack(
    file: BinaryIO,
    filename: str,
    progress: Callable[[int, int], None] | None = None,
    tally: Tally | None = None,
) -> str:
    """Unpack the images of a .zip into a new folder of the first allowed folder; returns the dataset's name.

    Sub-folders become classes; a single folder around everything is removed. Hidden files and files without an image
    suffix are skipped. A kill leaves only a hidden temporary folder, which a later call deletes.

    Args:
        file: the content of the archive.
        filename: its name, from which the dataset's name is made.
        progress: called with (done, total) after each image.
        tally: counts the files that are skipped.

    Raises:
        UserError: the file is not a .zip, is damaged or encrypted, has no image, contains a link or a path outside its
            folder, or exceeds ``MAX_FILES``, ``MAX_BYTES`` or ``MAX_RATIO`` times its size. Nothing is kept.
    """
    root = allowed_folders.paths()[0]
    try:
        with zipfile.ZipFile(file) as archive, atomic_folder(root) as folder:
            wanted = _wanted(archive, filename, tally or Tally())
            budget = Budget(filename, sum(info.compress_size for info in archive.infolist()), MAX_BYTES)
            for done, (place, info) in enumerate(wanted.items(), start=1):
                with archive.open(info) as packed:
                    budget.write(packed, folder / "images" / place)
                if progress:
                    progress(done, len(wanted))
            uploads.mark(folder / "images", tuple(wanted))
            # The rename into the allowed folder is the one step that makes it a dataset.
            return allowed_folders.name_of(commit(folder / "images", _folder_name(filename), root), root)
    except _UNREADABLE as error:
        raise UserError(
            f"“{filename}” is no .zip archive, or is damaged or locked with a password ({error}). Pack it again."
        ) from error


class Budget:
    """Limits the bytes that are unpacked, by counting them instead of trusting the archive's headers."""

    def __init__(self, filename: str, packed: int, maximum: int) -> None:
        self._filename, self._maximum, self._spent = filename, maximum, 0
        self._ratio_limit = _FREE + MAX_RATIO * packed

    def spend(self, count: int) -> None:
        """Count ``count`` more bytes. Raises UserError beyond the limits."""
        self._spent += count
        if self._spent > self._maximum:
            raise UserError(
                f"“{self._filename}” unpacks to more than {self._maximum // 2**30} GiB. Take fewer or smaller images."
            )
        if self._spent > self._ratio_limit:
            raise UserError(
                f"“{self._filename}” unpacks to more than {MAX_RATIO} times its size, which images do not. "
                "It was not unpacked."
            )

    def write(self, content: IO[bytes], place: Path) -> None:
        """Write an unpacked file to ``place``, which must not exist."""
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            while chunk := content.read(_CHUNK):
                self.spend(len(chunk))
                file.write(chunk)


def path_parts(name: str, archive: str) -> tuple[str, ...]:
    """The components of a path in an archive. Raises UserError for a path outside its folder."""
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    if name.startswith(("/", "\\")) or ".." in parts or not parts or any(set(part) & set(":\0") for part in parts):
        raise UserError(
            f"“{archive}” holds a file that would be written outside its folder (“{name[:100]}”). It was not unpacked."
        )
    return parts


def _wanted(archive: zipfile.ZipFile, filename: str, tally: Tally) -> dict[str, zipfile.ZipInfo]:
    """Path in the new folder → image entry of the archive."""
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise UserError(f"“{filename}” holds {len(infos):,} files; up to {MAX_ENTRIES:,} can be taken.")
    images: dict[tuple[str, ...], zipfile.ZipInfo] = {}
    for info in infos:
        parts = _parts(info, filename)
        suffix = PurePosixPath(parts[-1]).suffix.lower()
        if info.is_dir():
            continue
        if any(map(is_hidden, parts)):
            tally.add("hidden", "/".join(parts))
        elif suffix in SUFFIXES:
            images[parts] = info
        else:
            tally.add(f"ending in {suffix}" if suffix else "without an ending", "/".join(parts))
    if not images:
        raise UserError(f"“{filename}” holds no images. {READABLE}")
    if len(images) > MAX_FILES:
        raise UserError(f"“{filename}” holds more than {MAX_FILES:,} images. Take fewer.")
    around = {parts[0] for parts in images}
    wrapped = len(around) == 1 and all(len(parts) > 1 for parts in images)
    return {"/".join(parts[1:] if wrapped else parts): info for parts, info in images.items()}


def _parts(info: zipfile.ZipInfo, filename: str) -> tuple[str, ...]:
    """The path components of an entry. Raises UserError for a link and for a path outside the folder."""
    parts = path_parts(info.filename, filename)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise UserError(f"“{filename}” holds a link (“{info.filename[:100]}”). It was not unpacked: pack the images.")
    return parts


def _folder_name(filename: str) -> str:
    """A folder name from the archive's name: letters, digits, dots, dashes, underscores."""
    stem = re.sub(r"(?i)\.zip$", "", re.split(r"[\\/]", filename)[-1])
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:60] or "images"
