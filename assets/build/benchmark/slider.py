"""How long a move of the w slider takes on 10,000 ID and 60,000 OOD images."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

from detectors import CHANNELS, made_up
from documents import table as markdown
from timing import seconds

from nap_core import methods
from nap_core.analysis import evaluation
from nap_core.figures import colours
from nap_core.figures.score_histograms import histograms
from nap_core.figures.w_sensitivity import (
    Sensitivity,
    combinations_picture,
    combinations_table,
    curve_picture,
    finding,
    sensitivity_table,
)
from nap_core.methods import EvaluationData, ImageSet, ScoringContext, combination
from nap_core.metrics import METRIC_TITLES

IMAGES = 10_000  # of each dataset
OOD = tuple(f"ood-{number}" for number in range(1, 7))
COMBINATIONS = 7  # as many as Table 11 has


def table() -> list[str]:
    """The lines of docs/benchmark.md."""
    id_set = ImageSet(made_up(IMAGES, 0))
    ood_sets = {name: ImageSet(made_up(IMAGES, seed, peak=12 - seed)) for seed, name in enumerate(OOD, start=1)}
    cases = EvaluationData("id", id_set, ood_sets, ScoringContext(trained_on="CIFAR-10"))
    ready = [spec for spec in methods.COMBINATIONS if not (methods.parse(spec).fits or methods.parse(spec).own_pass)]
    titles, palette = {name: name for name in ("id", *OOD)}, colours("id", OOD)
    curves = {}
    first = seconds(lambda: curves.update({ready[0]: evaluation.weight_curve(cases, ready[0])}))
    for spec in ready[1:COMBINATIONS]:
        curves[spec] = curves[ready[0]]
    many = [Sensitivity.of(spec, curve, "CIFAR-10", titles, palette) for spec, curve in curves.items()]

    def histogram(w: float) -> object:
        rows = [evaluation.method_scores(cases, ready[0], w=w)]
        return histograms(rows, "id", titles, palette, together=True).figure.to_json()

    def one(w: float) -> object:
        return [curve_picture(many[0], metric, w).figure.to_json() for metric in METRIC_TITLES]

    def all_of_them(w: float) -> object:
        return combinations_picture(many, "fpr95", w).figure.to_json()

    def words(w: float) -> object:
        return (
            finding(many[0]),
            sensitivity_table(many[0], w),
            combinations_table(many, w, [0.5] * len(many)),
        )

    steps: dict[str, Callable[[float], object]] = {
        "scores of 70,000 images, their histogram, FPR95 and AUROC": histogram,
        "both curves of the combination": one,
        f"the curves of {len(many)} combinations": all_of_them,
        "sentences and tables": words,
    }
    for work in steps.values():
        work(0.5)  # what is imported and kept at the first time
    taken = {name: [seconds(partial(work, w)) for w in combination.INNER_WEIGHTS] for name, work in steps.items()}
    whole = [sum(times) for times in zip(*taken.values(), strict=True)]
    rows = [[name, f"{1000 * statistics.median(times):.0f}"] for name, times in taken.items()]
    rows.append(["**all of it**", f"**{1000 * statistics.median(whole):.0f}**"])
    once = f"{first:.1f} s, as long as {first / statistics.median(whole):.0f} moves"
    return [
        f"10,000 ID and {len(OOD)} × 10,000 OOD images of {CHANNELS} channels, {len(many)} combinations; the median "
        f"of {len(whole)} moves, in milliseconds. The curve of a combination, {len(combination.WEIGHTS)} weights "
        f"against every dataset, is computed once: {once}.",
        "",
        *markdown(["a move of the w slider", "ms"], rows),
    ]
