"""Encoded images by name, wherever their bytes lie, and whether these have changed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nap_core.datasets.user_data.scan_cache import Stamp, stamp, stamp_of
from nap_core.errors import UserError


class Encoded(Protocol):
    """Encoded images by name."""

    def stamp(self, file: str) -> Stamp | None:
        """The stamp of what holds the image; None where it is missing."""
        ...

    def read(self, file: str) -> tuple[bytes, Stamp]:
        """The encoded image, and the stamp that its place had before and after it was read.

        Raises UserError when it is missing or changes while it is read.
        """
        ...


@dataclass(frozen=True)
class ImageFiles:
    """Image files below ``root``, by their paths there."""

    root: Path

    def stamp(self, file: str) -> Stamp | None:
        return stamp(self.root / file)

    def read(self, file: str) -> tuple[bytes, Stamp]:
        return read_part(self.root / file, file, self.root)


def read_part(path: Path, file: str, where: Path, offset: int = 0, size: int | None = None) -> tuple[bytes, Stamp]:
    """``size`` bytes of ``path`` from ``offset`` on, all by default, and the stamp of the whole.

    ``file`` and ``where`` are the names in messages. Raises UserError when the path is missing or changes meanwhile.
    """
    try:
        with path.open("rb") as opened:
            before = stamp_of(os.fstat(opened.fileno()))
            opened.seek(offset)
            data = opened.read() if size is None else opened.read(size)
            after = stamp_of(os.fstat(opened.fileno()))
    except OSError as error:
        raise UserError(f"“{file}” can no longer be opened ({error.strerror}). Check the folder “{where}”.") from error
    if before != after or len(data) != (before[0] if size is None else size):
        raise UserError(f"“{file}” in “{where}” changed while it was read. Start again when nothing writes to it.")
    return data, before
