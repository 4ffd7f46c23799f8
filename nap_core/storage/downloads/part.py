"""What lies beside the place of a file until all of it is there: its part, and what that is a part of."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nap_core.storage.downloads import faults
from nap_core.storage.downloads.record import Download


@dataclass(frozen=True)
class Noted:
    """What the part is a part of: its address, the server's word for the version, its length where it said so."""

    url: str = ""
    validator: str = ""
    total: int = 0

    @classmethod
    def read(cls, download: Download) -> Noted:
        """What was noted of the part; empty where nothing was."""
        try:
            content = json.loads(note_of(download).read_text(encoding="utf-8"))
            return cls(str(content["url"]), str(content["validator"]), int(content["total"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, download: Download) -> None:
        """Remove what is there of another version, and note this one. Raises UserError."""
        try:
            part_of(download).unlink(missing_ok=True)  # first: bytes of the old version never carry the new note
            note_of(download).write_text(json.dumps(vars(self)), encoding="utf-8")
        except OSError as error:
            raise faults.unwritable(download, error) from error

    def resumable(self, download: Download) -> bool:
        """Whether a part of another version would be noticed: by the server, or by the checksum in the end."""
        return self.url == download.url and bool(self.validator or download.checksum)


def part_of(download: Download) -> Path:
    """Where what has been loaded lies meanwhile."""
    return download.path.with_name(f"{download.path.name}.part")


def note_of(download: Download) -> Path:
    """Where it is noted what that is a part of."""
    return download.path.with_name(f"{download.path.name}.part.json")


def discard(download: Download) -> None:
    """Remove what has been loaded."""
    for path in (part_of(download), note_of(download)):
        path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Bytes of a file, 0 for one that is not there."""
    with suppress(OSError):
        return path.stat().st_size
    return 0
