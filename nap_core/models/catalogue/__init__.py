"""The catalogue of models. ``spec.py`` defines the record types, this folder holds the records, as data."""

from __future__ import annotations

from nap_core.models.catalogue import bundled
from nap_core.models.spec import ModelRecord

RECORDS: dict[str, ModelRecord] = {record.name: record for record in bundled.ENTRIES}
