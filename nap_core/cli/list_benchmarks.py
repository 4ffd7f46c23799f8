"""``benchmarks``: the benchmarks of the papers."""

from __future__ import annotations

import argparse

from nap_core.cli import output
from nap_core.studies.benchmarks import RECORDS

SHOWN = ("name", "trained_on", "id_dataset", "fit_dataset", "images", "ood_datasets")


def run(args: argparse.Namespace) -> int:
    """The benchmarks of the papers."""
    records = [vars(record) for record in RECORDS.values()]
    return output.catalogue(records, args.json, SHOWN)
