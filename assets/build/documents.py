"""Markdown of the documents: tables, and FPR95 and AUROC in percent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import repository  # noqa: F401 - puts nap_core on the import path
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nap_core.cli.output import pair
from nap_core.storage import byte_size

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters["in_words"] = byte_size.in_words


def render(name: str, **fields: object) -> str:
    """The document that the template NAME.md gives with ``fields``."""
    return _TEMPLATES.get_template(f"{name}.md").render(fields)


def row(cells: Iterable[object]) -> str:
    """A line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """The lines of a table."""
    return [row(head), "|---" * len(head) + "|", *map(row, rows)]


def pairs(fpr95: Iterable[float], auroc: Iterable[float], places: int = 1) -> list[str]:
    """A cell a dataset."""
    return [pair(*both, places) for both in zip(fpr95, auroc, strict=True)]
