#!/usr/bin/env python3
"""Does decoding keep up, what do stored activations save, and does ImageNet fit? docs/benchmark.md.

    python assets/build/benchmark [--images 500] [--photographs 1000] [--parts decoding scale …] [--write]

Figures are ratios of times measured one after the other in this process where that is possible, so that they say
little about the machine. ``scale`` writes three gigabytes into a temporary folder and takes some ten minutes.
``--write`` puts the tables into docs/benchmark.md; parts that were not run keep what is there.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
import decoding  # noqa: E402
import detectors  # noqa: E402
import precision  # noqa: E402
import scale  # noqa: E402
import slider  # noqa: E402
from timing import cores  # noqa: E402

from nap_core import models  # noqa: E402
from nap_core.extraction import available_devices, describe_device  # noqa: E402

DOCUMENT = ROOT / "docs" / "benchmark.md"
PARTS = {
    "decoding": "Decoding beside the network",
    "extraction": "Extraction",
    "methods": "Methods on stored activations",
    "scale": "ImageNet's size",
    "precision": "Half precision",
    "detectors": "Beside pytorch-ood",
    "slider": "The w slider",
}


def kept(title: str) -> list[str]:
    """The section of the document as it is, for a part that was not run."""
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    found = re.search(rf"^## {re.escape(title)}\n\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip().split("\n") if found else ["Not measured yet."]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500, help="of each of two datasets (default: 500)")
    parser.add_argument("--photographs", type=int, default=1000, help="JPEGs to decode (default: 1000)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure (default: all)")
    parser.add_argument("--write", action="store_true", help="write docs/benchmark.md")
    arguments = parser.parse_args()
    model = models.load("resnet20-cifar10")
    sections: dict[str, list[str]] = {}
    if "decoding" in arguments.parts:
        sections["decoding"] = decoding.table(arguments.photographs)
    if {"extraction", "methods"} & set(arguments.parts):
        lines, bare = detectors.extraction(model, arguments.images)
        if "extraction" in arguments.parts:
            sections["extraction"] = lines
        if "methods" in arguments.parts:
            sections["methods"] = detectors.at_scale(bare)
    if "scale" in arguments.parts:
        sections["scale"] = scale.table()
    if "precision" in arguments.parts:
        sections["precision"] = precision.table(arguments.images)
    if "detectors" in arguments.parts:
        sections["detectors"] = detectors.against_predict(model, arguments.images)
    if "slider" in arguments.parts:
        sections["slider"] = slider.table()
    gpus = [describe_device(name) for name in available_devices() if name != "cpu"]
    where = f"on {cores()} CPU cores and {', '.join(gpus)}" if gpus else f"on {cores()} CPU cores, no GPU"
    text = ["# Benchmark", "", f"Measured by `make bench` {where}; ratios within one run.", ""]
    for part, title in PARTS.items():
        text += [f"## {title}", "", *(sections[part] if part in sections else kept(title)), ""]
    document = "\n".join(text)
    print(document)
    if arguments.write:
        DOCUMENT.write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main()
