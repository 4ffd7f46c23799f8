#!/usr/bin/env python3
"""Make the reference bank: EfficientNet-Lite0's activations of ImageNet photographs, in place of the photographs.

    python assets/build/build_bank.py --images FOLDER --labels labels.csv [--limit N]

``labels.csv`` has one row a photograph with the columns file, imagenet_index, author, landing_page, licence. Writes
assets/bank/imagenet-bank.npz and, as its provenance, imagenet-bank.csv beside it: who took each photograph, where it
is and under which licence. The rows of both are in the same order. Prints the top-1 accuracy on the photographs and
what storing the statistics in half precision costs.
"""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
from repository import parser

from nap_core import datasets, methods, models
from nap_core.activations import Activations
from nap_core.cli.progress import Meter
from nap_core.extraction import extract, precomputed
from nap_core.storage.progress import RunCallbacks

BANK, MODEL = "imagenet-bank", "efficientnet-lite0-imagenet"
COLUMNS = ("file", "author", "landing_page", "licence")


def read_labels(path: Path) -> dict[str, dict[str, str]]:
    """File name → row of the labels file."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def write_provenance(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def worst_relative_error(exact: Activations, stored: Activations, method: str) -> float:
    """The largest |stored − exact| / |exact| of a score over all images."""
    truth, rounded = methods.score(method, exact), methods.score(method, stored)
    return float(np.max(np.abs(rounded - truth) / np.abs(truth)))


def main() -> None:
    reader = parser(__doc__)
    reader.add_argument("--images", type=Path, required=True, help="folder of the photographs")
    reader.add_argument("--labels", type=Path, required=True, help="the CSV that describes them")
    reader.add_argument("--limit", type=int, default=1000, help="photographs in the bank (default: %(default)s)")
    args = reader.parse_args()

    described = read_labels(args.labels)
    folder = datasets.from_folder(args.images, title="ImageNet photographs")
    count = min(args.limit, len(folder))
    rows = [described[file] for file in folder.files[:count]]
    model = models.load(MODEL)
    with Meter() as meter:
        activations = extract(model, folder, limit=count, callbacks=RunCallbacks(meter))
    labels = np.array([int(row["imagenet_index"]) for row in rows], dtype=np.int64)
    activations = dataclasses.replace(activations, labels=labels)
    path = precomputed.save(BANK, model, activations)
    write_provenance(path.with_suffix(".csv"), rows)

    stored = precomputed.load(BANK, model)
    print(f"{path.name}: {count:,} photographs, {path.stat().st_size / 1e6:.2f} MB")
    print(f"top-1 accuracy {100 * np.mean(stored.predictions == labels):.1f} %")
    for method in methods.STANDARD:
        error = worst_relative_error(activations, stored, method)
        print(f"half precision: {methods.title(method)} off by at most {100 * error:.3f} %")


if __name__ == "__main__":
    main()
