"""Writes assets/labels/imagenet_wordnet.tsv: the WordNet id and the names of ImageNet's 1,000 classes, in their order.

    python assets/build/build_wordnet.py

timm ships both lists (``timm/data/_info``); the order is that of every ImageNet-1k network's logits.
"""

from __future__ import annotations

from pathlib import Path

import timm

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "assets" / "labels" / "imagenet_wordnet.tsv"


def main() -> None:
    """Write the table."""
    lists = Path(timm.__file__).parent / "data" / "_info"
    lines = (lists / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    names = dict(line.split("\t") for line in lines)
    ids = (lists / "imagenet_synsets.txt").read_text(encoding="utf-8").split()
    TARGET.write_text("".join(f"{one}\t{names[one]}\n" for one in ids), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
