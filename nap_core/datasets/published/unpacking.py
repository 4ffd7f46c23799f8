"""Unpacks published archives completely or not at all, and never outside their folder."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from nap_core.datasets.published.spec import Parts
from nap_core.datasets.user_data.zip_upload import Budget, path_parts
from nap_core.errors import UserError
from nap_core.storage.atomic_folders import atomic_folder

MAX_BYTES = 64 * 2**30
MAX_ENTRIES = 1_000_000
# Exceptions of tarfile and zipfile on damaged archives.
DAMAGED = (EOFError, ValueError, RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error)

Progressing = Callable[[int, int], None]


def unpack(
    archive: Path, place: Path, layout: Callable[[Parts], Parts | None], progress: Progressing | None = None
) -> None:
    """Unpack a .tar, .tar.gz, .tgz or .zip completely or not at all; hidden files are left out.

    Args:
        archive: the file.
        place: the new folder, which must not exist.
        layout: from the path of a file in the archive to its path below ``place``; None leaves the file out.
        progress: called with (bytes read, bytes in all); an exception of it cancels.

    Raises:
        UserError: the archive is damaged, contains a link or a path outside its folder, or exceeds ``MAX_BYTES`` or
            ``MAX_ENTRIES``. Nothing is kept.
    """
    total = archive.stat().st_size
    budget = Budget(archive.name, total, MAX_BYTES)
    with atomic_folder(place.parent) as folder, _in_words(archive):
        whole = folder / "whole"
        whole.mkdir()
        for count, (name, file, read) in enumerate(_entries(archive), start=1):
            if count > MAX_ENTRIES:
                raise UserError(f"“{archive.name}” holds more than {MAX_ENTRIES:,} files. It was not unpacked.")
            target = layout(path_parts(name, archive.name))
            if target is not None and not any(part.startswith((".", "__MACOSX")) for part in target):
                budget.write(file, whole.joinpath(*path_parts("/".join(target), archive.name)))
            if progress:
                progress(min(read, total), total)
        if not place.exists():  # else another process was faster
            whole.rename(place)


def members(archive: Path, names: Collection[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """(name, content) of the files of a .tar archive that have one of ``names`` in any folder."""
    with tarfile.open(archive) as packed:
        for member in packed:
            name = member.name.rpartition("/")[2]
            content = packed.extractfile(member) if name in names else None
            if content:
                yield name, content


@contextmanager
def _in_words(archive: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise UserError(
            f"“{archive.name}” is damaged and cannot be unpacked ({error}). Delete {archive} and load it again."
        ) from error


def _entries(archive: Path) -> Iterator[tuple[str, IO[bytes], int]]:
    """(name, content, bytes of the archive read so far) of each file."""
    if archive.suffix == ".zip":
        yield from _zipped(archive)
        return
    with archive.open("rb") as stream, tarfile.open(fileobj=stream, mode="r|*") as packed:
        for member in packed:
            if member.issym() or member.islnk():
                raise UserError(f"“{archive.name}” holds a link (“{member.name[:100]}”). It was not unpacked.")
            content = packed.extractfile(member) if member.isfile() else None  # never a device
            if content:
                yield member.name, content, stream.tell()


def _zipped(archive: Path) -> Iterator[tuple[str, IO[Any], int]]:
    read = 0
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            read += info.compress_size
            if not info.is_dir():
                with packed.open(info) as content:
                    yield info.filename, content, read
