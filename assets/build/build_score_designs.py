#!/usr/bin/env python3
"""Table 6 and the oracle of Figure 4a on the papers' CIFAR-10 network, beside what the paper prints.

    python assets/build/build_score_designs.py --reference ../shared --cifar10 FOLDER

``--reference`` holds the network and the OOD images, ``--cifar10`` cifar10_test.npz. Writes docs/score_designs.md. What
goes through the network is kept in the store: images of ``make fidelity`` are not read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from documents import pairs, render, table
from paper_network import FAR, NEAR, arguments, evaluation_sets
from repository import write_document

from nap_core import methods
from nap_core.analysis import score_variants, weight_search
from nap_core.analysis.oracle import Oracle, oracle
from nap_core.cli.output import pair
from nap_core.methods import EvaluationData, ImageSet
from nap_core.methods.combination import WEIGHTS
from nap_core.metrics import METRIC_TITLES
from nap_core.paper import published_values

SEEDS = (0, 1, 2)
COMBINED = [f"{design}+{score_variants.OTHER}" for design in score_variants.DESIGNS]


def found_weights(data: EvaluationData, pseudo: ImageSet) -> dict[str, float]:
    """The w of each design by the paper's search, which uses no OOD image."""
    weights = weight_search.search_all(data, pseudo, COMBINED)
    return {design: weights[spec] for design, spec in zip(score_variants.DESIGNS, COMBINED, strict=True)}


def best_weights(data: EvaluationData) -> dict[str, float]:
    """The w of each design with the lowest FPR95 on average over the far sets: looked up on these very images."""
    tables = {w: score_variants.design_table(data, weights=dict.fromkeys(score_variants.DESIGNS, w)) for w in WEIGHTS}
    far = {w: table[table["combined"] & table["ood"].isin(FAR)] for w, table in tables.items()}
    value = {w: table.groupby("design")["fpr95"].mean() for w, table in far.items()}
    return {design: min(WEIGHTS, key=lambda w, name=design: value[w][name]) for design in score_variants.DESIGNS}


def lines(results: pd.DataFrame, combined: bool, printed: Mapping[str, tuple[float, float]]) -> str:
    """A row the baseline and each design; the far average, each dataset, the paper's average."""
    w, paper = ["w"] if combined else [], ["Table 6, average of six"] if printed else []
    rows = []
    for design in ("", *score_variants.DESIGNS):
        part = results[(results["design"] == design) & (results["combined"] == (combined and bool(design)))]
        by_set, first = part.set_index("ood"), part.iloc[0]
        far, each = by_set.loc[list(FAR)][["fpr95", "auroc"]].mean(), by_set.loc[[*FAR, NEAR]]
        name = methods.title(first["method"]) if design else "Energy alone"
        weight = [f"{first['w']:g}" if design else ""] if combined else []
        published = [pair(*printed[design], 2)] if printed else []
        rows.append([name, *weight, pair(*far, 2), *pairs(each["fpr95"], each["auroc"], 2), *published])
    return "\n".join(table(["score", *w, "average of SVHN part and textures", *FAR, NEAR, *paper], rows))


def order(table: pd.DataFrame, metric: str) -> str:
    """The designs combined, the best on the average of the far sets first."""
    rows = table[table["combined"] & table["ood"].isin(FAR)].groupby("design")[metric].mean()
    return ", ".join(methods.title(str(name)) for name in rows.sort_values(ascending=metric == "fpr95").index)


def oracle_lines(data: EvaluationData) -> str:
    """A row a choice of OOD sets."""
    rows = []
    for names in (FAR, *((one,) for one in FAR), (NEAR,)):
        some = replace(data, ood={name: data.ood[name] for name in names})
        rows.append([" and ".join(names), *oracle_cells([oracle(some, seed=seed) for seed in SEEDS])])
    heads = ["held out", "Spearman", "among ID", "among OOD", "Pearson", "AUROC of the oracle", "AUROC of NAP"]
    return "\n".join(table(["OOD images", *heads], rows))


def oracle_cells(oracles: Sequence[Oracle]) -> list[str]:
    """Means over the seeds, of the correlation with its lowest and highest."""
    ends = sorted(one.correlation for one in oracles)
    return [
        f"{len(oracles[0].scores):,}",
        f"{np.mean(ends):.2f} ({ends[0]:.2f} to {ends[-1]:.2f})",
        *(f"{np.mean([one.within[side] for one in oracles]):.2f}" for side in (0, 1)),
        f"{np.mean([one.pearson for one in oracles]):.2f}",
        *(f"{100 * np.mean([getattr(one, name) for one in oracles]):.1f}" for name in ("auroc", "nap_auroc")),
    ]


def combined(data: EvaluationData, weights: Mapping[str, float]) -> dict[str, str]:
    """The designs combined with Energy at ``weights``: the table, and the order by each metric."""
    results = score_variants.design_table(data, weights=weights)
    printed = published_values.table_6("CIFAR-10")
    return {"table": lines(results, True, printed), **{metric: order(results, metric) for metric in METRIC_TITLES}}


def document(data: EvaluationData, pseudo: ImageSet) -> str:
    """docs/score_designs.md."""
    return render(
        "score_designs",
        sizes=[len(data.ood[name].activations) for name in (*FAR, NEAR)],
        published=combined(data, dict.fromkeys(score_variants.DESIGNS, 0.4)),
        searched=combined(data, found_weights(data, pseudo)),
        best=combined(data, best_weights(data)),
        alone=lines(score_variants.design_table(data), False, {}),
        seeds=SEEDS,
        oracle=oracle_lines(data),
    )


def main() -> None:
    data = evaluation_sets(arguments(__doc__))
    write_document("score_designs", document(data, weight_search.extracted(data)))


if __name__ == "__main__":
    main()
