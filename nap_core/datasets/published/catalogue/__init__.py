"""The catalogue of published datasets. ``spec.py`` defines the record types, this folder holds the records, as data.

URLs, file names and MD5 sums are those of torchvision 0.29 and pytorch-ood 0.4, unless ``source`` says otherwise; tests
compare them. Sizes are those that the servers announced, and only displayed.
"""

from __future__ import annotations

from nap_core.datasets.published.catalogue import ood_archives, photographs, small
from nap_core.datasets.published.spec import PublishedRecord

RECORDS: dict[str, PublishedRecord] = {
    record.name: record for record in (*small.ENTRIES, *photographs.ENTRIES, *ood_archives.ENTRIES)
}
