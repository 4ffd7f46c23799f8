"""Activations on disk: content-addressed, in shards, resumable after a kill at any moment.

One folder an entry, named by a digest of what determines its activations; it contains one folder a shard and a
manifest:

    <root>/3f0c9a1e5b7d2468/manifest.json                   key, title, widths; start, rows and checksums of each shard
    <root>/3f0c9a1e5b7d2468/000000000-9c41d2e7/maximum.npy  beside mean, variance, logits, labels
    <root>/3f0c9a1e5b7d2468.lock                            held by the process that changes the entry

**Only shards that the manifest names exist.** A shard is written into a temporary folder, flushed to disk, renamed, and
then named by a new manifest that replaces the old one in one step. A kill before that step leaves the old manifest and
an unused folder, which the next writer deletes under the lock. A shard never changes and its name is never reused.
Readers therefore need no lock, and no file is replaced that another process has mapped, which Windows forbids. Once all
images are stored, ``Entry.compact`` joins the shards into one in the same way: reading then maps gigabytes instead of
copying them. A reader in the middle of the old shards continues in the new one.

**Half precision.** With dtype "float16" in the key, maximum, mean and features take two bytes a number. A number beyond
the range of float16 (65,504) is refused with ``TooLarge``, never clipped: NAP is computed from maxima, and a clipped
one would change the score. ``nap_core.extraction.stored`` chooses the dtype.

**Checks.** Every access compares the size and the .npy header of each file with the manifest. That detects missing,
truncated and zeroed files at some 30 microseconds a file; the entry then ends before the damaged shard, and the missing
rows are computed again. Flipped bits in the numbers are detected by ``Entry.verify`` only: hashing at every access
would read gigabytes.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

import platformdirs

from nap_core.errors import UserError
from nap_core.storage.activation_store.disk import folder_size
from nap_core.storage.activation_store.entry import VARIABLE, Entry, read_manifest, remove
from nap_core.storage.activation_store.scores import FOLDER as SCORES
from nap_core.storage.activation_store.shards import Manifest, StoreKey, TooLarge

__all__ = ["Entry", "Manifest", "Store", "StoreKey", "TooLarge"]

_ENTRY_NAME = re.compile(r"[0-9a-f]{16}")


class Store:
    """A folder of stored activations.

    Nothing is created on disk before the first append, and only files that the store wrote are deleted.

    Args:
        root: the folder; by default the environment variable NAP_STORE, else a folder in the user's cache.
    """

    def __init__(self, root: Path | str | None = None) -> None:
        default = platformdirs.user_cache_path("nap-explorer", appauthor=False) / "store"
        self.root = Path(root or os.environ.get(VARIABLE) or default).expanduser().absolute()

    def entry(self, key: StoreKey, *, title: str = "") -> Entry:
        """The entry of a key, stored or not.

        Args:
            key: what determines the activations.
            title: text for lists of entries; the stored title by default.

        Returns:
            The entry; ``rows`` is 0 if nothing is stored.
        """
        return Entry(self.root, key, title)

    def entries(self) -> list[Entry]:
        """The entries on disk sorted by title, without those with a damaged manifest."""
        entries = []
        for folder in self._folders():
            with suppress(OSError):
                manifest = read_manifest(folder)
                if manifest and manifest.key.digest.startswith(folder.name):
                    entries.append(Entry(self.root, manifest.key, manifest.title))
        return sorted(entries, key=lambda entry: (entry.title, entry.path.name))

    def size_bytes(self) -> int:
        """Bytes on disk of all entries, including damaged ones, and of stored scores."""
        return sum(map(folder_size, [*self._folders(), self.root / SCORES]))

    def clear(self) -> None:
        """Delete all entries and scores; empty lock files stay.

        Raises:
            UserError: something could not be deleted; the rest is deleted nevertheless.
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
