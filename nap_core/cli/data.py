"""DATA on the command line: a name of the catalogue, or a path of any format that can be read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nap_core import datasets
from nap_core.datasets import RECORDS, ImageDataset, hub, passed_over, published, registry
from nap_core.datasets.user_data import options
from nap_core.datasets.user_data.formats import open_path
from nap_core.datasets.user_data.opening import Opening
from nap_core.datasets.user_data.options import Options
from nap_core.errors import UserError
from nap_core.storage import allowed_folders
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import Progress, RunCallbacks


@dataclass(frozen=True)
class Data:
    """One DATA that is there; nothing of it has been read yet. ``path`` is None for a name of the catalogue;
    ``options`` are those behind a path."""

    label: str
    source: str
    path: Path | None
    options: Options = field(default_factory=Options)

    @property
    def is_precomputed(self) -> bool:
        """Whether it has activations in place of images."""
        return self.path is None and datasets.find(self.source).role == "precomputed"

    def is_same(self, other: Data) -> bool:
        """Whether ``other`` names the same part of the same place."""
        if self.path is None or other.path is None:
            return self.source == other.source
        return self.path.resolve() == other.path.resolve() and self.options.part == other.options.part


def read(text: str) -> Data:
    """What ``text`` names: "svhn-test", "folder/", "svhn=file.npz", "pets:val". Raises UserError for a path that does
    not exist."""
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
    if hub.owns(source) or (allowed_folders.is_own(source) and registry.exists(source)):
        return Data(label or datasets.title(source), source, None)
    found = options.divide(source, lambda front: Path(front).expanduser().exists())
    if not found:
        return None
    path = Path(found[0]).expanduser()
    name = path.resolve().name if path.is_dir() else path.stem
    return Data(label or found[1].behind(name), source, path, found[1])


def fetch(data: Data, progress: Callable[[Progress], None]) -> None:
    """Download and unpack what the catalogue has of it, unless it is here. Raises UserError where that fails."""
    if data.path is None:
        datasets.prepare(data.source, RunCallbacks(progress))


def load(
    data: Data, reading: Callable[[int, int], None], limit: int | None = None, store: str | None = None
) -> ImageDataset:
    """The images; of a folder no more than the first ``limit`` are decoded, and none that the scan in ``store`` has.

    ``reading(done, total)`` gets the progress of reading a folder. What was left out and what was concluded is said on
    stderr. Raises UserError as the readers of ``nap_core.datasets`` do.
    """
    images: ImageDataset
    if data.path is not None:
        cache = Store(store).root / registry.FOLDERS
        images = open_path(data.path, data.options, Opening(data.label, reading, cache, limit=limit))
    elif registry.owns(data.source):
        images = registry.load(data.source, reading, limit, Store(store))
    else:
        images = datasets.load(data.source, reading)
    unreadable: tuple[tuple[str, str], ...] = getattr(images, "unreadable", ())
    if unreadable:
        rest = f" (and {len(unreadable) - 1:,} more)" if len(unreadable) > 1 else ""
        print(f"Left out of {data.label}: {unreadable[0][1]}{rest}", file=sys.stderr)
    said = passed_over.sentence(getattr(images, "passed_over", ()))
    say(data.label, (*([said] if said else []), *getattr(images, "notes", ())))
    return images


def say(label: str, sentences: Iterable[str]) -> None:
    """Print what was concluded about the dataset called ``label`` on stderr."""
    for sentence in sentences:
        print(f"{label}: {sentence}", file=sys.stderr)
