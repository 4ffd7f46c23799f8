"""The key, the manifest and the shards of an entry: immutable folders of .npy files."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import math
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from nap_core.activations import Activations
from nap_core.errors import UserError

Content = Iterable[bytes | memoryview]
"""The content of a file, piece by piece."""
_T = TypeVar("_T")


@lru_cache(maxsize=256)
def header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """The first bytes of the .npy file of such an array in C order."""
    first = io.BytesIO()
    np.lib.format.write_array_header_1_0(first, {"descr": dtype, "fortran_order": False, "shape": shape})
    return first.getvalue()


def file_size(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of the .npy file of such an array."""
    return len(header(dtype, shape)) + np.dtype(dtype).itemsize * math.prod(shape)


def array_content(array: NDArray[Any]) -> Content:
    """The content of the .npy file of an array in C order."""
    return header(array.dtype.str, array.shape), array.reshape(-1).view(np.uint8).data


def write_file(path: Path, parts: Content) -> str:
    """Write a new file and flush it to disk; returns the sha256 (hex) of the given content."""
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for part in parts:
            file.write(part)
            digest.update(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def is_whole(path: Path, dtype: str, shape: tuple[int, ...]) -> bool:
    """Whether the file has the size and header of such an array; False if it is missing."""
    first = header(dtype, shape)
    try:
        with path.open("rb") as file:
            # Compared instead of parsed: a parser can raise almost any exception on a damaged header.
            return os.fstat(file.fileno()).st_size == file_size(dtype, shape) and file.read(len(first)) == first
    except (FileNotFoundError, NotADirectoryError):
        return False


def map_array(path: Path, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """The array of a whole file, memory-mapped and read-only."""
    return np.memmap(path, dtype, mode="r", offset=len(header(dtype, shape)), shape=shape)


def has_sha256(path: Path, sha256: str) -> bool:
    """Whether the file can be read and has this checksum."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def sync_folder(path: Path) -> None:
    """Flush the names in a folder to disk, so that they survive a power cut (not supported by Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems
            raise
    finally:
        os.close(descriptor)


def patiently(action: Callable[[], _T]) -> _T:
    """The result of ``action``, tried again for a second on Windows.

    There a file can be neither opened, replaced nor renamed in the moment another process (or a virus scanner) has it.
    """
    for pause in (0.01, 0.04, 0.15, 0.3, 0.5) if os.name == "nt" else ():
        try:
            return action()
        except PermissionError:
            time.sleep(pause)
    return action()


def folder_size(path: Path) -> int:
    """Bytes of all files below a folder; 0 if it is missing. Files that are deleted meanwhile are skipped."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return total


FORMAT = 1  # part of every digest: a new format uses new entries and never reads old files
SHARD_NAME = re.compile(r"\d{9,}-[0-9a-f]{8}")
_DTYPES = {"float32": "<f4", "float16": "<f2"}
_HALVED = ("maximum", "mean", "features")
"""The arrays stored in half precision. Variances would overflow float16. Logits are few, and methods like Energy need
their precision."""
TEMPORARY = ".tmp-"
_CHUNK = 2**22


@dataclass(frozen=True)
class StoreKey:
    """What determines activations: equal keys mean equal numbers, and any difference means another entry.

    Attributes:
        weights: sha256 of the network's weights.
        layer: description of the penultimate layer, ``str`` of the hook.
        transform: description of the preprocessing, ``Transform.describe()``.
        dataset: fingerprint of the images, their order and labels.
        dtype: type of maximum, mean and features; variance and logits are always float32, labels int64.

    Raises:
        ValueError: another dtype.
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
        """sha256 (hex) of the key's canonical JSON and the store's format."""
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
    """The state of an entry: shards that it does not name do not exist.

    ``features`` is the width D of the stored head inputs (N, D), 0 if they are not stored.
    """

    key: StoreKey
    title: str
    channels: int
    classes: int
    shards: tuple[Shard, ...] = ()
    features: int = 0

    @classmethod
    def of(cls, key: StoreKey, title: str, activations: Activations) -> Manifest:
        """A manifest without shards for activations of these widths."""
        features = 0 if activations.features is None else int(activations.features.shape[1])
        return cls(key, title, activations.channels, int(activations.logits.shape[1]), features=features)

    @property
    def widths(self) -> str:
        """The widths that all shards share, as text."""
        features = f", {self.features} features" if self.features else ""
        return f"{self.channels} channels, {self.classes} logits{features}"

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays of each shard, in the order of Activations' fields."""
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
        """Exact number of bytes on disk of an entry of ``rows`` rows in one shard, including the manifest."""
        token = f"{0:09d}-{'0' * 8}"
        shard = Shard(token, 0, rows, dict.fromkeys(self.names, "0" * 64))
        manifest = len(replace(self, shards=(shard,)).to_json())
        return manifest + sum(file_size(dtype, shape) for _, dtype, shape in self.layout(rows))

    def to_json(self) -> bytes:
        """The content of manifest.json."""
        text = json.dumps({"format": FORMAT, **asdict(self), "written_with": _versions()}, indent=1, ensure_ascii=False)
        return text.encode(errors="backslashreplace")  # a folder's name may not be valid Unicode

    @classmethod
    def from_json(cls, text: bytes) -> Manifest | None:
        """Parse a manifest, up to the first shard that does not continue the one before; None for invalid content."""
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
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # all that wrong JSON can raise
            return None


@cache
def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    with suppress(metadata.PackageNotFoundError):  # from metadata: importing torch takes seconds
        versions["torch"] = metadata.version("torch")
    return versions


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0  # True is an int as well, and 3.0 equals 3


class TooLarge(UserError):  # noqa: N818 - describes the number
    """A number does not fit into the dtype of an entry."""


class Damaged(Exception):  # noqa: N818 - internal: `compact` catches it and leaves the shards unchanged
    """The content of a shard does not match its checksum."""


def complete(folder: Path, manifest: Manifest | None) -> Iterator[Shard]:
    """The shards in an entry's folder before the first damaged one."""
    for shard in manifest.shards if manifest else ():
        files = manifest.layout(shard.rows) if manifest else ()
        if not all(is_whole(folder / shard.name / f"{name}.npy", dtype, shape) for name, dtype, shape in files):
            return
        yield shard


def opened(folder: Path, manifest: Manifest, shard: Shard) -> Activations:
    """A shard, memory-mapped. Raises OSError or ValueError if it has been deleted."""
    layout = manifest.layout(shard.rows)
    return Activations(
        **{name: map_array(folder / shard.name / f"{name}.npy", dtype, shape) for name, dtype, shape in layout}
    )


def converted(manifest: Manifest, activations: Activations) -> dict[str, NDArray[Any]]:
    """The arrays in the entry's dtypes. Raises TooLarge for a finite number beyond the range of its dtype."""
    try:
        with np.errstate(over="raise"):  # infinities would surface much later as wrong scores
            return {
                name: np.asarray(getattr(activations, name), dtype)
                for name, dtype, _ in manifest.layout(len(activations))
            }
    except FloatingPointError as error:
        raise TooLarge(
            f"Some activations are too large to be stored as {manifest.key.dtype}. Store them as float32."
        ) from error


def contents(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Content]:
    """The content of the files of a shard of these arrays."""
    return {name: array_content(array) for name, array in arrays.items()}


def joined(folder: Path, manifest: Manifest, shards: Sequence[Shard]) -> dict[str, Content]:
    """The content of the files of one shard that replaces ``shards``, read piece by piece.

    Raises Damaged while reading a file that does not match its checksum: the joined file would get a valid one.
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
    """Write a new shard and flush it to disk. It exists once a manifest names it. The caller holds the lock."""
    if not folder.is_dir():
        folder.mkdir()
        sync_folder(folder.parent)
    token = secrets.token_hex(4)  # unique: a deleted shard may still be mapped by a reader
    temporary, name = folder / f"{TEMPORARY}{token}", f"{start:09d}-{token}"
    temporary.mkdir()
    sha256 = {field: write_file(temporary / f"{field}.npy", content) for field, content in files.items()}
    sync_folder(temporary)
    patiently(lambda: os.rename(temporary, folder / name))
    sync_folder(folder)
    return Shard(name, start, rows, sha256)


def sweep(folder: Path, keep: Iterable[Shard]) -> OSError | None:
    """Delete all shards but those to keep, and temporary files; returns the first error. The caller holds the lock."""
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
