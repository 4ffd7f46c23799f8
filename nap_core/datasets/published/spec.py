"""The record types of the catalogue of published datasets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from PIL import Image

from nap_core.datasets.images import Labels
from nap_core.datasets.spec import DatasetRecord

Parts = tuple[str, ...]
"""The components of a path in an archive."""
Layout = Callable[[Path], Callable[[Parts], Parts | None]]
"""From the folder of an archive to a function: a file's path in the archive → its path when unpacked, None to skip."""


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

    ``layout`` gives paths below ``into``. ``needs`` are further files that are read only while unpacking.
    """

    archive: str
    into: str
    layout: Layout = everything
    needs: tuple[str, ...] = ()


class Packed(TypedDict):
    """The fields of a ``PublishedRecord`` that a single archive fills."""

    files: tuple[File, ...]
    unpackings: tuple[Unpacking, ...]


def packed(
    url: str,
    checksum: str,
    size: int | None = None,
    layout: Callable[[Path], Callable[[Parts], Parts | None]] = everything,
) -> Packed:
    """A dataset published as the one archive at ``url``, unpacked into a folder of the archive's name."""
    name = url.rpartition("/")[2]
    return {"files": (File(name, url, checksum, size),), "unpackings": (Unpacking(name, stem(name), layout),)}


def stem(archive: str) -> str:
    """The name of an archive without its ending: "SUN.tar.gz" → "SUN"."""
    return re.sub(r"\.(tar\.gz|tgz|tar|zip)$", "", archive)


@dataclass(frozen=True, kw_only=True)
class PublishedRecord(DatasetRecord):
    """A published dataset. Its downloads are empty, because their paths depend on the environment.

    Attributes:
        folder: the sub-folder of the files; datasets with the same folder share them.
        files: the published files.
        read: takes the folder with all files unpacked and returns the content.
        unpackings: the archives among the files.
        package: a package of requirements-extra.txt that ``read`` imports, "" for none.
    """

    folder: str
    files: tuple[File, ...]
    read: Callable[[Path], Content]
    unpackings: tuple[Unpacking, ...] = ()
    package: str = ""
