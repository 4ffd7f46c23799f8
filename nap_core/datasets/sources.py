"""Where datasets come from: bundled, published archives, the Hugging Face Hub, a user's folders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from nap_core.datasets import bundled, hub, published
from nap_core.datasets.images import ImageDataset
from nap_core.datasets.spec import DatasetRecord
from nap_core.datasets.user_data import registry
from nap_core.errors import UserError
from nap_core.storage.downloads import Download
from nap_core.storage.progress import RunCallbacks

Counted = Callable[[int, int], None]


class Source(Protocol):
    """A module that provides datasets. The other functions take names for which ``owns`` is true."""

    def names(self) -> tuple[str, ...]: ...

    def owns(self, name: str, /) -> bool: ...

    def record(self, name: str, /) -> DatasetRecord: ...

    def stamp(self, name: str, /) -> int:
        """A number that changes with the files on disk; an opened dataset is cached under it."""
        ...

    def load(self, name: str, progress: Counted | None, /) -> ImageDataset: ...


class RemoteSource(Source, Protocol):
    """A source whose datasets are downloaded before they are opened."""

    def missing(self, name: str, /) -> list[Download]: ...

    def prepared(self, name: str, /) -> bool: ...

    def prepare(self, name: str, callbacks: RunCallbacks, /) -> None: ...


REMOTE: tuple[RemoteSource, ...] = (published, hub)
SOURCES: tuple[Source, ...] = (bundled, *REMOTE, registry)


def names() -> tuple[str, ...]:
    """The names of all datasets: bundled, published (downloaded or not), downloaded from the Hub, the user's own."""
    return tuple(name for source in SOURCES for name in source.names())


def source_of(name: str) -> Source:
    """The source that provides the dataset ``name``. Raises UserError if there is none."""
    for source in SOURCES:
        if source.owns(name):
            return source
    raise UserError(f"There is no dataset called “{name}”. There are: {', '.join(names())}.")


def remote_source_of(name: str) -> RemoteSource | None:
    """The source that downloads the dataset ``name``; None for local and unknown datasets."""
    return next((source for source in REMOTE if source.owns(name)), None)
