"""Activations on disk: content-addressed, in shards, resumable after a kill at any moment.

A folder an entry, named by what determines its activations; in it a folder a shard, and one manifest:

    <root>/3f0c9a1e5b7d2468/manifest.json                   key, title, widths; start, rows and checksums of each shard
    <root>/3f0c9a1e5b7d2468/000000000-9c41d2e7/maximum.npy  beside mean, variance, logits, labels
    <root>/3f0c9a1e5b7d2468.lock                            held by the process that changes the entry

**Only what the manifest names exists.** A shard is written into a temporary folder, through to the disk, renamed, and
then named by a new manifest that replaces the old one in one step. A kill before that step leaves the old manifest and
a leftover, which the next writer sweeps away under the lock. A shard never changes and its name is never given again:
readers need no lock, and nothing is replaced that another process may have mapped, which Windows forbids. Once all
images are there, ``Entry.compact`` writes one shard in place of the many, in the same way: what reads them then maps
gigabytes instead of copying them, and who is in the middle of the old ones goes on in the new one.

**Half precision.** Under a key whose dtype is "float16", maximum, mean and features take two bytes a number. One beyond
its range (65,504) is refused with ``TooLarge``, never clipped: NAP is made of maxima, and a clipped one is another
score. ``nap_core.extraction.stored`` says when it is used.

**What is checked when.** Every look at an entry compares the size and the .npy header of each file with the manifest.
That finds missing, truncated and zeroed files at some 30 microseconds a file; the entry then ends before the damaged
shard, and what is missing is computed again. Flipped bits among the numbers are detected by ``Entry.verify`` alone:
hashing at every look would read gigabytes before the first picture of a large study is on the screen.
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
    """A folder of entries: activations, and scores that took a run of the network.

    Nothing is created on disk before something is appended, and nothing is deleted that the store has not written.

    Args:
        root: The folder. None for that of the environment variable NAP_STORE, else one in the user's cache.

    Attributes:
        root: The folder, absolute.
    """

    def __init__(self, root: Path | str | None = None) -> None:
        default = platformdirs.user_cache_path("nap-explorer", appauthor=False) / "store"
        self.root = Path(root or os.environ.get(VARIABLE) or default).expanduser().absolute()

    def entry(self, key: StoreKey, *, title: str = "") -> Entry:
        """The entry of a key, whether it is on disk or not.

        Args:
            key: What determines the activations.
            title: A name for people; the stored one when left empty.
        """
        return Entry(self.root, key, title)

    def entries(self) -> list[Entry]:
        """The entries on disk by title; one with a damaged manifest is unknown until it is written to again."""
        entries = []
        for folder in self._folders():
            with suppress(OSError):
                manifest = read_manifest(folder)
                if manifest and manifest.key.digest.startswith(folder.name):
                    entries.append(Entry(self.root, manifest.key, manifest.title))
        return sorted(entries, key=lambda entry: (entry.title, entry.path.name))

    def size_bytes(self) -> int:
        """Bytes on disk of all entries, the damaged ones included, and of scores."""
        return sum(map(folder_size, [*self._folders(), self.root / SCORES]))

    def clear(self) -> None:
        """Delete all entries and scores; empty lock files stay.

        Raises:
            UserError: The first of those that could not be deleted, after all others were.
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
