"""A user's own datasets by name: folders of images and .npz archives in the allowed folders."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from nap_core.datasets.catalogue import RECORDS
from nap_core.datasets.decoding import SUFFIXES
from nap_core.datasets.images import ImageDataset
from nap_core.datasets.published.catalogue import RECORDS as PUBLISHED
from nap_core.datasets.spec import DatasetRecord
from nap_core.datasets.user_data.folders import MAX_FILES, classes_of, files_in, from_folder
from nap_core.datasets.user_data.npz import contents, from_npz
from nap_core.datasets.user_data.scan_cache import Stamp
from nap_core.datasets.user_data.scan_cache import stamp as file_stamp
from nap_core.errors import UserError
from nap_core.storage import allowed_folders
from nap_core.storage.activation_store import Store

FOLDERS = "folders"
"""Sub-folder of the store that caches the scan of user folders."""


def names() -> tuple[str, ...]:
    """The .npz archives in the allowed folders, and the folders with images or with class folders of images."""
    return tuple(allowed_folders.listed(_is_dataset))


def owns(name: str) -> bool:
    """Whether a name denotes a user's dataset, present or not."""
    return allowed_folders.is_own(name)


def record(name: str) -> DatasetRecord:
    """The record of a user's dataset; no image is opened.

    Raises UserError when it does not exist or is not in an allowed folder.
    """
    return _record(name, _path(name), stamp(name))


_SLOW, _PATIENCE = 0.02, 20
"""A stamp that takes longer than ``_SLOW`` seconds holds for ``_PATIENCE`` times as long: pages need it often."""
_stamps: dict[Path, tuple[float, int]] = {}
"""Until when (``time.monotonic``) the stamp of a dataset holds, and the stamp."""


def stamp(name: str) -> int:
    """A number that changes when files of the dataset are added, removed, replaced or written to.

    Raises UserError when the dataset does not exist.
    """
    path = _path(name)
    holds_until, known = _stamps.get(path, (0.0, 0))
    began = time.monotonic()
    if began < holds_until:
        return known
    try:
        changed = hash((path.stat().st_mtime_ns, *_file_stamps(path)))
    except OSError as error:
        raise UserError(f"“{path}” can no longer be opened ({error.strerror}).") from error
    ended = time.monotonic()
    _stamps[path] = ended + (_PATIENCE * (ended - began) if ended - began > _SLOW else 0), changed
    return changed


def _file_stamps(path: Path) -> tuple[tuple[str, Stamp | None], ...]:
    """The stamps of the images of a folder, or of an archive."""
    if not path.is_dir():
        return (("", file_stamp(path)),)
    return tuple((file, file_stamp(path / file)) for file in files_in(path, MAX_FILES))


def load(name: str, progress: Callable[[int, int], None] | None = None) -> ImageDataset:
    """Open the images; ``progress`` is called with (done, total). Raises as ``from_folder`` and ``from_npz`` do."""
    path, title = _path(name), record(name).title
    if path.is_dir():
        return replace(from_folder(path, title, progress, Store().root / FOLDERS), name=name)
    return replace(from_npz(path, title), name=name)


def _path(name: str) -> Path:
    path = allowed_folders.locate(name)
    if path is None or not (path.is_dir() or path.suffix.lower() == ".npz"):
        raise UserError(
            f"There is no folder or .npz called “{name.removeprefix(allowed_folders.PREFIX)}” among your images. "
            f"They are looked for in {', '.join(map(str, allowed_folders.paths()))}."
        )
    return path


# Pages read titles and sizes often; an unchanged folder is counted once.
@lru_cache(maxsize=256)
def _record(name: str, path: Path, _changed: int) -> DatasetRecord:
    size, classes = _contents(path)
    return DatasetRecord(
        name=name,
        title=_title(name),
        description=f"Your own images: {path}.",
        note="Your own images.",
        source=str(path),
        size=size,
        role="own",
        classes=classes,
        licence="your own",
    )


def _contents(path: Path) -> tuple[int, tuple[str, ...]]:
    if not path.is_dir():
        return contents(path)
    files = files_in(path, MAX_FILES)
    return len(files), classes_of(files)


def _title(name: str) -> str:
    title = name.removeprefix(allowed_folders.PREFIX).removesuffix(".npz").replace("%2C", ",").replace("%25", "%")
    # Titles identify datasets in figures and progress bars, so they must be unique.
    taken = {one.title for one in (*RECORDS.values(), *PUBLISHED.values())}
    return f"{title} (own)" if title in taken else title


def _is_dataset(entry: os.DirEntry[str]) -> bool:
    if not entry.is_dir(follow_symlinks=False):
        return entry.is_file() and entry.name.lower().endswith(".npz")
    return _holds_images(entry.path, deeper=True)


def _holds_images(folder: str, deeper: bool) -> bool:
    try:
        with os.scandir(folder) as entries:
            shown = [one for one in entries if not one.name.startswith((".", "__MACOSX"))]
    except OSError:
        return False
    if any(Path(one.name).suffix.lower() in SUFFIXES and one.is_file() for one in shown):
        return True
    return deeper and any(one.is_dir(follow_symlinks=False) and _holds_images(one.path, False) for one in shown)
