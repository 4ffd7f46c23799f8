"""A user's own datasets by name: folders and files of every format in the allowed folders.

Options stand behind the name of a path: ``own:pets:val``, ``own:fog.npy:3``, ``own:birds:from-1``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from nap_core.datasets.catalogue import RECORDS
from nap_core.datasets.images import ImageDataset
from nap_core.datasets.published.catalogue import RECORDS as PUBLISHED
from nap_core.datasets.spec import DatasetRecord
from nap_core.datasets.user_data import formats, options
from nap_core.datasets.user_data.folders import MAX_FILES, files_in
from nap_core.datasets.user_data.opening import Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts
from nap_core.datasets.user_data.scan_cache import Stamp
from nap_core.datasets.user_data.scan_cache import stamp as file_stamp
from nap_core.datasets.user_data.walking import is_hidden, is_image, may_enter
from nap_core.errors import UserError
from nap_core.storage import allowed_folders
from nap_core.storage.activation_store import Store

FOLDERS = "folders"
"""Sub-folder of the store that caches the scan of user folders."""
_SUFFIXES = (".npz", ".npy", ".mat", ".txt", ".lst", ".list", ".csv", ".tsv", ".tar", ".parquet", ".gz", "ubyte")
"""Endings of files that are looked at: reading the first bytes of every file would take long."""


def names() -> tuple[str, ...]:
    """The datasets in the allowed folders, with each split and severity of those that have them."""
    found: list[str] = []
    for name in allowed_folders.listed(_is_dataset):
        found += _with_parts(name)
    return tuple(found)


def owns(name: str) -> bool:
    """Whether a name denotes a user's dataset, present or not."""
    return allowed_folders.is_own(name)


def exists(name: str) -> bool:
    """Whether a name denotes a file or folder that is present."""
    return _divided(name) is not None


def parts(name: str) -> Parts:
    """The splits or severities of a dataset, whichever of them the name has.

    Raises UserError when it does not exist or cannot be read.
    """
    return formats.parts_of(_path(name)[0])


def options_of(name: str) -> tuple[str, Options]:
    """The name without options, and the options. Raises UserError when the dataset does not exist."""
    path = _divided(name)
    if path is None:
        _path(name)  # raises
        raise AssertionError("a path that exists has options")
    return path


def record(name: str) -> DatasetRecord:
    """The record of a user's dataset; no image is decoded.

    Raises UserError when it does not exist, is not in an allowed folder or cannot be read, and when it has splits of
    which the name has none.
    """
    path, said = _path(name)
    return _record(name, path, said, stamp(name))


_SLOW, _PATIENCE = 0.02, 20
"""A stamp that takes longer than ``_SLOW`` seconds holds for ``_PATIENCE`` times as long: pages need it often."""
_stamps: dict[Path, tuple[float, int]] = {}
"""Until when (``time.monotonic``) the stamp of a dataset holds, and the stamp."""


def stamp(name: str) -> int:
    """A number that changes when files of the dataset are added, removed, replaced or written to.

    Raises UserError when the dataset does not exist.
    """
    path, said = _path(name)
    if Path(said.part).name == said.part and (path / said.part).is_dir():  # no way up
        path = path / said.part
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
    """The stamps of the images of a folder, or of its files where it has none, or of a file and those beside it."""
    if not path.is_dir():
        return tuple((file.name, file_stamp(file)) for file in formats.files_of(path))
    images = files_in(path, MAX_FILES)
    return tuple((file, file_stamp(path / file)) for file in images or sorted(one.name for one in path.iterdir()))


def load(
    name: str,
    progress: Callable[[int, int], None] | None = None,
    limit: int | None = None,
    store: Store | None = None,
) -> ImageDataset:
    """Open the images.

    Args:
        name: the dataset.
        progress: called with (done, total) while encoded images are looked at.
        limit: see ``Opening``.
        store: the store that keeps the scan; None for the usual one.

    Returns:
        The images.

    Raises:
        UserError: as ``formats.open_path`` does.
    """
    path, said = _path(name)
    cache = (store or Store()).root / FOLDERS
    how = Opening(record(name).title, progress, cache, allowed_folders.paths(), limit)
    return replace(formats.open_path(path, said, how), name=name)


def _divided(name: str) -> tuple[str, Options] | None:
    """The name of a path that is present, and the options behind it."""
    return options.divide(name, lambda front: allowed_folders.locate(front) is not None) if owns(name) else None


def _path(name: str) -> tuple[Path, Options]:
    divided = _divided(name)
    path = allowed_folders.locate(divided[0]) if divided else None
    if divided is None or path is None:
        raise UserError(
            f"There is no folder or file called “{name.removeprefix(allowed_folders.PREFIX)}” among your images. "
            f"They are looked for in {', '.join(map(str, allowed_folders.paths()))}."
        )
    return path, divided[1]


# Pages read titles and sizes often; an unchanged folder is counted once.
@lru_cache(maxsize=256)
def _record(name: str, path: Path, said: Options, _changed: int) -> DatasetRecord:
    found = formats.contents(path, said, allowed_folders.paths())
    return DatasetRecord(
        name=name,
        title=_title(name, said),
        description=f"Your own images: {path}.",
        note="Your own images.",
        source=str(path),
        size=found.size,
        role="own",
        classes=found.classes,
        licence="your own",
        format=formats.format_of(path).TITLE,
        passed_over=found.passed_over,
    )


def _title(name: str, said: Options) -> str:
    path = options_of(name)[0]
    title = path.removeprefix(allowed_folders.PREFIX).removesuffix(".npz").replace("%2C", ",").replace("%25", "%")
    title = ", ".join((title, *said.words()))
    # Titles identify datasets in figures and progress bars, so they must be unique.
    taken = {one.title for one in (*RECORDS.values(), *PUBLISHED.values())}
    return f"{title} (own)" if title in taken else title


def _with_parts(name: str) -> Iterator[str]:
    """A dataset's name for each of its parts; the name alone where it has none, or columns."""
    path = allowed_folders.locate(name)
    if path is None:  # gone meanwhile
        return
    try:
        found = _parts(path, stamp(name))
    except UserError:  # the sentence comes with opening it
        found = Parts()
    if found.what == "column" or not found.names or found.usual:
        yield name
    if found.what != "column":
        yield from (f"{name}:{part}" for part in found.names if part != found.usual and ":" not in part)


@lru_cache(maxsize=1024)
def _parts(path: Path, _changed: int) -> Parts:
    return formats.parts_of(path)


def _is_dataset(entry: os.DirEntry[str]) -> bool:
    path = Path(entry.path)
    if entry.is_dir():
        if entry.is_symlink() and not may_enter(path, allowed_folders.paths()):
            return False
        return _holds_images(path, deeper=True) or _is_other_folder(path, entry.stat().st_mtime_ns)
    return entry.name.lower().endswith(_SUFFIXES) and entry.is_file() and _is_file(path, entry.stat().st_mtime_ns)


@lru_cache(maxsize=4096)
def _is_file(path: Path, _changed: int) -> bool:
    return formats.is_dataset(path)


@lru_cache(maxsize=4096)
def _is_other_folder(path: Path, _changed: int) -> bool:
    """Whether a folder without images on top is a dataset in other files."""
    return formats.is_folder_of_files(path)


def _holds_images(folder: Path, deeper: bool) -> bool:
    try:
        with os.scandir(folder) as entries:
            shown = [one for one in entries if not is_hidden(one.name)]
    except OSError:
        return False
    if any(one.is_file() and is_image(Path(one.path)) for one in shown):
        return True
    return deeper and any(
        one.is_dir()
        and (not one.is_symlink() or may_enter(Path(one.path), allowed_folders.paths()))
        and _holds_images(Path(one.path), False)
        for one in shown
    )
