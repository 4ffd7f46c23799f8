"""The store and its entries: reading and appending rows. The package's docstring explains why that is crash-safe."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
from filelock import FileLock, Timeout

from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.storage.activation_store.shards import (
    TEMPORARY,
    Damaged,
    Manifest,
    Shard,
    StoreKey,
    complete,
    contents,
    converted,
    folder_size,
    has_sha256,
    joined,
    opened,
    patiently,
    sweep,
    sync_folder,
    write,
    write_file,
)

_ENTRY_NAME = re.compile(r"[0-9a-f]{16}")
SCORES = "scores"
"""The folder of stored scores."""
VARIABLE = "NAP_STORE"
LOCK_SECONDS = 60.0  # writing a shard takes seconds: a process that holds the lock for longer hangs
_MANIFEST = "manifest.json"


class Store:
    """A folder of stored activations.

    Nothing is created on disk before the first append, and only files that the store wrote are deleted.

    Args:
        root: The folder; by default the environment variable NAP_STORE, else a folder in the user's cache.

    Attributes:
        root: The folder as an absolute path.
    """

    def __init__(self, root: Path | str | None = None) -> None:
        default = platformdirs.user_cache_path("nap-explorer", appauthor=False) / "store"
        self.root = Path(root or os.environ.get(VARIABLE) or default).expanduser().absolute()

    def entry(self, key: StoreKey, *, title: str = "") -> Entry:
        """The entry of a key, stored or not.

        Args:
            key: What determines the activations: the weights, the preprocessing, the images.
            title: The text for lists of entries; the stored title by default.

        Returns:
            The entry; ``rows`` is 0 if nothing is stored.
        """
        return Entry(self.root, key, title)

    def entries(self) -> list[Entry]:
        """The entries on disk.

        Returns:
            The entries sorted by title, without those with a damaged manifest; empty if the folder cannot be read.
        """
        entries = []
        for folder in self._folders():
            with suppress(OSError):
                manifest = read_manifest(folder)
                if manifest and manifest.key.digest.startswith(folder.name):
                    entries.append(Entry(self.root, manifest.key, manifest.title))
        return sorted(entries, key=lambda entry: (entry.title, entry.path.name))

    def size_bytes(self) -> int:
        """The space that the store takes on disk.

        Returns:
            Bytes of all entries, including damaged ones, and of stored scores.
        """
        return sum(map(folder_size, [*self._folders(), self.root / SCORES]))

    def clear(self) -> None:
        """Delete all entries and scores; empty lock files stay.

        Raises:
            UserError: Something could not be deleted; the rest is deleted nevertheless.
        """
        failure = None
        for folder in self._folders():
            try:
                remove(folder)
            except UserError as error:
                failure = failure or error
        try:
            shutil.rmtree(self.root / SCORES)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            failure = failure or UserError(f"{self.root / SCORES} cannot be deleted ({error.strerror}). Allow it.")
        if failure:
            raise failure

    def _folders(self) -> list[Path]:
        try:
            return sorted(path for path in self.root.iterdir() if _ENTRY_NAME.fullmatch(path.name) and path.is_dir())
        except OSError:
            return []


class Entry:
    """The activations of one dataset under one model. Readers take no lock; any number of processes may append.

    Args:
        root: The folder of the store.
        key: What determines the activations.
        title: The text for lists of entries; the stored title by default.

    Attributes:
        key: What determines the activations.
        path: The folder of the entry, named by the key's digest.
        title: The text for lists of entries.
    """

    def __init__(self, root: Path, key: StoreKey, title: str = "") -> None:
        self.key = key
        self.path = root / key.digest[:16]
        self._expected: int | None = None  # rows that this object last reported or appended
        manifest = self._manifest_for_reading()
        self.title = title or (manifest.title if manifest else "")

    @property
    def rows(self) -> int:
        """Number of complete rows on disk, contiguous from 0; 0 if the folder cannot be read."""
        self._expected = self._count()
        return self._expected

    @property
    def size_bytes(self) -> int:
        """Bytes on disk, including temporary files of killed processes."""
        return folder_size(self.path)

    def shards(self) -> Iterator[Activations]:
        """The stored activations shard by shard, memory-mapped: for entries that do not fit into memory.

        If another process joins the shards meanwhile, iteration continues in the joined one at the same row.
        """
        done = 0
        manifest, shards = self._look()
        while manifest:
            try:
                for shard in shards:
                    if shard.start + shard.rows > done:
                        part = opened(self.path, manifest, shard)
                        yield part.take(slice(done - shard.start, None)) if done > shard.start else part
                        done = shard.start + shard.rows
                return
            except (OSError, ValueError):  # removed or joined by another process since the manifest was read
                before = manifest
                manifest, shards = self._look()
                if manifest == before:
                    return

    def read(self, limit: int | None = None) -> Activations:
        """Read rows in their stored dtypes.

        Rows of the first shard are memory-mapped, not copied; ``compact`` joins all shards into one. Several shards are
        copied into memory, one open at a time, because each array takes a file descriptor.

        Args:
            limit: The number of rows from the start; None, or more than are stored, for all.

        Returns:
            The activations of ``min(limit, rows)`` images.

        Raises:
            KeyError: Nothing is stored.
            ValueError: ``limit`` is negative.
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
        """Write rows as one shard. After a return they are on disk; after an exception nothing stored is lost.

        Rows that another process has stored meanwhile are skipped, so that two processes may extract the same images.
        Every append checks all shards: append some thousand rows at a time.

        Args:
            activations: The rows.
            start: The index of the first row, at most the number of stored rows; by default the number of rows that
                this object last reported or appended, else the end of the entry.

        Raises:
            ValueError: Rows beyond a gap, or other widths than the stored ones.
            UserError: The disk is full or not writable, the entry shrank meanwhile, or a number is too large for the
                entry's dtype.
        """
        given = Manifest.of(self.key, self.title, activations)
        arrays = converted(given, activations)
        with writing(self.path):
            stored = self._manifest()
            shards = tuple(complete(self.path, stored))
            rows = sum(shard.rows for shard in shards)
            if start is None:
                start = rows if self._expected is None else self._expected
            if rows < start <= (self._expected or 0):
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
                finally:  # also after an error: frees the space of the incomplete shard
                    self._sweep()
            self._expected = start + len(activations)

    def compact(self) -> None:
        """Join the shards into one, which ``read`` maps instead of copying.

        Files are copied piece by piece, in little memory; meanwhile the entry takes twice its space on disk. Readers
        are not interrupted. If a shard does not match its checksums, nothing changes; see ``verify``.

        Raises:
            UserError: the disk is full or not writable.
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
        """Check all files against their checksums and truncate the entry before the first damaged shard.

        Returns:
            The number of rows left.

        Raises:
            UserError: the entry cannot be truncated.
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
        """Delete the entry. Raises UserError when a file cannot be deleted (on Windows: mapped files)."""
        remove(self.path)

    def _count(self) -> int:
        return sum(shard.rows for shard in self._look()[1])

    def _look(self) -> tuple[Manifest | None, list[Shard]]:
        """The manifest, and the shards before the first damaged one.

        Reads the manifest again if a shard is missing because another process has joined the shards meanwhile.
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
        """The manifest; None if it is missing or damaged. Raises OSError if it cannot be read.

        Writers need the distinction, because they delete shards that the manifest does not name.
        """
        manifest = read_manifest(self.path)
        return manifest if manifest and manifest.key == self.key else None

    def _manifest_for_reading(self) -> Manifest | None:
        with suppress(OSError):  # treated as missing; the next writer reports the error
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
            if manifest and shard in manifest.shards:  # else another process has truncated it meanwhile
                kept = manifest.shards[: manifest.shards.index(shard)]
                self._write_manifest(manifest, kept)
                sweep(self.path, kept)

    def _sweep(self) -> None:
        manifest = self._manifest()
        sweep(self.path, manifest.shards if manifest else ())


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in an entry's folder; None if it is missing or damaged. Raises OSError if it cannot be read."""
    try:
        return Manifest.from_json(patiently((folder / _MANIFEST).read_bytes))
    except (FileNotFoundError, NotADirectoryError):
        return None


def remove(folder: Path) -> None:
    """Delete an entry's folder. The manifest goes first: after a kill the rows are gone, files may be left."""
    if not os.path.isdir(folder):  # unlike Path.is_dir, raises no PermissionError
        return
    with writing(folder):
        (folder / _MANIFEST).unlink(missing_ok=True)
        failure = sweep(folder, ())
        if failure:
            raise failure
        with suppress(OSError):  # not empty: it contains files that the store did not write
            folder.rmdir()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the lock of an entry's folder; errors on disk become a UserError."""
    root = folder.parent
    elsewhere = f"or set the environment variable {VARIABLE} to another folder, and start again."
    try:
        root.mkdir(parents=True, exist_ok=True)
        # In the parent folder and never deleted: a lock on a deleted file would exclude nobody.
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
