"""The key, the manifest and the shards of an entry: what its folder is called, what it lists, and what lies in it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.storage.activation_store.disk import (
    Content,
    array_content,
    file_size,
    header,
    is_whole,
    map_array,
    patiently,
    sync_folder,
    write_file,
)

FORMAT = 1  # part of every digest: a new format starts new entries and never meets old files
SHARD_NAME = re.compile(r"\d{9,}-[0-9a-f]{8}")
_DTYPES = {"float32": "<f4", "float16": "<f2"}
_HALVED = ("maximum", "mean", "features")
"""What half precision halves. Variances, which are of the square of the maxima, would leave its range, and logits, of
which there are few, are what Energy and its kin are differences of."""
TEMPORARY = ".tmp-"
_CHUNK = 2**22


@dataclass(frozen=True)
class StoreKey:
    """What determines activations: equal keys mean equal numbers, and any difference means another entry.

    ``weights`` is the sha256 of the network's weights, ``dataset`` the fingerprint of the images and their order;
    ``layer`` and ``transform`` describe the penultimate layer and the preprocessing. ``dtype`` is how maximum, mean and
    features are stored (variance and logits are always float32, labels int64). Raises ValueError for any other dtype.
    """

    weights: str
    layer: str
    transform: str
    dataset: str
    dtype: Literal["float32", "float16"] = "float32"

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES:
            raise ValueError(f"dtype must be one of {', '.join(_DTYPES)}, not {self.dtype!r}")

    @property
    def digest(self) -> str:
        """sha256 (hex) over the canonical JSON of the key and the store's format."""
        canonical = json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Shard:
    """A folder of one .npy file per field: rows ``start`` to ``start + rows``, and the sha256 of each file."""

    name: str
    start: int
    rows: int
    sha256: dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """All that is true of an entry: a shard that is not named here does not exist.

    ``features`` is the width of the features that are kept beside the statistics, 0 where none are.
    """

    key: StoreKey
    title: str
    channels: int
    classes: int
    shards: tuple[Shard, ...] = ()
    features: int = 0

    @classmethod
    def of(cls, key: StoreKey, title: str, activations: Activations) -> Manifest:
        """The manifest, without shards yet, of activations like these."""
        features = 0 if activations.features is None else int(activations.features.shape[1])
        return cls(key, title, activations.channels, int(activations.logits.shape[1]), features=features)

    @property
    def widths(self) -> str:
        """What has to agree between all shards, in words."""
        kept = f", {self.features} features" if self.features else ""
        return f"{self.channels} channels, {self.classes} logits{kept}"

    @property
    def names(self) -> tuple[str, ...]:
        """What each shard has a file of, in the order of Activations' fields."""
        every = (field.name for field in fields(Activations))
        return tuple(name for name in every if name != "features" or self.features)

    def layout(self, rows: int) -> Iterator[tuple[str, str, tuple[int, ...]]]:
        """Field, dtype and shape of each file of a shard of ``rows`` rows, in the order of ``names``."""
        widths = {"logits": self.classes, "features": self.features}
        for name in self.names:
            if name == "labels":
                yield name, "<i8", (rows,)
            else:
                dtype = _DTYPES[self.key.dtype if name in _HALVED else "float32"]
                yield name, dtype, (rows, widths.get(name, self.channels))

    def size(self, rows: int) -> int:
        """Bytes on disk of an entry of ``rows`` rows in one shard, to the byte, the manifest included."""
        token = f"{0:09d}-{'0' * 8}"
        shard = Shard(token, 0, rows, dict.fromkeys(self.names, "0" * 64))
        manifest = len(replace(self, shards=(shard,)).to_json())
        return manifest + sum(file_size(dtype, shape) for _, dtype, shape in self.layout(rows))

    def to_json(self) -> bytes:
        """The file's content: for people to read, and for ``from_json``."""
        text = json.dumps({"format": FORMAT, **asdict(self), "written_with": _versions()}, indent=1, ensure_ascii=False)
        return text.encode(errors="backslashreplace")  # a folder's name can hold what is no Unicode

    @classmethod
    def from_json(cls, text: bytes) -> Manifest | None:
        """The manifest up to its first shard that does not follow on the one before; None for anything malformed."""
        try:
            data = json.loads(text)
            widths = data["channels"], data["classes"], data.get("features", 0)
            manifest = cls(StoreKey(**data["key"]), data["title"], *widths[:2], features=widths[2])
            records = [Shard(**record) for record in data["shards"]]
            sound = data["format"] == FORMAT and isinstance(manifest.title, str)
            if not sound or not all(map(_is_count, widths)):
                return None
            shards: list[Shard] = []
            rows = 0
            for shard in records:
                follows = _is_count(shard.start) and shard.start == rows and _is_count(shard.rows) and shard.rows > 0
                if not follows or not SHARD_NAME.fullmatch(shard.name) or shard.sha256.keys() != set(manifest.names):
                    break
                shards.append(shard)
                rows += shard.rows
            return replace(manifest, shards=tuple(shards))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # all that wrong JSON can lead to
            return None


@cache
def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    with suppress(metadata.PackageNotFoundError):  # looked up, not imported: importing torch takes seconds
        versions["torch"] = metadata.version("torch")
    return versions


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0  # True is an int as well, and 3.0 equals 3


class TooLarge(UserError):  # noqa: N818 - a name for what happened, like its kin
    """A number does not fit into the dtype that an entry keeps it in."""


class Damaged(Exception):  # noqa: N818 - never shown: ``compact`` leaves such shards as they are
    """The content of a shard is not what was written."""


def complete(folder: Path, manifest: Manifest | None) -> Iterator[Shard]:
    """The shards of an entry's folder before the first damaged one."""
    for shard in manifest.shards if manifest else ():
        files = manifest.layout(shard.rows) if manifest else ()
        if not all(is_whole(folder / shard.name / f"{name}.npy", dtype, shape) for name, dtype, shape in files):
            return
        yield shard


def opened(folder: Path, manifest: Manifest, shard: Shard) -> Activations:
    """A shard, memory-mapped. Raises OSError or ValueError when it is not there any more."""
    layout = manifest.layout(shard.rows)
    return Activations(
        **{name: map_array(folder / shard.name / f"{name}.npy", dtype, shape) for name, dtype, shape in layout}
    )


def converted(manifest: Manifest, activations: Activations) -> dict[str, NDArray[Any]]:
    """The arrays as the entry keeps them. Raises TooLarge for a finite number beyond the range of its dtype."""
    try:
        with np.errstate(over="raise"):  # silent infinities would show up much later, as strange scores
            return {
                name: np.asarray(getattr(activations, name), dtype)
                for name, dtype, _ in manifest.layout(len(activations))
            }
    except FloatingPointError as error:
        raise TooLarge(
            f"Some activations are too large to be stored as {manifest.key.dtype}. Store them as float32."
        ) from error


def contents(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Content]:
    """What the files of a shard of these arrays hold."""
    return {name: array_content(array) for name, array in arrays.items()}


def joined(folder: Path, manifest: Manifest, shards: Sequence[Shard]) -> dict[str, Content]:
    """What the files of one shard in place of ``shards`` hold, read piece by piece.

    Raises Damaged, while it is read, when a file is not what was written: joining it would give it a new checksum.
    """
    layouts = [list(manifest.layout(shard.rows)) for shard in shards]
    whole = manifest.layout(sum(shard.rows for shard in shards))

    def content(index: int, name: str, dtype: str, shape: tuple[int, ...]) -> Content:
        yield header(dtype, shape)
        for shard, layout in zip(shards, layouts, strict=True):
            digest = hashlib.sha256()
            with (folder / shard.name / f"{name}.npy").open("rb") as file:
                digest.update(file.read(len(header(dtype, layout[index][2]))))
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    yield chunk
            if digest.hexdigest() != shard.sha256[name]:
                raise Damaged(shard.name)

    return {name: content(index, name, dtype, shape) for index, (name, dtype, shape) in enumerate(whole)}


def write(folder: Path, start: int, rows: int, files: Mapping[str, Content]) -> Shard:
    """Write a new shard through to the disk. It does not exist before a manifest names it; needs the lock."""
    if not folder.is_dir():
        folder.mkdir()
        sync_folder(folder.parent)
    token = secrets.token_hex(4)  # never the name of a shard that a reader may still have mapped
    temporary, name = folder / f"{TEMPORARY}{token}", f"{start:09d}-{token}"
    temporary.mkdir()
    sha256 = {field: write_file(temporary / f"{field}.npy", content) for field, content in files.items()}
    sync_folder(temporary)
    patiently(lambda: os.rename(temporary, folder / name))
    sync_folder(folder)
    return Shard(name, start, rows, sha256)


def sweep(folder: Path, keep: Iterable[Shard]) -> OSError | None:
    """Delete all shards but those to keep, and all leftovers; returns the first failure. Needs the lock."""
    failure = None
    names = {shard.name for shard in keep}
    for path in list(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(TEMPORARY) or (SHARD_NAME.fullmatch(path.name) and path.name not in names):
            try:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            except OSError as error:
                failure = failure or error
    return failure
