"""The catalogue of bundled datasets. ``spec.py`` defines the record types, this folder holds the records, as data."""

from __future__ import annotations

from nap_core.datasets.catalogue import bundled
from nap_core.datasets.spec import DatasetRecord

RECORDS: dict[str, DatasetRecord] = {record.name: record for record in bundled.ENTRIES}
