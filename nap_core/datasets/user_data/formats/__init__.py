"""The formats in which people have images: what a path is, which parts it has, and its images."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from nap_core.datasets.images import BaseImages
from nap_core.datasets.user_data.formats import (
    cifar_python,
    csv_table,
    folder,
    idx,
    image_list,
    mat,
    npy,
    npz,
    parquet,
    tiny_imagenet,
    webdataset,
)
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts
from nap_core.datasets.user_data.walking import Allowed
from nap_core.errors import UserError


class Format(Protocol):
    """A module that reads one format."""

    TITLE: str

    def matches(self, path: Path, /) -> bool:
        """Whether the path has this format, from its name and its first bytes."""
        ...

    def parts(self, path: Path, /) -> Parts:
        """Its splits or severities. Raises UserError for a damaged file."""
        ...

    def contents(self, path: Path, part: str, allowed: Allowed, /) -> Contents:
        """What can be stated without reading the images. Raises UserError for a damaged file."""
        ...

    def load(self, path: Path, options: Options, how: Opening, /) -> BaseImages:
        """The images. ``options.part`` is one of ``parts`` or empty. Raises UserError for what cannot be used."""
        ...


FORMATS: tuple[Format, ...] = (
    npz,
    npy,
    cifar_python,
    mat,
    idx,
    tiny_imagenet,
    image_list,
    csv_table,
    webdataset,
    parquet,
    folder,
)
"""The first that matches reads a path."""


def format_of(path: Path) -> Format:
    """The format of an existing path. Raises UserError for a path of none."""
    for one in FORMATS:
        if one.matches(path):
            return one
    raise UserError(
        f"“{path.name}” is no dataset of a format that can be read. Use a folder of images, an .npz, .npy, .mat, IDX, "
        ".tar or .parquet of images, or a list (.txt) or table (.csv) of image files (docs/formats.md)."
    )


def is_dataset(path: Path) -> bool:
    """Whether a file or folder has one of the formats."""
    return any(one.matches(path) for one in FORMATS)


def is_folder_of_files(path: Path) -> bool:
    """Whether a folder is a dataset in other files than images."""
    return any(one.matches(path) for one in FORMATS if one is not folder)


def files_of(path: Path) -> list[Path]:
    """The files that a dataset in a file is read from: itself, the images that it names, or what may be its labels.

    Raises UserError for a list none of whose images is there.
    """
    for one in (image_list, csv_table):
        if one.matches(path):
            return one.files(path)
    beside = [one for one in path.parent.glob("*label*") if one.is_file()]
    return [path, *sorted(beside)]


_PLACEHOLDERS = (
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file itself. Run git lfs pull where it came from."),
    (b"<!doctype html", "is a web page, not the file itself. Download it again, with the link of the file."),
    (b"<html", "is a web page, not the file itself. Download it again, with the link of the file."),
)


def _refuse_placeholder(path: Path) -> None:
    """Raise UserError for what stands in the place of a file that was not downloaded."""
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            first = file.read(100).lstrip().lower()
    except OSError as error:
        raise UserError(f"“{path.name}” cannot be opened ({error.strerror}). Check its permissions.") from error
    for begins, what in _PLACEHOLDERS:
        if first.startswith(begins):
            raise UserError(f"“{path.name}” {what}")


def parts_of(path: Path) -> Parts:
    """The splits or severities of an existing path. Raises UserError for a path of no format."""
    return format_of(path).parts(path)


def contents(path: Path, options: Options, allowed: Allowed = None) -> Contents:
    """What can be stated of a dataset without reading its images.

    Raises UserError as ``open_path`` does.
    """
    module = format_of(path)
    part, _ = module.parts(path).chosen(options.part, path.name)
    return module.contents(path, part, allowed)


def open_path(path: str | Path, options: Options | None = None, how: Opening | None = None) -> BaseImages:
    """Open the images at a path, whatever their format.

    Args:
        path: a file or folder.
        options: the split or severity, the window, and how labels count; None where nothing is said.
        how: title, progress, cache and allowed folders.

    Returns:
        The images in the order of ``presentation_order``; their ``notes`` say what was concluded.

    Raises:
        UserError: the path does not exist, has no format that can be read, cannot be read, or has several parts of
            which none was said.
    """
    path, options, how = Path(path).expanduser(), options or Options(), how or Opening()
    if not path.exists():
        raise UserError(f"There is no file or folder “{path}”. Check the path.")
    _refuse_placeholder(path)
    module = format_of(path)
    part, notes = module.parts(path).chosen(options.part, path.name)
    images = module.load(path, Options(part, options.numbering, options.window), how)
    return images.noted(*notes)
