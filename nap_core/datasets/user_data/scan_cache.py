"""Cached scan of a folder's images, so that unchanged files are decoded only once.

A file is unchanged if its ``stamp`` is. Size and modification time alone are not enough: ``cp -p``, ``rsync -t`` and
unpacked archives keep the time of other content.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nap_core.datasets.windows import ValueRange, Window
from nap_core.errors import UserError

FORMAT = 3  # raise when decoding or the content of the file changes: all images are then scanned again


@dataclass(frozen=True)
class Scanned:
    """What is remembered of a readable image.

    Attributes:
        digest: of its pixels.
        values: the range of grey of more than 8 bits; None for other images.
        window: the window under which such grey has this digest.
        shortened: whether only the upper 8 of 16 bits of a colour were read.
    """

    digest: bytes
    values: ValueRange | None = None
    window: Window | None = None
    shortened: bool = False


Scan = Scanned | UserError
"""What is remembered of an image, or the error of an unreadable one."""
Stamp = tuple[int, int, int]
"""Size in bytes; modification time and, where the system has it, change time of the file's entry, in nanoseconds."""


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file. On Windows, where ``st_ctime`` is the time of creation, the third number is 0."""
    return status.st_size, status.st_mtime_ns, 0 if os.name == "nt" else status.st_ctime_ns


def stamp(path: Path) -> Stamp | None:
    """The stamp of the file at ``path``; None where it is missing."""
    with suppress(OSError):
        return stamp_of(path.stat())
    return None


class _Entry(NamedTuple):
    """The stamp, the digest in hex, the error message; one of the last two is empty.

    ``depth`` is the family, range and window of deep grey; empty for other images.
    """

    size: int
    modified: int
    changed: int
    digest: str
    sentence: str
    shortened: bool
    depth: tuple[str, float, float, float, float] | tuple[()]

    def scan(self) -> Scan:
        if not self.digest:
            return UserError(self.sentence)
        digest = bytes.fromhex(self.digest)
        if not self.depth:
            return Scanned(digest, shortened=self.shortened)
        family, low, high, black, white = self.depth
        return Scanned(digest, ValueRange("float" if family == "float" else "whole", low, high), Window(black, white))


def _entry(stamp: Stamp, scan: Scan) -> _Entry:
    if isinstance(scan, UserError):
        return _Entry(*stamp, "", str(scan), False, ())
    depth: tuple[str, float, float, float, float] | tuple[()] = ()
    if scan.values and scan.window:
        depth = (scan.values.family, scan.values.low, scan.values.high, scan.window.low, scan.window.high)
    return _Entry(*stamp, scan.digest.hex(), "", scan.shortened, depth)


class ScanCache:
    """The scan of the images below ``root``, stored as a JSON file in ``folder``; nothing is stored for None.

    Errors while reading or writing the file are ignored. Several threads may call ``find``; one calls ``add``,
    ``save``.
    """

    def __init__(self, root: Path, folder: Path | None) -> None:
        self._root = root
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
        self._path = folder / f"{name}.json" if folder else None
        self._before = self._read()
        self._now: dict[str, _Entry] = {}

    def find(self, file: str, stamp: Stamp | None) -> Scan | None:
        """The cached scan of a file below the root that has this stamp; None if the file is new or has changed."""
        entry = self._before.get(file)
        return entry.scan() if entry and entry[:3] == stamp else None

    def add(self, file: str, stamp: Stamp, scan: Scan) -> None:
        """Add the scan of a file, whose content had this stamp."""
        self._now[file] = _entry(stamp, scan)

    def save(self, *, whole: bool = True) -> None:
        """Replace the file in one step; with ``whole`` false, what was stored of the other files stays."""
        if not whole:
            self._now = self._before | self._now
        if self._path is None or self._now == self._before:
            return
        temporary = self._path.with_name(f".tmp-{secrets.token_hex(4)}")
        content = {"format": FORMAT, "root": str(self._root), "files": self._now}
        with suppress(OSError):
            temporary.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_text(json.dumps(content), encoding="utf-8")
                os.replace(temporary, self._path)
            finally:
                temporary.unlink(missing_ok=True)

    def _read(self) -> dict[str, _Entry]:
        if self._path is None:
            return {}
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            files = content["files"] if content["format"] == FORMAT else {}
            return {file: _checked(entry) for file, entry in files.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # all that damaged JSON can raise
            return {}


def _checked(entry: object) -> _Entry:
    """A validated entry of the JSON file. Raises ValueError for other content."""
    match entry:
        case [int(size), int(modified), int(changed), str(digest), str(sentence), bool(shortened), list(depth)]:
            if bool(sentence) != bool(digest) and len(bytes.fromhex(digest)) in (0, 32):
                return _Entry(size, modified, changed, digest, sentence, shortened, _depth(depth))
    raise ValueError("no entry")


def _depth(depth: list[object]) -> tuple[str, float, float, float, float] | tuple[()]:
    match depth:
        case []:
            return ()
        case [str(family), *numbers] if len(numbers) == 4 and all(isinstance(one, int | float) for one in numbers):
            low, high, black, white = (float(str(one)) for one in numbers)
            if white > black:
                return family, low, high, black, white
    raise ValueError("no depth")
