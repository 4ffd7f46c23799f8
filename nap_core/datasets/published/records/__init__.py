"""The datasets that can be fetched: where from, what of, and what is known of them before they are here.

Addresses, file names and MD5 sums are those that torchvision 0.29 and pytorch-ood 0.4 publish in their classes, unless
``source`` says otherwise; tests compare them. Sizes are what the servers have announced, and only shown.
"""

from __future__ import annotations

from nap_core.datasets.published.records import ood_archives, photographs, small
from nap_core.datasets.published.records.small import CIFAR10_CLASSES
from nap_core.datasets.published.spec import Entry

__all__ = ["CIFAR10_CLASSES", "ENTRIES"]

ENTRIES: dict[str, Entry] = {
    entry.record.name: entry for entry in (*small.ENTRIES, *photographs.ENTRIES, *ood_archives.ENTRIES)
}
