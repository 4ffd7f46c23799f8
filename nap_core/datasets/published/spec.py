"""The record types of the catalogue of published datasets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from nap_core.datasets.images import Labels
from nap_core.datasets.spec import DatasetRecord, Kind, Role

Parts = tuple[str, ...]
"""The components of a path in an archive."""


@dataclass(frozen=True)
class File:
    """A published file; the fields are those of ``downloads.Download``."""

    name: str
    url: str
    checksum: str = ""
    size: int | None = None
    by_hand: bool = False


@dataclass(frozen=True, eq=False)
class Content:
    """The content of a dataset in the order of the archive.

    ``labels`` is (N,) int64 with −1 for unknown; ``picture(i)`` decodes image i; ``files`` are the names of image
    files, if there are any, and part of the dataset's fingerprint.
    """

    labels: Labels
    classes: tuple[str, ...]
    picture: Callable[[int], Image.Image]
    files: tuple[str, ...] = ()


def everything(_folder: Path) -> Callable[[Parts], Parts | None]:
    """The layout that unpacks every file to its own path."""
    return lambda parts: parts


@dataclass(frozen=True)
class Unpacking:
    """An archive that is unpacked into the folder ``into`` beside it.

    ``layout(folder)`` returns a function from a file's path in the archive to its path below ``into``, None for files
    that are left out. ``needs`` are further files that are read only while unpacking.
    """

    archive: str
    into: str
    layout: Callable[[Path], Callable[[Parts], Parts | None]] = everything
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PublishedRecord:
    """A published dataset; records with the same ``folder`` share its files.

    ``record`` has no downloads, because their paths depend on the environment. ``read`` takes the folder with all files
    unpacked. ``package`` is a package of requirements-extra.txt that ``read`` imports, "" for none.
    """

    record: DatasetRecord
    folder: str
    files: tuple[File, ...]
    read: Callable[[Path], Content]
    unpackings: tuple[Unpacking, ...] = ()
    package: str = ""


UNSTATED = "No licence stated; published for research, to be cited"


def record(
    name: str,
    title: str,
    description: str,
    note: str,
    source: str,
    *,
    size: int,
    role: Role = "ood",
    kind: Kind = "photographs",
    shape: tuple[int, int] | None = None,
    classes: tuple[str, ...] = (),
    licence: str = UNSTATED,
) -> DatasetRecord:
    """A ``DatasetRecord`` with the defaults of published datasets: photographs, OOD, no licence stated."""
    return DatasetRecord(name, title, description, note, kind, role, size, shape, classes, licence, source)
