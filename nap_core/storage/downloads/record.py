"""A file of the network and where it belongs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Download:
    """A file of the network and where it belongs.

    ``size`` is in bytes, None where nobody has published it. ``checksum`` is "sha256:…", "md5:…" or "sha256-prefix:…"
    in hex, empty where none is published; where there is one it decides, and ``size`` is only shown. ``by_hand`` is for
    what may not be fetched by a program, because ``url`` asks a person to agree to terms first.
    """

    url: str
    path: Path
    title: str
    size: int | None = None
    checksum: str = ""
    by_hand: bool = False

    @property
    def present(self) -> bool:
        """Whether the file is there; being whole was seen to before it got its name."""
        return self.path.is_file()

    @property
    def host(self) -> str:
        """Where it comes from."""
        return urlsplit(self.url).hostname or self.url

    @property
    def instruction(self) -> str:
        """How to get it without this program, as a clause: "download URL elsewhere and put it as FILE into FOLDER"."""
        place = f"put it as {self.path.name} into {self.path.parent}"
        return f"get it from {self.url} and {place}" if self.by_hand else f"download {self.url} elsewhere and {place}"
