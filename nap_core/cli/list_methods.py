"""``methods``: the methods of the catalogue and their parameters."""

from __future__ import annotations

import argparse
from typing import Any

from nap_core.cli import output
from nap_core.methods import RECORDS, MethodRecord


def run(args: argparse.Namespace) -> int:
    """The methods of the catalogue."""
    below = (
        "\nA name with settings is written ash-s:percentile=0.9, a combination nap+energy or nap-variance+knn:k=10; "
        "“combines” says which\nmethods can stand behind the plus. --json tells the parameters, their ranges and "
        "sources, the papers and formulas.\n"
    )
    shown = ("name", "title", "year", "needs", "settings", "combines")
    return output.catalogue([_method(record) for record in RECORDS.values()], args.json, shown, below)


def _method(record: MethodRecord) -> dict[str, Any]:
    names = ("name", "title", "family", "paper", "venue", "year", "url", "formula", "needs")
    about = ("name", "meaning", "default", "by_benchmark", "source", "low", "high", "choices", "search")
    settings = [{key: getattr(one, key) for key in about} for one in record.parameters]
    return {name: getattr(record, name) for name in names} | {
        "parameters": settings,
        "settings": [f"{one.name}={one.default}" for one in record.parameters],
        "combines": record.positive is not None,
        "positive": record.positive.note if record.positive else None,
        "published_w": dict(record.published_w),
        "default_w": record.default_w if record.positive else None,
        "prior": record.prior,
        "own_logits": record.own_logits,
        "own_pass": record.own_pass,
    }
