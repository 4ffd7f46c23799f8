"""Datasets that the app itself wrote into the first of the allowed roots: the only ones that it ever removes."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from nap_core.errors import UserError
from nap_core.storage import allowed_folders
from nap_core.storage.atomic_folders import landing

MARK = ".uploaded.json"
"""The file in a folder that lists what the app wrote there; hidden, so that no list of images ever shows it."""


def mark(folder: Path, files: tuple[str, ...]) -> None:
    """Note that the app wrote ``files``, paths below ``folder``."""
    (folder / MARK).write_text(json.dumps({"files": files}, indent=1), encoding="utf-8")


def names() -> tuple[str, ...]:
    """The datasets that can be removed, sorted."""
    root = allowed_folders.roots()[0]
    with suppress(OSError):
        return tuple(
            sorted(allowed_folders.name_of(one.parent, root) for one in root.glob(f"*/{MARK}") if _is_ours(one.parent))
        )
    return ()


def remove(name: str) -> None:
    """Delete what the app wrote of a dataset; files that have come into the folder since then stay.

    Raises UserError when it is none that the app wrote, or cannot be deleted.
    """
    if name not in names():
        raise UserError(
            f"“{name.removeprefix(allowed_folders.PREFIX)}” was not uploaded here, so it is not removed from here."
        )
    folder = allowed_folders.locate(name)
    if folder is None:
        raise UserError(f"There is no dataset called “{name}”.")
    files = [folder / file for file in (*_files(folder), MARK)]
    with landing(folder.parent) as place:
        if {one for one in folder.rglob("*") if not one.is_dir()} <= set(files):
            folder.rename(place / "removed")  # in one step, so that no half of it is ever listed
            return
        for one in files:
            one.unlink(missing_ok=True)
        for one in sorted((one for one in folder.rglob("*") if one.is_dir()), reverse=True):
            with suppress(OSError):  # it is not empty
                one.rmdir()


def _is_ours(folder: Path) -> bool:
    return not folder.is_symlink() and not folder.name.startswith(".") and bool(_files(folder))


def _files(folder: Path) -> tuple[str, ...]:
    """What the mark lists; nothing where it cannot be read, or names a place outside."""
    try:
        found = tuple(json.loads((folder / MARK).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    plain = all(isinstance(one, str) and ".." not in one.split("/") and not one.startswith("/") for one in found)
    return found if plain else ()
