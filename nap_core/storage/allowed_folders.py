"""The folders that the app may read a user's files from, and the names under which these stand in an address.

A file or folder below a root is named ``own:`` and its path relative to the root: ``own:birds``,
``own:set/textures.npz``. Commas, which part the datasets of an address, and percent signs are written %2C and %25.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import platformdirs

VARIABLE = "NAP_DATA_ROOTS"
PREFIX = "own:"
MAXIMUM_DEPTH = 4
MAXIMUM_LISTED = 500


def user_folder() -> Path:
    """The app's folder for a user's own models and data."""
    return platformdirs.user_data_path("nap-explorer", appauthor=False)


def roots() -> tuple[Path, ...]:
    """The allowed folders, there or not: those of NAP_DATA_ROOTS, else ``data`` in the user's data folder."""
    named = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part.strip()]
    return tuple(Path(part.strip()).expanduser().absolute() for part in named) or (user_folder() / "data",)


def name_of(path: Path, root: Path) -> str:
    """The name of what lies at ``path`` below ``root``."""
    return PREFIX + path.relative_to(root).as_posix().replace("%", "%25").replace(",", "%2C")


def is_own(name: str) -> bool:
    """Whether a name is one of a user's own, there or not."""
    return name.startswith(PREFIX)


def locate(name: str) -> Path | None:
    """Where the file or folder called ``name`` is; None when it is not there, hidden, or not below a root.

    Links that lead out of a root are not followed. Where several roots have it, the first counts.
    """
    relative = name.removeprefix(PREFIX).replace("%2C", ",").replace("%25", "%")
    parts = relative.split("/")
    # A drive or a backslash would make it another path on Windows.
    if not is_own(name) or any(part.startswith(".") or not part or set(part) & set("\\:\0") for part in parts):
        return None
    for root in roots():
        with suppress(OSError, RuntimeError):  # RuntimeError: links that go round in a circle
            path, real = root.joinpath(*parts), root.resolve(strict=True)
            if path.resolve(strict=True).is_relative_to(real):
                return path
    return None


def listed(wanted: Callable[[os.DirEntry[str]], bool]) -> list[str]:
    """The names of the files and folders below the roots that are ``wanted``, at most ``MAXIMUM_LISTED``, sorted.

    What is wanted is not looked into; hidden entries and links to folders are passed over.
    """
    found: dict[str, None] = {}
    for root in roots():
        for path in _walk(root, wanted, MAXIMUM_DEPTH):
            found[name_of(path, root)] = None
            if len(found) == MAXIMUM_LISTED:
                return sorted(found)
    return sorted(found)


def _walk(folder: Path, wanted: Callable[[os.DirEntry[str]], bool], depth: int) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.name.startswith((".", "__MACOSX")):
                continue
            if wanted(entry):
                yield Path(entry.path)
            elif depth > 1 and entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), wanted, depth - 1)
