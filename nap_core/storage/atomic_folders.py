"""Folders that appear whole or not at all: filled under a temporary name beside their place, then renamed."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nap_core.errors import UserError

PREFIX = ".incoming-"
"""Of temporary folders; hidden, so that no list of datasets or models ever shows one."""
_ABANDONED = 24 * 3600  # seconds after which the maker of a temporary folder is taken to have been killed


@contextmanager
def landing(parent: Path) -> Iterator[Path]:
    """A new temporary folder in ``parent``, which is made where it is missing; what is left of it goes at the end.

    Whoever fills it calls ``settle`` on a folder in it when all is there. Raises UserError when the disk does not
    take it.
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
    """Rename a filled folder to the first free one of ``name``, ``name-2``, … in ``parent``; where it is now."""
    for number in range(1, 1000):
        place = parent / (name if number == 1 else f"{name}-{number}")
        if not place.exists():
            with suppress(FileExistsError):  # somebody else was quicker
                return folder.rename(place)
    raise UserError(f"“{parent}” holds too many folders called “{name}”. Give it another name.")


def _sweep(parent: Path) -> None:
    """Remove what a killed process left behind."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)
