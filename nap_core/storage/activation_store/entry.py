"""One entry of the store: its rows, and how they are added to. The package's docstring explains why it is safe."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.storage.activation_store.disk import folder_size, has_sha256, patiently, sync_folder, write_file
from nap_core.storage.activation_store.shards import (
    TEMPORARY,
    Damaged,
    Manifest,
    Shard,
    StoreKey,
    complete,
    contents,
    converted,
    joined,
    opened,
    sweep,
    write,
)

VARIABLE = "NAP_STORE"
LOCK_SECONDS = 60.0  # a shard takes seconds: a process that holds the lock for longer hangs
_MANIFEST = "manifest.json"


class Entry:
    """The activations of one dataset under one model. Readers take no lock; any number of processes may append."""

    def __init__(self, root: Path, key: StoreKey, title: str = "") -> None:
        self.key = key
        self.path = root / key.digest[:16]
        self._last_rows: int | None = None  # how many rows this object last returned or appended
        manifest = self._manifest_for_reading()
        self.title = title or (manifest.title if manifest else "")

    @property
    def rows(self) -> int:
        """Complete rows on disk, contiguous from 0; 0 as well when the folder cannot be read."""
        self._last_rows = self._count()
        return self._last_rows

    @property
    def size_bytes(self) -> int:
        """Bytes on disk, leftovers of killed writers included."""
        return folder_size(self.path)

    def shards(self) -> Iterator[Activations]:
        """The stored activations shard by shard, memory-mapped: for entries that do not fit into memory.

        Shards that another process joins meanwhile go on in the joined one, at the row that was reached.
        """
        row = 0
        manifest, shards = self._look()
        while manifest:
            try:
                for shard in shards:
                    if shard.start + shard.rows > row:
                        part = opened(self.path, manifest, shard)
                        yield part.take(slice(row - shard.start, None)) if row > shard.start else part
                        row = shard.start + shard.rows
                return
            except (OSError, ValueError):  # removed or joined by another process since the manifest was read
                before = manifest
                manifest, shards = self._look()
                if manifest == before:
                    return

    def read(self, limit: int | None = None) -> Activations:
        """The first ``limit`` rows as they are stored, or all there are when that is fewer or ``limit`` is None.

        Rows that all lie in the first shard are memory-mapped, not copied; ``compact`` makes one shard of all. More
        shards are joined in memory, one open at a time: each takes a file descriptor an array, and a process may have
        some hundreds. Raises KeyError when nothing is stored and ValueError for a negative limit.
        """
        if limit is not None and limit < 0:
            raise ValueError(f"limit must not be negative, but is {limit}")
        stored = self._count()
        wanted = stored if limit is None else min(limit, stored)
        whole: Activations | None = None
        filled = 0
        for part in self.shards():
            if whole is None:
                if len(part) >= wanted:
                    return part.head(wanted)
                arrays = part.arrays.items()
                whole = Activations(**{name: np.empty((wanted, *one.shape[1:]), one.dtype) for name, one in arrays})
            end = min(filled + len(part), wanted)
            for name, array in whole.arrays.items():
                array[filled:end] = part.arrays[name][: end - filled]
            filled = end
            if filled == wanted:
                break
        if whole is None:
            raise KeyError(f"nothing is stored in {self.path} for {self.title or self.key}")
        return whole.head(filled)

    def append(self, activations: Activations, start: int | None = None) -> None:
        """Write the rows as one shard: once this returns they last, and when it raises, nothing stored is lost.

        ``start`` is the index of the first row given, at most the number of rows stored. Rows that another process has
        stored in the meantime are left out, so two processes that extract the same images both end well. None goes on
        from the ``rows`` this object last returned, or appended; where neither has happened, from the end of the entry.
        Every append looks at all shards: for a large dataset give some thousand rows at a time.

        Raises ValueError for rows beyond a gap and for widths unlike the stored ones; UserError when the disk is full
        or may not be written to, when the entry shrank while it was added to, and when a number is too large for the
        entry's dtype.
        """
        given = Manifest.of(self.key, self.title, activations)
        arrays = converted(given, activations)
        with writing(self.path):
            stored = self._manifest()
            shards = tuple(complete(self.path, stored))
            rows = sum(shard.rows for shard in shards)
            if start is None:
                start = rows if self._last_rows is None else self._last_rows
            if rows < start <= (self._last_rows or 0):
                raise UserError(
                    f"The activation store {self.path.parent} was emptied or damaged while it was being added to. "
                    "Start again: it goes on from what is left."
                )
            if not 0 <= start <= rows:
                raise ValueError(f"rows from {start} on cannot follow the {rows} rows stored")
            if shards and stored and stored.widths != given.widths:
                raise ValueError(f"{given.widths} cannot follow {stored.widths}")
            if start + len(activations) > rows:
                try:
                    new = {name: array[rows - start :] for name, array in arrays.items()}
                    shard = write(self.path, rows, len(new["labels"]), contents(new))
                    self._write_manifest(given, (*shards, shard))
                finally:  # also when it failed: a full disk must not stay full of a shard that no manifest names
                    self._sweep()
            self._last_rows = start + len(activations)

    def compact(self) -> None:
        """Join the shards into one, which ``read`` maps instead of copying; nothing to do where there is only one.

        Piece by piece, so that gigabytes take little memory; while it lasts, it takes as much room on the disk once
        more. Readers lose nothing. Shards whose content is not what was written stay as they are, for ``verify``.
        Raises UserError when the disk is full or may not be written to.
        """
        with writing(self.path):
            manifest = self._manifest()
            shards = tuple(complete(self.path, manifest))
            if manifest is None or len(shards) < 2:
                return
            try:
                rows = sum(shard.rows for shard in shards)
                self._write_manifest(manifest, (write(self.path, 0, rows, joined(self.path, manifest, shards)),))
            except Damaged:
                pass
            finally:
                self._sweep()

    def verify(self) -> int:
        """Compare every byte with its checksum and cut the entry before the first shard that fails; returns ``rows``.

        The rows cut off are as if they had never been there. Raises UserError when they cannot be cut off.
        """
        manifest = self._manifest_for_reading()
        with suppress(OSError):
            for shard in complete(self.path, manifest):
                files = ((self.path / shard.name / f"{name}.npy", sha256) for name, sha256 in shard.sha256.items())
                if not all(has_sha256(path, sha256) for path, sha256 in files):
                    self._cut(shard)
                    break
        return self.rows

    def remove(self) -> None:
        """Delete the entry. Raises UserError when something cannot be deleted (on Windows: what is still mapped)."""
        remove(self.path)

    def _count(self) -> int:
        return sum(shard.rows for shard in self._look()[1])

    def _look(self) -> tuple[Manifest | None, list[Shard]]:
        """The manifest, and the shards before the first damaged one.

        Looked at again where a shard is missing because another process has joined it with others meanwhile.
        """
        manifest = self._manifest_for_reading()
        while True:
            shards: list[Shard] = []
            with suppress(OSError):
                shards.extend(complete(self.path, manifest))
            if manifest is None or len(shards) == len(manifest.shards):
                return manifest, shards
            before, manifest = manifest, self._manifest_for_reading()
            if manifest == before:
                return manifest, shards

    def _manifest(self) -> Manifest | None:
        """The manifest; None when there is none or it is damaged. Raises OSError when it cannot be read.

        The difference matters to writers: they delete what the manifest does not name.
        """
        manifest = read_manifest(self.path)
        return manifest if manifest and manifest.key == self.key else None

    def _manifest_for_reading(self) -> Manifest | None:
        with suppress(OSError):  # what cannot be read is not there; the writer that computes it again raises
            return self._manifest()
        return None

    def _write_manifest(self, manifest: Manifest, shards: tuple[Shard, ...]) -> None:
        content = replace(manifest, shards=shards).to_json()
        temporary = self.path / f"{TEMPORARY}{secrets.token_hex(4)}"
        write_file(temporary, [content])
        patiently(lambda: os.replace(temporary, self.path / _MANIFEST))
        sync_folder(self.path)

    def _cut(self, shard: Shard) -> None:
        with writing(self.path):
            manifest = self._manifest()
            if manifest and shard in manifest.shards:  # else another process has mended it meanwhile
                kept = manifest.shards[: manifest.shards.index(shard)]
                self._write_manifest(manifest, kept)
                sweep(self.path, kept)

    def _sweep(self) -> None:
        manifest = self._manifest()
        sweep(self.path, manifest.shards if manifest else ())


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an entry's folder; None when there is none or it is damaged. Raises OSError when it is barred."""
    try:
        return Manifest.from_json(patiently((folder / _MANIFEST).read_bytes))
    except (FileNotFoundError, NotADirectoryError):
        return None


def remove(folder: Path) -> None:
    """Delete an entry's folder; its rows are gone at once, even if a kill leaves files for the next writer to sweep."""
    if not os.path.isdir(folder):  # unlike Path.is_dir, no error where the user may not look
        return
    with writing(folder):
        (folder / _MANIFEST).unlink(missing_ok=True)
        failure = sweep(folder, ())
        if failure:
            raise failure
        with suppress(OSError):  # not empty: it holds files that the store has not written
            folder.rmdir()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the lock of an entry's folder; what goes wrong on disk meanwhile becomes a UserError."""
    root = folder.parent
    elsewhere = f"or set the environment variable {VARIABLE} to another folder, and start again."
    try:
        root.mkdir(parents=True, exist_ok=True)
        # Beside the folder and never deleted: a lock on a deleted file would exclude no other process.
        with FileLock(f"{folder}.lock", timeout=LOCK_SECONDS):
            yield
    except Timeout as error:
        raise UserError(
            f"Another process has been writing to {folder} for over {LOCK_SECONDS:.0f} seconds. End it, {elsewhere}"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            sentence = f"The disk with the activation store {root} is full. Make room on it, {elsewhere}"
        else:
            reason = error.strerror or str(error)
            sentence = f"The activation store {root} cannot be changed ({reason}). Allow it, {elsewhere}"
        raise UserError(sentence) from error
