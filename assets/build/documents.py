"""Markdown of the documents: tables, and FPR95 and AUROC in percent."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import repository  # noqa: F401 - puts nap_core on the import path

from nap_core import methods


def row(cells: Iterable[object]) -> str:
    """A line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """The lines of a table."""
    return [row(head), "|---" * len(head) + "|", *map(row, rows)]


def titled(spec: str, w: float) -> str:
    """The title of a method, of a combination with its w."""
    return methods.title(spec) + (f" (w = {w:g})" if "+" in spec else "")


def pair(fpr95: float, auroc: float, places: int = 1) -> str:
    """Two shares in percent: "10.0 / 97.5"."""
    return f"{100 * fpr95:.{places}f} / {100 * auroc:.{places}f}"


def pairs(fpr95: Iterable[float], auroc: Iterable[float], places: int = 1) -> list[str]:
    """A cell a dataset."""
    return [pair(*both, places) for both in zip(fpr95, auroc, strict=True)]


def with_average(fpr95: Sequence[float], auroc: Sequence[float]) -> list[str]:
    """A cell a dataset, then their average."""
    return pairs([*fpr95, statistics.fmean(fpr95)], [*auroc, statistics.fmean(auroc)])
