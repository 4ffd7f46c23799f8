#!/usr/bin/env python3
"""Measure every method on the papers' CIFAR-10 network and set the figures beside the published ones.

    python assets/build/build_fidelity.py --reference ../shared --cifar10 FOLDER [--write-only]

``--reference`` holds the network and the OOD images, ``--cifar10`` cifar10_test.npz. Writes
assets/published/measured.csv and docs/fidelity.md; ``--write-only`` makes the second from the first.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pandas as pd
from documents import pairs, table
from paper_network import arguments, evaluation_sets
from repository import write_document

from nap_core import methods
from nap_core.analysis import evaluation
from nap_core.cli.output import pair
from nap_core.paper import published_tables

OWN_PASS_IMAGES = 1000
LAYER_TABLE = ("nac-ue:layers=1", "nac-ue:layers=2")  # beside "nac-ue" on all three, as the NAC slides' layer table


def measure(args: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """Results tables: first of stored activations on all images, then of each method with a pass of its own on the
    first 1,000 of each set, which takes minutes."""
    every = [*methods.RECORDS, *methods.COMBINATIONS]
    stored = [spec for spec in every if not methods.parse(spec).own_pass]
    counterparts = [part.spec for part in published_tables.COUNTERPARTS if part.spec not in stored]
    yield evaluation.evaluate(evaluation_sets(args), [*stored, *dict.fromkeys(counterparts)])
    few = evaluation_sets(args, OWN_PASS_IMAGES)
    for spec in (*every, *LAYER_TABLE):
        if methods.parse(spec).own_pass and "mc-dropout" not in spec:  # the network has no dropout
            yield evaluation.evaluate(few, [spec])
            print(spec, "measured", flush=True)


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
        lines += [f"## {ood}", "", note, ""]
        rows_of = []
        for row in part.itertuples():
            method = f"`{row.method}`{'' if pd.isna(row.w) else f', w = {row.w:g}'}"
            published, measured = pair(row.published_fpr95, row.published_auroc, 2), pair(row.fpr95, row.auroc, 2)
            difference = f"{100 * row.difference:+.2f}{' *' if row.note else ''}"
            rows_of.append([row.table, row.published_as, method, published, measured, difference])
        lines += table(["table", "method", "ours", "published", "measured", "AUROC, difference"], rows_of)
        notes = [f"- **{row.published_as}** ({row.table}): {row.note}" for row in part.itertuples() if row.note]
        lines += ["", *(["\\* Why they part:", "", *notes, ""] if notes else [])]
    rows_of = []
    for spec, part in published_tables.without_counterpart().groupby("method", sort=False):
        by_ood, first = part.set_index("ood").loc[list(published_tables.OOD_NOTES)], part.iloc[0]
        cells = pairs(by_ood["fpr95"], by_ood["auroc"], 2)
        accuracy = f"{100 * first['id_accuracy']:.2f}"
        rows_of.append([methods.title(str(spec)), f"{first['n_id']:,}", *cells, accuracy])
    lines += [
        "## Methods without a published figure on this network",
        "",
        f"Methods with a pass of their own ran on the first {OWN_PASS_IMAGES:,} images of each dataset.",
        "",
        *table(["method", "images", *published_tables.OOD_NOTES, "ID accuracy"], rows_of),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    args = arguments(__doc__, write_only=True)
    if not args.write_only:
        tables: list[pd.DataFrame] = []
        for measured in measure(args):
            tables.append(measured.drop(columns=["seconds", "fpr95_ood_positive", *evaluation.REMARKS]))
            pd.concat(tables).to_csv(published_tables.FOLDER / "measured.csv", index=False, float_format="%.6f")
    write_document("fidelity", document())


if __name__ == "__main__":
    main()
