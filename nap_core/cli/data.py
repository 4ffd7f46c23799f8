"""DATA on the command line: a name of the catalogue, a folder of images, or an .npz."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from nap_core import datasets
from nap_core.datasets import RECORDS, ImageDataset, hub, published, registry
from nap_core.errors import UserError
from nap_core.storage import allowed_folders
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import Progress, RunCallbacks


@dataclass(frozen=True)
class Data:
    """One DATA that is there; nothing of it has been read yet. ``path`` is None for a name of the catalogue."""

    label: str
    source: str
    path: Path | None

    @property
    def is_precomputed(self) -> bool:
        """Whether it has activations in place of images."""
        return self.path is None and datasets.find(self.source).role == "precomputed"


def read(text: str) -> Data:
    """What ``text`` names: "svhn-test", "folder/", "svhn=file.npz". Raises UserError for a path that does not exist."""
    whole = _find(text, "")
    if whole:
        return whole
    label, equals, source = text.partition("=")
    if equals and not label:
        raise UserError(f"“{text}” has no name before the equals sign. Write it as name={source or 'DATA'}.")
    labelled = _find(source, label) if equals else None
    if labelled:
        return labelled
    raise UserError(
        f"There is no file or folder “{source if equals else text}”, and no dataset of that name. "
        f"The catalogue has: {', '.join(datasets.names())}."
    )


def _find(source: str, label: str) -> Data | None:
    if source in RECORDS or source in published.names():
        return Data(label or source, source, None)
    if hub.owns(source) or (allowed_folders.is_own(source) and allowed_folders.locate(source)):
        return Data(label or datasets.title(source), source, None)
    path = Path(source).expanduser()
    if not source or not path.exists():
        return None
    return Data(label or (path.resolve().name if path.is_dir() else path.stem), source, path)


def fetch(data: Data, progress: Callable[[Progress], None]) -> None:
    """Download and unpack what the catalogue has of it, unless it is here. Raises UserError where that fails."""
    if data.path is None:
        datasets.prepare(data.source, RunCallbacks(progress))


def load(
    data: Data, reading: Callable[[int, int], None], limit: int | None = None, store: str | None = None
) -> ImageDataset:
    """The images; of a folder no more than the first ``limit`` are decoded, and none that the scan in ``store`` has.

    ``reading(done, total)`` gets the progress of reading a folder; unreadable files are named on stderr. Raises
    UserError as the readers of ``nap_core.datasets`` do.
    """
    own = data.path is None and allowed_folders.is_own(data.source)
    path = allowed_folders.locate(data.source) if own else data.path
    if path is None:
        folder = datasets.load(data.source, reading)
    elif not path.is_dir():
        return datasets.from_npz(path, data.label)
    else:
        folder = datasets.from_folder(path, data.label, reading, Store(store).root / registry.FOLDERS, limit)
        folder = replace(folder, name=data.source) if own else folder
    if isinstance(folder, datasets.FolderImages) and folder.unreadable:
        count, (_, reason) = len(folder.unreadable), folder.unreadable[0]
        rest = f" (and {count - 1:,} more)" if count > 1 else ""
        print(f"Left out of {data.label}: {reason}{rest}", file=sys.stderr)
    return folder
