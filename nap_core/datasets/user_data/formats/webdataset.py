"""WebDataset: .tar shards in which the files of one name are one sample, ``000.jpg`` beside ``000.cls``."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from nap_core.datasets.decoding import SUFFIXES
from nap_core.datasets.images import BaseImages
from nap_core.datasets.passed_over import Tally
from nap_core.datasets.user_data import label_arrays
from nap_core.datasets.user_data.encoded import read_part
from nap_core.datasets.user_data.folders import MAX_FILES, EncodedImages, looked_at
from nap_core.datasets.user_data.formats import shards
from nap_core.datasets.user_data.formats.image_list import labels_of_texts
from nap_core.datasets.user_data.label_arrays import Labelled
from nap_core.datasets.user_data.opening import Contents, Opening
from nap_core.datasets.user_data.options import Options
from nap_core.datasets.user_data.parts import Parts
from nap_core.datasets.user_data.scan_cache import Stamp, stamp
from nap_core.errors import UserError

TITLE = "WebDataset: a .tar shard, or a folder of them"

SUFFIX = ".tar"
_LABEL = 2**16  # bytes of a label or description at most
_FIRST = 50  # entries among which there must be an image
_KEYS = ("label", "class", "cls", "target", "category")
_UNREADABLE = (OSError, EOFError, ValueError, tarfile.TarError)


class Member(NamedTuple):
    """Where the content of a file lies in its shard."""

    offset: int
    size: int


class Samples(NamedTuple):
    """The images of shards, "shard/entry" → place, with their labels, and what else is in the shards."""

    members: Mapping[str, Member]
    labelled: Labelled
    tally: Tally


def matches(path: Path) -> bool:
    """Whether the path is a .tar with an image among its first entries, or a folder whose first shard has one."""
    files = shards.files_of(path, SUFFIX)
    return bool(files) and _has_image(files[0])


def parts(path: Path) -> Parts:
    """The splits by the names of shards; the test images are read where nothing was said."""
    return shards.parts_of(shards.files_of(path, SUFFIX))


def contents(path: Path, part: str, _allowed: object = None) -> Contents:
    """Size and classes, from the shards' lists of entries and their labels."""
    samples = _samples(_files(path, part))
    return Contents(len(samples.members), samples.labelled.classes, samples.tally.all())


def load(path: Path, options: Options, how: Opening) -> BaseImages:
    """The images, decoded one by one from their places in the shards."""
    files = _files(path, options.part)
    samples = _samples(files)
    title = how.title or ", ".join(one for one in (path.stem, options.part) if one)
    labels, classes, notes = samples.labelled
    names, encoded = list(samples.members), _InShards(path, shards.placed(files), samples.members)
    common = looked_at(path, title, names, labels, classes, encoded, options, how, samples.tally, notes)
    return EncodedImages(name=f"tar:{path.stem}", **common)


@dataclass(frozen=True)
class _InShards:
    """Images in the shards at ``path``; ``place`` gives the shard of a name."""

    path: Path
    place: Callable[[str], Path]
    members: Mapping[str, Member]

    def stamp(self, file: str) -> Stamp | None:
        return stamp(self.place(file))

    def read(self, file: str) -> tuple[bytes, Stamp]:
        return read_part(self.place(file), file, self.path, *self.members[file])


def _files(path: Path, part: str) -> tuple[Path, ...]:
    return tuple(shards.of_part(shards.files_of(path, SUFFIX), part))


def _has_image(path: Path) -> bool:
    try:
        with tarfile.open(path, "r:") as shard:
            return any(_suffix(member.name) in SUFFIXES for member, _ in zip(shard, range(_FIRST), strict=False))
    except _UNREADABLE:
        return False


def _samples(files: tuple[Path, ...]) -> Samples:
    return _listed(files, tuple(file.stat().st_mtime_ns for file in files))


@lru_cache(maxsize=4)
def _listed(files: tuple[Path, ...], _changed: tuple[int, ...]) -> Samples:
    """The samples of shards. Raises UserError for damaged shards and for more than ``MAX_FILES`` images."""
    members: dict[str, Member] = {}
    labels: dict[str, str] = {}
    keys: dict[str, str] = {}
    tally = Tally()
    for file in files:
        try:
            with tarfile.open(file, "r:") as shard:
                for member in shard:
                    _sort(shard, member, file.name, members, labels, keys, tally)
        except _UNREADABLE as error:
            raise UserError(f"“{file.name}” is damaged and cannot be read ({error}). Copy it again.") from error
        if len(members) > MAX_FILES:
            raise UserError(f"“{file.name}” and its shards hold more than {MAX_FILES:,} images. Take fewer shards.")
    if not members:
        raise UserError(f"“{files[0].name}” holds no images.")
    return Samples(members, _labelled(members, labels, keys, files[0].name), tally)


def _sort(
    shard: tarfile.TarFile,
    member: tarfile.TarInfo,
    name: str,
    members: dict[str, Member],
    labels: dict[str, str],
    keys: dict[str, str],
    tally: Tally,
) -> None:
    """Put one entry of a shard where it belongs."""
    if not member.isfile() or member.issparse():
        if not member.isdir():
            tally.add("that are links or no plain files", f"{name}/{member.name}")
        return
    key, suffix = f"{name}/{_key(member.name)}", _suffix(member.name)
    if PurePosixPath(member.name).name.startswith("."):
        tally.add("hidden", f"{name}/{member.name}")
    elif suffix in SUFFIXES:
        members[f"{name}/{member.name}"] = Member(member.offset_data, member.size)
        keys[f"{name}/{member.name}"] = key
    elif suffix in (".cls", ".json") and member.size <= _LABEL:
        content = shard.extractfile(member)
        label = _label(content.read() if content else b"", suffix)
        if label:
            labels[key] = label
    else:
        tally.add(f"ending in {suffix}" if suffix else "without an ending", f"{name}/{member.name}")


def _labelled(members: Mapping[str, Member], labels: Mapping[str, str], keys: Mapping[str, str], name: str) -> Labelled:
    """Labels from the files beside the images, else from the folders in which the images lie."""
    if labels:
        found = labels_of_texts([labels.get(keys[image], "") for image in members], name)
        return found._replace(notes=(*found.notes, "Labels are those of the .cls or .json beside each image."))
    folders = [PurePosixPath(image.partition("/")[2]).parent.name for image in members]
    if len(set(folders)) > 1 and all(folders):
        found = label_arrays.from_names(folders)
        return found._replace(notes=("Labels are the folders of the images in the shard.",))
    return label_arrays.unlabelled(len(members))


def _label(content: bytes, suffix: str) -> str:
    text = content.decode("utf-8", "replace").strip()
    if suffix == ".cls":
        return text
    try:
        about = json.loads(text)
    except ValueError:
        return ""
    found = next((about[key] for key in _KEYS if key in about), "") if isinstance(about, dict) else ""
    return str(found) if isinstance(found, str | int) else ""


def _key(name: str) -> str:
    """The name up to the first dot of its last part, by which a sample's files belong together."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition('.')[0]}"


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
