"""The shards of an entry: immutable folders of .npy files; writing, checking, mapping, joining, deleting."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.storage.activation_store.disk import (
    Content,
    array_content,
    header,
    is_whole,
    map_array,
    patiently,
    sync_folder,
    write_file,
)
from nap_core.storage.activation_store.manifest import SHARD_NAME, Manifest, Shard

TEMPORARY = ".tmp-"
_CHUNK = 2**22


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
