"""Atomic creation of folders: filled under a temporary name in the same parent, then renamed."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nap_core.errors import UserError

PREFIX = ".incoming-"
"""Prefix of temporary folders; hidden, so that they are never listed as datasets or models."""
_ABANDONED = 24 * 3600  # seconds after which the process that made a temporary folder is assumed dead


@contextmanager
def atomic_folder(parent: Path) -> Iterator[Path]:
    """A new temporary folder in ``parent``, deleted at the end of the context; ``parent`` is created if missing.

    The caller fills a folder in it and renames that, for example with ``commit``. Raises UserError for errors on disk.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    except OSError as error:
        raise UserError(f"Nothing can be written into “{parent}” ({error.strerror}). Check its permissions.") from error
    try:
        yield folder
    except OSError as error:
        raise UserError(f"“{parent}” could not take it ({error.strerror or error}). Nothing was kept of it.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def commit(folder: Path, name: str, parent: Path) -> Path:
    """Rename a filled folder to the first free of ``name``, ``name-2``, … in ``parent``; returns the new path."""
    for number in range(1, 1000):
        place = parent / (name if number == 1 else f"{name}-{number}")
        if not place.exists():
            with suppress(FileExistsError):  # another process was faster
                return folder.rename(place)
    raise UserError(f"“{parent}” holds too many folders called “{name}”. Give it another name.")


def _sweep(parent: Path) -> None:
    """Delete temporary folders of killed processes."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)
