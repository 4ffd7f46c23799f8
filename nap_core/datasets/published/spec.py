"""What the library knows of a dataset: its record, its files, how they are unpacked and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from nap_core.datasets.images import Labels
from nap_core.datasets.spec import DatasetRecord

Parts = tuple[str, ...]
"""A path in an archive, folder by folder."""


@dataclass(frozen=True)
class File:
    """A published file; ``checksum``, ``size`` and ``by_hand`` are those of ``downloads.Download``."""

    name: str
    url: str
    checksum: str = ""
    size: int | None = None
    by_hand: bool = False


@dataclass(frozen=True, eq=False)
class Content:
    """What a reader finds, in the order of the archive: labels (N,), −1 where unknown, class names, and the pictures.

    ``files`` are the names of the pictures where they are files; they are part of the dataset's identity.
    """

    labels: Labels
    classes: tuple[str, ...]
    picture: Callable[[int], Image.Image]
    files: tuple[str, ...] = ()


def everything(_folder: Path) -> Callable[[Parts], Parts | None]:
    """The layout of an archive that is unpacked as it is."""
    return lambda parts: parts


@dataclass(frozen=True)
class Unpacking:
    """An archive that is unpacked before it is read: ``archive`` goes into the folder ``into`` beside it.

    ``layout`` is asked once, with the folder that holds the archive, and then says where each file goes, None for what
    is left out. ``needs`` are further files that only the unpacking needs: with ``into`` there, none of them is missed.
    """

    archive: str
    into: str
    layout: Callable[[Path], Callable[[Parts], Parts | None]] = everything
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Entry:
    """A dataset of the library; entries with the same ``folder`` share its files.

    ``record`` is without downloads, which depend on where the library lies. ``read`` gets the folder with everything
    in it. ``package`` must be installed, one of requirements-extra.txt.
    """

    record: DatasetRecord
    folder: str
    files: tuple[File, ...]
    read: Callable[[Path], Content]
    unpackings: tuple[Unpacking, ...] = field(default=())
    package: str = ""
