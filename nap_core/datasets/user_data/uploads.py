"""Datasets that the app itself wrote into the first allowed folder: the only ones that it deletes."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from nap_core.errors import UserError
from nap_core.storage import allowed_folders
from nap_core.storage.atomic_folders import atomic_folder

MARK = ".uploaded.json"
"""A hidden file in a folder that lists the files the app wrote there."""


def mark(folder: Path, files: tuple[str, ...]) -> None:
    """Record that the app wrote ``files``, paths below ``folder``."""
    (folder / MARK).write_text(json.dumps({"files": files}, indent=1), encoding="utf-8")


def names() -> tuple[str, ...]:
    """The names of the datasets that can be removed, sorted."""
    root = allowed_folders.paths()[0]
    with suppress(OSError):
        return tuple(
            sorted(allowed_folders.name_of(one.parent, root) for one in root.glob(f"*/{MARK}") if _is_ours(one.parent))
        )
    return ()


def remove(name: str) -> None:
    """Delete the files that the app wrote; files that were added to the folder later stay.

    Raises UserError for a dataset that the app did not write, or when it cannot be deleted.
    """
    if name not in names():
        raise UserError(
            f"“{name.removeprefix(allowed_folders.PREFIX)}” was not uploaded here, so it is not removed from here."
        )
    folder = allowed_folders.locate(name)
    if folder is None:
        raise UserError(f"There is no dataset called “{name}”.")
    files = [folder / file for file in (*_files(folder), MARK)]
    with atomic_folder(folder.parent) as place:
        if {one for one in folder.rglob("*") if not one.is_dir()} <= set(files):
            folder.rename(place / "removed")  # one step: a half-deleted dataset is never listed
            return
        for one in files:
            one.unlink(missing_ok=True)
        for one in sorted((one for one in folder.rglob("*") if one.is_dir()), reverse=True):
            with suppress(OSError):  # not empty
                one.rmdir()


def _is_ours(folder: Path) -> bool:
    return not folder.is_symlink() and not folder.name.startswith(".") and bool(_files(folder))


def _files(folder: Path) -> tuple[str, ...]:
    """The files that the mark lists; empty if it is unreadable or lists paths outside the folder."""
    try:
        files = tuple(json.loads((folder / MARK).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    plain = all(isinstance(one, str) and ".." not in one.split("/") and not one.startswith("/") for one in files)
    return files if plain else ()
