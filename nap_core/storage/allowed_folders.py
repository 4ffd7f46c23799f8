"""The folders that the app may read a user's files from, and the names of these files in addresses.

A file or folder in an allowed folder is named ``own:`` and its relative path: ``own:birds``, ``own:set/textures.npz``.
Commas, which separate the datasets of an address, and percent signs are written %2C and %25.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import platformdirs

VARIABLE = "NAP_DATA_ROOTS"
PREFIX = "own:"
MAX_DEPTH = 4
MAX_LISTED = 500


def user_folder() -> Path:
    """The app's folder for a user's own models and data."""
    return platformdirs.user_data_path("nap-explorer", appauthor=False)


def paths() -> tuple[Path, ...]:
    """The allowed folders, existing or not: those of NAP_DATA_ROOTS, else ``data`` in the user's data folder."""
    named = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part.strip()]
    return tuple(Path(part.strip()).expanduser().absolute() for part in named) or (user_folder() / "data",)


def name_of(path: Path, allowed: Path) -> str:
    """The name of the file or folder ``path`` in the allowed folder ``allowed``."""
    return PREFIX + path.relative_to(allowed).as_posix().replace("%", "%25").replace(",", "%2C")


def is_own(name: str) -> bool:
    """Whether a name denotes a user's file or folder, existing or not."""
    return name.startswith(PREFIX)


def locate(name: str) -> Path | None:
    """The path of ``name``; None if it does not exist, is hidden, or is not in an allowed folder.

    Links that lead out of an allowed folder are not followed. If several allowed folders contain it, the first is used.
    """
    relative = name.removeprefix(PREFIX).replace("%2C", ",").replace("%25", "%")
    parts = relative.split("/")
    # On Windows, a drive or a backslash would give another path.
    if not is_own(name) or any(part.startswith(".") or not part or set(part) & set("\\:\0") for part in parts):
        return None
    for allowed in paths():
        with suppress(OSError, RuntimeError):  # RuntimeError: circular links
            path, real = allowed.joinpath(*parts), allowed.resolve(strict=True)
            if path.resolve(strict=True).is_relative_to(real):
                return path
    return None


def listed(wanted: Callable[[os.DirEntry[str]], bool]) -> list[str]:
    """The names of the files and folders in the allowed folders for which ``wanted`` is true, sorted.

    At most ``MAX_LISTED``. Wanted folders are not searched further; hidden entries and links to folders are skipped.
    """
    named = (name_of(path, allowed) for allowed in paths() for path in _walk(allowed, wanted, MAX_DEPTH))
    return sorted(islice(dict.fromkeys(named), MAX_LISTED))


def _walk(folder: Path, wanted: Callable[[os.DirEntry[str]], bool], depth: int) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.name.startswith((".", "__MACOSX")):
                continue
            if wanted(entry):
                yield Path(entry.path)
            elif depth > 1 and entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), wanted, depth - 1)
