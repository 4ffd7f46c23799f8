#!/usr/bin/env python3
"""Measure every method on the papers' CIFAR-10 network and set the figures beside the published ones.

    python assets/build/build_fidelity.py --reference ../shared --cifar10 FOLDER [--write-only]

``--reference`` holds the network and the OOD images, ``--cifar10`` cifar10_test.npz. Writes
assets/published/measured.csv and docs/fidelity.md; ``--write-only`` makes the second from the first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from paper_network import ID, context, image_sets, network

from nap_core import methods
from nap_core.analysis import evaluation
from nap_core.methods.context import evaluation_data
from nap_core.paper import published_tables
from nap_core.storage.activation_store import Store

ROOT = Path(__file__).resolve().parents[2]
OWN_PASS_IMAGES = 1000
LAYER_TABLE = ("nac-ue:layers=1", "nac-ue:layers=2")  # beside "nac-ue" on all three, as the NAC slides' layer table


def measure(reference: Path, cifar10: Path) -> Iterator[pd.DataFrame]:
    """Results tables: first of stored activations on all images, then of each method with a pass of its own on the
    first 1,000 of each set, which takes minutes."""
    sets, used = image_sets(reference, cifar10), context(network(reference), Store())
    every = [*methods.RECORDS, *methods.COMBINATIONS]
    stored = [spec for spec in every if not methods.parse(spec).own_pass]
    counterparts = [part.spec for part in published_tables.COUNTERPARTS if part.spec not in stored]
    yield evaluation.evaluate(evaluation_data(ID, sets, used), [*stored, *dict.fromkeys(counterparts)])
    few = evaluation_data(ID, sets, used, limit=OWN_PASS_IMAGES)
    for spec in (*every, *LAYER_TABLE):
        if methods.parse(spec).own_pass and "mc-dropout" not in spec:  # the network has no dropout
            yield evaluation.evaluate(few, [spec])
            print(spec, "measured", flush=True)


def percent(share: float) -> str:
    return f"{100 * share:.2f}"


def document() -> str:
    """docs/fidelity.md from the two tables."""
    rows = published_tables.comparison()
    lines = [
        "# Published and measured",
        "",
        "What the NAP paper prints for its CIFAR-10 network (DenseNet-BC-100-12, the checkpoint of the DICE paper's",
        "repository) beside what this code measures on the same weights: FPR95 ↓ / AUROC ↑ in percent. Thresholds,",
        "means and neighbours are estimated from the 5,000 bundled CIFAR-10 training images; ID are the 10,000 test",
        "images. Nothing is tuned to these figures. `make fidelity` measures them again.",
        "",
    ]
    for ood, note in published_tables.OOD_NOTES.items():
        part = rows[rows["ood"] == ood]
        lines += [f"## {ood}", "", note, "", "| table | method | ours | published | measured | AUROC, difference |"]
        lines.append("|---|---|---|---|---|---|")
        for row in part.itertuples():
            w = "" if pd.isna(row.w) else f", w = {row.w:g}"
            mark = " *" if row.note else ""
            lines.append(
                f"| {row.table} | {row.published_as} | `{row.method}`{w} | {percent(row.published_fpr95)} / "
                f"{percent(row.published_auroc)} | {percent(row.fpr95)} / {percent(row.auroc)} | "
                f"{100 * row.difference:+.2f}{mark} |"
            )
        notes = [f"- **{row.published_as}** ({row.table}): {row.note}" for row in part.itertuples() if row.note]
        lines += ["", *(["\\* Why they part:", "", *notes, ""] if notes else [])]
    lines += [
        "## Methods without a published figure on this network",
        "",
        f"Methods with a pass of their own ran on the first {OWN_PASS_IMAGES:,} images of each dataset.",
        "",
        "| method | images | " + " | ".join(published_tables.OOD_NOTES) + " | ID accuracy |",
        "|---|---|" + "---|" * (len(published_tables.OOD_NOTES) + 1),
    ]
    for spec, part in published_tables.without_counterpart().groupby("method", sort=False):
        by_ood = part.set_index("ood")
        cells = [
            f"{percent(by_ood.loc[ood, 'fpr95'])} / {percent(by_ood.loc[ood, 'auroc'])}"
            for ood in published_tables.OOD_NOTES
        ]
        first = part.iloc[0]
        title = methods.title(str(spec))
        lines.append(f"| {title} | {first['n_id']:,} | {' | '.join(cells)} | {percent(first['id_accuracy'])} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--cifar10", type=Path)
    parser.add_argument("--write-only", action="store_true")
    arguments = parser.parse_args()
    if not arguments.write_only:
        if arguments.cifar10 is None:
            parser.error("--cifar10 names the folder with cifar10_test.npz")
        tables: list[pd.DataFrame] = []
        for table in measure(arguments.reference, arguments.cifar10):
            tables.append(table.drop(columns="seconds"))
            pd.concat(tables).to_csv(published_tables.FOLDER / "measured.csv", index=False, float_format="%.6f")
    (ROOT / "docs" / "fidelity.md").write_text(document())


if __name__ == "__main__":
    main()
