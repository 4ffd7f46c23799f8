"""Markdown of the documents: tables, and FPR95 and AUROC in percent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import repository  # noqa: F401 - puts nap_core on the import path

from nap_core.cli.output import pair


def row(cells: Iterable[object]) -> str:
    """A line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """The lines of a table."""
    return [row(head), "|---" * len(head) + "|", *map(row, rows)]


def pairs(fpr95: Iterable[float], auroc: Iterable[float], places: int = 1) -> list[str]:
    """A cell a dataset."""
    return [pair(*both, places) for both in zip(fpr95, auroc, strict=True)]
