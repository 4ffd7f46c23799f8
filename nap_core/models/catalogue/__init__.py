"""The catalogue of models. ``spec.py`` defines the record types, this folder holds the records, as data."""

from __future__ import annotations

from nap_core.datasets.catalogue.bundled import CIFAR10_CLASSES
from nap_core.models.catalogue import bundled
from nap_core.models.spec import ModelRecord

__all__ = ["CIFAR10_CLASSES", "RECORDS"]

RECORDS: dict[str, ModelRecord] = {record.name: record for record in bundled.ENTRIES}
