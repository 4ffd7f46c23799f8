#!/usr/bin/env python3
"""Search w for every combination of Table 11 on the papers' CIFAR-10 network, and say what that costs on OOD images.

    python assets/build/build_weight_search.py --reference ../shared --cifar10 FOLDER [--write-only]

``--reference`` holds the network and the OOD images, ``--cifar10`` cifar10_test.npz. 2,000 test images, each made worse
in 15 ways, go through the network for each of three seeds: an hour on two cores. What is done is kept in the store.
Writes assets/published/searched.csv and docs/weight_search.md; ``--write-only`` makes the second from the first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from paper_network import ID, ground, image_sets, network

from nap_core import methods, published
from nap_core.evaluation import Cases
from nap_core.extraction import extract
from nap_core.methods import Part, SearchSet
from nap_core.pseudo_ood import fed_views
from nap_core.search_images import search_images
from nap_core.store import Store
from nap_core.weight_search import search_cases

ROOT = Path(__file__).resolve().parents[2]
RESULTS = published.FOLDER / "searched.csv"
SEEDS, IMAGES = (0, 1, 2), 2000
COMBINATIONS = tuple(f"nap+{record.name}" for record in methods.RECORDS.values() if record.published_w)


def measure(reference: Path, cifar10: Path) -> Iterator[dict[str, object]]:
    """A row a (seed, number of images, combination)."""
    store, model = Store(), network(reference)
    sets = image_sets(reference, cifar10)
    parts = {
        name: Part(extract(model, one, limit=None if name != ID else IMAGES, store=store), one)
        for name, one in sets.items()
    }
    known = parts.pop(ID)
    cases = Cases(ID, known, parts, ground(model, store))
    for seed in SEEDS:
        corrupted = search_images(model, sets[ID], IMAGES, seed)
        pseudo = extract(fed_views(model), corrupted, store=store)
        for images in (500, IMAGES):
            kinds = len(corrupted.corruptions)
            on = SearchSet(Part(known.activations.head(images)), Part(pseudo.head(images * kinds)))
            for spec in COMBINATIONS:
                found = search_cases(cases, on, spec)
                at = int(np.argmin(np.abs(found.true.w - found.found.w)))
                best = found.true.w[found.true.fpr95.argmin(axis=1)]
                yield {
                    "seed": seed,
                    "images": images,
                    "method": spec,
                    "w": found.found.w,
                    "oracle_w": found.oracle,
                    **{f"fpr95 {name}": found.true.fpr95[row, at] for row, name in enumerate(parts)},
                    **{f"lost {name}": found.lost(name) for name in parts},
                    **{f"best w {name}": best[row] for row, name in enumerate(parts)},
                }
        print(f"seed {seed} measured", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--cifar10", type=Path)
    parser.add_argument("--write-only", action="store_true")
    arguments = parser.parse_args()
    if not arguments.write_only:
        if arguments.cifar10 is None:
            parser.error("--cifar10 names the folder with cifar10_test.npz")
        rows = list(measure(arguments.reference, arguments.cifar10))
        pd.DataFrame(rows).to_csv(RESULTS, index=False, float_format="%.6f")


if __name__ == "__main__":
    main()
