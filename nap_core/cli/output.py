"""Results on stdout and in files: valid JSON, CSV, and tables that a person reads."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nap_core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

STDOUT = "-"


def plain(value: Any) -> Any:
    """``value`` as JSON can hold it: NaN and infinities as None, NumPy's numbers as Python's, tuples as lists."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def to_json(value: Any, indent: int | None = 1) -> str:
    """JSON in ASCII, so that it is the same whatever the terminal's encoding."""
    return json.dumps(plain(value), indent=indent, allow_nan=False)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, each as an object of its columns."""
    return [plain(row) for row in table.to_dict("records")]


def check_writable(target: str | None) -> None:
    """Raise UserError for a file that cannot be written, before minutes of work end there."""
    if target is None or target == STDOUT:
        return
    path = Path(target).expanduser()
    if path.is_dir():
        raise UserError(f"“{target}” is a folder. Name a file.")
    if not path.parent.is_dir():
        raise UserError(f"There is no folder “{path.parent}” to write “{path.name}” into. Make it first.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"“{target}” may not be written. Check its permissions.")


def write(text: str, target: str) -> None:
    """Write to a file in UTF-8, or to stdout for "-". Raises UserError when the file cannot be written."""
    if target == STDOUT:
        sys.stdout.write(text)
        return
    try:
        Path(target).expanduser().write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"“{target}” cannot be written ({error.strerror}). Name another file.") from error


def warn(sentence: str | None) -> None:
    """Write ``sentence`` to stderr, where a reader of the results meets it first; nothing for None."""
    if sentence:
        print(f"Warning: {sentence}", file=sys.stderr, flush=True)


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of a table, the first column to the left and the others to the right where they are figures."""
    cells = [head, *rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(head))]
    figures = [all(row[index][:1].isdigit() or row[index] in ("", "–") for row in rows) for index in range(len(head))]
    lines = (
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, figures, strict=True)
        ).rstrip()
        for row in cells
    )
    return "\n".join(lines) + "\n"


def pair(fpr95: float, auroc: float, places: int = 1) -> str:
    """Two shares in percent: "10.0 / 97.5"."""
    return f"{100 * fpr95:.{places}f} / {100 * auroc:.{places}f}"


def catalogue(records: list[dict[str, Any]], as_json: bool, shown: tuple[str, ...], below: str = "") -> int:
    """All of ``records`` as JSON, or their columns ``shown`` as a table with a line ``below`` it."""
    if as_json:
        write(to_json(records) + "\n", STDOUT)
        return 0
    rows = [[_cell(record[name]) for name in shown] for record in records]
    write(columns([name.replace("_", " ") for name in shown], rows) + below, STDOUT)
    return 0


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, bool):
        return "yes" if value else "–"
    return "–" if value in (None, "") else str(value)
