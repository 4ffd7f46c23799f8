"""The record type of a download."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Download:
    """A file on a server and its path on this machine.

    Attributes:
        url: where the file is downloaded from.
        path: where it is stored.
        title: its name in messages.
        size: in bytes, None if it is not published. Only displayed if there is a checksum.
        checksum: "sha256:…", "md5:…" or "sha256-prefix:…" in hex; "" if none is published.
        by_hand: True if ``url`` requires a person to accept terms, so that no program may download the file.
    """

    url: str
    path: Path
    title: str
    size: int | None = None
    checksum: str = ""
    by_hand: bool = False

    @property
    def present(self) -> bool:
        """Whether the file exists; it gets its name only when it is complete and checked."""
        return self.path.is_file()

    @property
    def host(self) -> str:
        """The server's host name."""
        return urlsplit(self.url).hostname or self.url

    @property
    def instruction(self) -> str:
        """How to download it by hand, as a clause: "download URL elsewhere and put it as FILE into FOLDER"."""
        place = f"put it as {self.path.name} into {self.path.parent}"
        return f"get it from {self.url} and {place}" if self.by_hand else f"download {self.url} elsewhere and {place}"
