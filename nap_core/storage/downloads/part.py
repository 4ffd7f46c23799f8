"""The partial file of a download and its metadata (URL, validator, length)."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nap_core.storage.downloads import faults
from nap_core.storage.downloads.record import Download


@dataclass(frozen=True)
class PartMetadata:
    """URL, the server's validator of the version (ETag or Last-Modified), and length, 0 if it was not announced."""

    url: str = ""
    validator: str = ""
    total: int = 0

    @classmethod
    def read(cls, download: Download) -> PartMetadata:
        """The metadata of the partial file; empty if there is none."""
        try:
            content = json.loads(note_of(download).read_text(encoding="utf-8"))
            return cls(str(content["url"]), str(content["validator"]), int(content["total"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, download: Download) -> None:
        """Delete the part of another version and store this metadata. Raises UserError."""
        try:
            # First: bytes of the old version must never be paired with the new metadata.
            part_of(download).unlink(missing_ok=True)
            note_of(download).write_text(json.dumps(vars(self)), encoding="utf-8")
        except OSError as error:
            raise faults.unwritable(download, error) from error

    def resumable(self, download: Download) -> bool:
        """Whether a change of version would be detected, by the server or by the checksum."""
        return self.url == download.url and bool(self.validator or download.checksum)


def part_of(download: Download) -> Path:
    """The path of the partial file."""
    return download.path.with_name(f"{download.path.name}.part")


def note_of(download: Download) -> Path:
    """The path of the metadata."""
    return download.path.with_name(f"{download.path.name}.part.json")


def discard(download: Download) -> None:
    """Delete the partial file and its metadata."""
    for path in (part_of(download), note_of(download)):
        path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Bytes of a file, 0 if it is missing."""
    with suppress(OSError):
        return path.stat().st_size
    return 0
