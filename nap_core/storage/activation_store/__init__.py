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
one would change the score. ``nap_core.extraction.plan`` chooses the dtype.

**Checks.** Every access compares the size and the .npy header of each file with the manifest. That detects missing,
truncated and zeroed files at some 30 microseconds a file; the entry then ends before the damaged shard, and the missing
rows are computed again. Flipped bits in the numbers are detected by ``Entry.verify`` only: hashing at every access
would read gigabytes.
"""

from nap_core.storage.activation_store.entry import Entry, Store
from nap_core.storage.activation_store.shards import Manifest, StoreKey, TooLarge

__all__ = ["Entry", "Manifest", "Store", "StoreKey", "TooLarge"]
