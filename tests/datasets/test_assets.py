"""What lies in assets: where it comes from and how much it is."""

import csv
from fnmatch import fnmatch
from pathlib import Path

from nap_core.datasets import PHOTOS, RECORDS

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def test_every_file_in_assets_has_a_row_of_provenance_and_every_row_a_file() -> None:
    with (ASSETS / "PROVENANCE.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    everything = (path for path in ASSETS.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    files = [path.relative_to(ASSETS).as_posix() for path in everything]
    assert [file for file in files if not any(fnmatch(file, row) for row in rows)] == []
    assert [row for row in rows if not any(fnmatch(file, row) for file in files)] == []
    assert [row for row, cells in rows.items() if not all(cells.values())] == []
    for name in (path.stem for path in (ASSETS / "datasets").glob("*.webp")):
        assert rows[f"datasets/{name}.webp"]["licence"] == RECORDS[name].licence
    for photo in PHOTOS:
        assert rows[f"photos/{photo.file}"]["licence"] == photo.licence


def test_assets_stay_small() -> None:
    sizes = {path: path.stat().st_size for path in ASSETS.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 25_000_000
    assert sum(size for path, size in sizes.items() if path.parent.name == "datasets") < 15_000_000
