#!/usr/bin/env python3
"""Does decoding keep up, what do stored activations save, and does ImageNet fit? docs/benchmark.md.

    python assets/build/benchmark [--images 500] [--photographs 1000] [--parts decoding scale …] [--write]

Figures are ratios of times measured one after the other in this process where that is possible, so that they say
little about the machine. ``scale`` writes three gigabytes into a temporary folder and takes some ten minutes.
``--write`` puts the tables into docs/benchmark.md; parts that were not run keep what is there.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import decoding
import detectors
import precision
import scale
import slider
from repository import DOCS, parser, write_document
from timing import cores

from nap_core import models
from nap_core.extraction import available_devices, describe_device

DOCUMENT = DOCS / "benchmark.md"
PARTS = {  # title and the lines measured, from the arguments and a network
    "decoding": ("Decoding beside the network", lambda args, _: decoding.table(args.photographs)),
    "extraction": ("Extraction", lambda args, model: detectors.extraction(model, args.images)[0]),
    "methods": (
        "Methods on stored activations",
        lambda args, model: detectors.at_scale(detectors.extraction(model, args.images)[1]),
    ),
    "scale": ("ImageNet's size", lambda *_: scale.table()),
    "precision": ("Half precision", lambda args, _: precision.table(args.images)),
    "detectors": ("Beside pytorch-ood", lambda args, model: detectors.against_predict(model, args.images)),
    "slider": ("The w slider", lambda *_: slider.table()),
}


def kept(title: str) -> list[str]:
    """The section of the document as it is, for a part that was not run."""
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    found = re.search(rf"^## {re.escape(title)}\n\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip().split("\n") if found else ["Not measured yet."]


def main() -> None:
    reader = parser(__doc__)
    reader.add_argument("--images", type=int, default=500, help="of each of two datasets (default: 500)")
    reader.add_argument("--photographs", type=int, default=1000, help="JPEGs to decode (default: 1000)")
    reader.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure (default: all)")
    reader.add_argument("--write", action="store_true", help="write docs/benchmark.md")
    arguments = reader.parse_args()
    model = models.load("resnet20-cifar10")
    gpus = [describe_device(name) for name in available_devices() if name != "cpu"]
    where = f"on {cores()} CPU cores and {', '.join(gpus)}" if gpus else f"on {cores()} CPU cores, no GPU"
    text = ["# Benchmark", "", f"Measured by `make bench` {where}; ratios within one run.", ""]
    for part, (title, measure) in PARTS.items():
        lines = measure(arguments, model) if part in arguments.parts else kept(title)
        text += [f"## {title}", "", *lines, ""]
    document = "\n".join(text)
    print(document)
    if arguments.write:
        write_document("benchmark", document)


if __name__ == "__main__":
    main()
