"""The catalogue of corruptions. ``spec.py`` defines the record types, this folder holds the records, as data."""

from __future__ import annotations

from nap_core.corruptions.catalogue import hendrycks
from nap_core.corruptions.spec import CorruptionRecord

RECORDS: dict[str, CorruptionRecord] = {record.name: record for record in hendrycks.ENTRIES}
