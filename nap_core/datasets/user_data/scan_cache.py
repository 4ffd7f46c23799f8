"""What was found of a folder's images when they were last looked at, so that the same files are decoded once only.

A file counts as the same while its size and its time of change are: what version control and backups rely on, too.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from nap_core.errors import UserError

FORMAT = 1  # goes up when what decoding gives, or what is said of a file, changes: all is then looked at again

Found = bytes | UserError
"""The digest of an image, or why it cannot be read."""


class _Kept(NamedTuple):
    """A file as it was: bytes, time of change in nanoseconds, its digest in hex, or why it cannot be read."""

    size: int
    changed: int
    digest: str
    sentence: str


class Examined:
    """The findings on the images below ``root``, kept in a file of the folder ``kept``; None keeps nothing.

    What cannot be read or written there is as if nothing had been kept. Several threads may ask; one notes and saves.
    """

    def __init__(self, root: Path, kept: Path | None) -> None:
        self._root = root
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
        self._path = kept / f"{name}.json" if kept else None
        self._before = self._read()
        self._now: dict[str, _Kept] = {}

    def find(self, file: str) -> Found | None:
        """What is known of the file at this path below the root; None when it is new or has changed."""
        known = self._before.get(file)
        if not known or known[:2] != self._stamp(file):
            return None
        return bytes.fromhex(known.digest) if known.digest else UserError(known.sentence)

    def note(self, file: str, found: Found) -> None:
        """Keep what was found of a file. One that cannot be opened any more is not kept."""
        stamp = self._stamp(file)
        if stamp:
            words = ("", str(found)) if isinstance(found, UserError) else (found.hex(), "")
            self._now[file] = _Kept(*stamp, *words)

    def save(self) -> None:
        """Write what was noted, in one step."""
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

    def _stamp(self, file: str) -> tuple[int, int] | None:
        """Bytes and time of change; None for a file that is not there."""
        with suppress(OSError):
            found = (self._root / file).stat()
            return found.st_size, found.st_mtime_ns
        return None

    def _read(self) -> dict[str, _Kept]:
        if self._path is None:
            return {}
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            files = content["files"] if content["format"] == FORMAT else {}
            return {file: _checked(entry) for file, entry in files.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # all that a damaged file leads to
            return {}


def _checked(entry: object) -> _Kept:
    """An entry as it was written. Raises ValueError for anything else."""
    match entry:
        case [int(size), int(changed), str(digest), str(sentence)]:
            if bool(sentence) != bool(digest) and len(bytes.fromhex(digest)) in (0, 32):
                return _Kept(size, changed, digest, sentence)
    raise ValueError("no entry")
