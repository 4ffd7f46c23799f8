"""A user's images in a .zip: unpacked into the first of the allowed roots, and nowhere else."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from nap_core.datasets.decoding import SUFFIXES
from nap_core.datasets.user_data import uploads
from nap_core.datasets.user_data.folders import MAXIMUM_FILES
from nap_core.errors import UserError
from nap_core.storage import allowed_folders
from nap_core.storage.atomic_folders import commit, landing

MAXIMUM_ENTRIES = 2 * MAXIMUM_FILES
MAXIMUM_BYTES = 8 * 2**30
MAXIMUM_RATIO = 200
"""Of unpacked bytes to packed ones. Photographs are packed already, drawings reach 50."""
_FREE = 2**20  # bytes that may be unpacked whatever the ratio: a plain picture packs to almost nothing
_CHUNK = 2**20
# What zipfile is known to raise on damaged and foreign content.
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
)


def unpack(file: BinaryIO, filename: str, progress: Callable[[int, int], None] | None = None) -> str:
    """Unpack the images of a .zip into a new folder of the first root; the name of the dataset that they are now.

    Sub-folders stay, as classes; a single folder around everything is taken off. Files that are no images by their
    suffix and hidden ones are passed over. ``progress(done, total)`` hears of every image. A kill leaves nothing but a
    hidden temporary folder, which is swept away later. Raises UserError, and keeps nothing, for a file that is no
    .zip, is damaged or encrypted, holds no image, names a place outside its folder or a link, or would unpack to more
    than ``MAXIMUM_FILES``, ``MAXIMUM_BYTES`` or ``MAXIMUM_RATIO`` times its size.
    """
    root = allowed_folders.roots()[0]
    try:
        with zipfile.ZipFile(file) as archive, landing(root) as folder:
            wanted = _wanted(archive, filename)
            budget = Budget(filename, sum(info.compress_size for info in archive.infolist()), MAXIMUM_BYTES)
            for done, (place, info) in enumerate(wanted.items(), start=1):
                _unpack_one(archive, info, folder / "images" / place, budget)
                if progress:
                    progress(done, len(wanted))
            uploads.mark(folder / "images", tuple(wanted))
            # Its parent is the temporary folder: the rename into the root is the one step that makes it a dataset.
            return allowed_folders.name_of(commit(folder / "images", _folder_name(filename), root), root)
    except _UNREADABLE as error:
        raise UserError(
            f"“{filename}” is no .zip archive, or is damaged or locked with a password ({error}). Pack it again."
        ) from error


class Budget:
    """Counts the bytes that really come out of ``packed`` ones, whatever the archive says of itself."""

    def __init__(self, filename: str, packed: int, maximum: int) -> None:
        self._filename, self._maximum, self._spent = filename, maximum, 0
        self._ratio_limit = _FREE + MAXIMUM_RATIO * packed

    def spend(self, count: int) -> None:
        """``count`` more have come out. Raises UserError when that is more than an honest archive holds."""
        self._spent += count
        if self._spent > self._maximum:
            raise UserError(
                f"“{self._filename}” unpacks to more than {self._maximum // 2**30} GiB. Take fewer or smaller images."
            )
        if self._spent > self._ratio_limit:
            raise UserError(
                f"“{self._filename}” unpacks to more than {MAXIMUM_RATIO} times its size, which images do not. "
                "It was not unpacked."
            )


def _wanted(archive: zipfile.ZipFile, filename: str) -> dict[str, zipfile.ZipInfo]:
    """The images by their place in the folder that is to be made."""
    infos = archive.infolist()
    if len(infos) > MAXIMUM_ENTRIES:
        raise UserError(f"“{filename}” holds {len(infos):,} files; up to {MAXIMUM_ENTRIES:,} can be taken.")
    found: dict[tuple[str, ...], zipfile.ZipInfo] = {}
    for info in infos:
        parts = _parts(info, filename)
        if info.is_dir() or any(part.startswith((".", "__MACOSX")) for part in parts):
            continue
        if PurePosixPath(parts[-1]).suffix.lower() in SUFFIXES:
            found[parts] = info
    if not found:
        raise UserError(f"“{filename}” holds no images. PNG, JPEG, WebP, GIF, BMP and TIFF files can be read.")
    if len(found) > MAXIMUM_FILES:
        raise UserError(f"“{filename}” holds more than {MAXIMUM_FILES:,} images. Take fewer.")
    around = {parts[0] for parts in found}
    wrapped = len(around) == 1 and all(len(parts) > 1 for parts in found)
    return {"/".join(parts[1:] if wrapped else parts): info for parts, info in found.items()}


def _parts(info: zipfile.ZipInfo, filename: str) -> tuple[str, ...]:
    """The path of an entry. Raises UserError for one that leads out of the folder, or is a link."""
    name = info.filename.replace("\\", "/")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or ".." in parts or not parts or any(set(part) & set(":\0") for part in parts):
        raise UserError(
            f"“{filename}” holds a file that would be written outside its folder (“{info.filename[:100]}”). "
            "It was not unpacked."
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise UserError(f"“{filename}” holds a link (“{info.filename[:100]}”). It was not unpacked: pack the images.")
    return parts


def _unpack_one(archive: zipfile.ZipFile, info: zipfile.ZipInfo, place: Path, budget: Budget) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as packed, place.open("xb") as unpacked:
        while chunk := packed.read(_CHUNK):
            budget.spend(len(chunk))
            unpacked.write(chunk)


def _folder_name(filename: str) -> str:
    """A plain name for the folder, after that of the archive: letters, digits, dots, dashes, underscores."""
    stem = re.sub(r"(?i)\.zip$", "", re.split(r"[\\/]", filename)[-1])
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:60] or "images"
