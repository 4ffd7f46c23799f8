"""``datasets``: the datasets of the catalogue: bundled, to be downloaded, the user's own."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, fields
from typing import Any

from nap_core.cli import output
from nap_core.datasets import RECORDS, DatasetRecord, find, missing_downloads, names, passed_over
from nap_core.errors import UserError
from nap_core.storage import byte_size


def run(args: argparse.Namespace) -> int:
    """The datasets of the catalogue: bundled, to be downloaded, the user's own."""
    records, below = [], ""
    for name in names():
        try:
            record = find(name)
            records.append(_dataset(record))
            if said := passed_over.sentence(record.passed_over):
                below += f"{name}: {said}\n"
        except UserError as error:  # one of the user's own is damaged: the others are listed
            print(f"Left out: {error}", file=sys.stderr)
    return output.catalogue(records, args.json, ("name", "role", "size", "where", "description"), below)


def _dataset(record: DatasetRecord) -> dict[str, Any]:
    missing = missing_downloads(record.name)
    where = "bundled" if record.name in RECORDS else "here"
    if missing:
        size = sum(one.size or 0 for one in missing)
        by_hand = any(one.by_hand for one in missing)
        where = "to be put there" if by_hand else f"{byte_size.in_words(size)} to download" if size else "to download"
    files = [
        {"url": one.url, "path": str(one.path), "size": one.size, "checksum": one.checksum, "here": one.present}
        for one in record.downloads
    ]
    # The record of a published dataset also has fields for its reader, which are no part of the list.
    stated = {field.name: getattr(record, field.name) for field in fields(DatasetRecord) if field.name != "opener"}
    stated["passed_over"] = [asdict(one) for one in record.passed_over]
    return stated | {"downloads": files, "where": where}
