"""Where the build scripts read and write: the repository, on the import path, its documents and its provenance.

A script imports this module, or one that does, before ``nap_core``.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASSETS, DOCS, REFERENCE = ROOT / "assets", ROOT / "docs", ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the script's docstring."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def write_document(name: str, text: str) -> None:
    """Write docs/NAME.md."""
    (DOCS / f"{name}.md").write_text(text, encoding="utf-8")


def check(name: str, content: bytes, sha256: Mapping[str, str]) -> None:
    """End the script where ``content`` has not the checksum of ``name``."""
    if hashlib.sha256(content).hexdigest() != sha256[name]:
        sys.exit(f"{name}: not the content this script was written for")


def write_provenance(script: str, made: Iterable[tuple[str, ...]]) -> None:
    """Replace the rows of ``script`` in assets/PROVENANCE.csv by ``made``: file, content, source, licence."""
    path, by = ASSETS / "PROVENANCE.csv", f"assets/build/{script}.py"
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    kept = [tuple(row) for row in rows if row[-1] != by]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *sorted([*kept, *((*row, by) for row in made)])])
