"""What half precision of maximum and mean changes in the scores, on the bundled network and its images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from documents import table as markdown

from nap_core import datasets, methods, metrics, models
from nap_core.activations import Activations
from nap_core.analysis import evaluation
from nap_core.extraction import extract
from nap_core.methods import EvaluationData, ImageSet, ScoringContext

OOD = ("textures", "fashion-mnist")


def halved(activations: Activations) -> Activations:
    """As the store gives back what it keeps in half precision."""
    half = {name: activations.arrays[name].astype(np.float16) for name in ("maximum", "mean")}
    return replace(activations, **half)


def table(images: int) -> list[str]:
    """The largest change of a score and of AUROC, method by method."""
    model = models.load("resnet20-cifar10")
    activations = {name: extract(model, datasets.load(name), limit=images, device="cpu") for name in ("cifar10", *OOD)}
    fit = extract(model, datasets.load("cifar10-fit"), device="cpu")
    cases = []
    for kept in (lambda one: one, halved):
        context = ScoringContext(model, "CIFAR-10", fit_activations=kept(fit))
        parts = {name: ImageSet(kept(one)) for name, one in activations.items()}
        cases.append(EvaluationData("cifar10", parts.pop("cifar10"), parts, context))
    rows, worst = [], 0.0
    stored = [name for name, record in methods.RECORDS.items() if not record.own_pass]
    for name in [*stored, "nap+energy", "nap+ash-s", "nap+knn"]:
        single, half = (evaluation.method_scores(one, name) for one in cases)
        scale = float(np.std(single.id)) or 1.0
        pairs = [(single.id, half.id), *((single.ood[one], half.ood[one]) for one in OOD)]
        moved = max(float(np.abs(one - other).max()) for one, other in pairs) / scale
        relative = max(float((np.abs(one - other) / np.maximum(np.abs(one), 1e-12)).max()) for one, other in pairs)
        auroc = max(
            abs(metrics.auroc(single.id, single.ood[one]) - metrics.auroc(half.id, half.ood[one])) for one in OOD
        )
        worst = max(worst, auroc)
        rows.append([methods.title(name), f"{100 * relative:.3f} %", f"{100 * moved:.2f} %", f"{100 * auroc:.3f}"])
    heads = ["of the ID scores' standard deviation", "of AUROC, in points"]
    return [
        f"{model.title} on {images:,} images of CIFAR-10 and of {len(OOD)} OOD datasets, fitted on {len(fit):,}; "
        f"maximum and mean rounded to half precision as the store does it for large entries. No AUROC moves by more "
        f"than **{100 * worst:.3f}** points. Where rounding makes a tie at the rank at which ASH cuts activations off, "
        "a single image's score can change a good deal; and a change is a large share of a score that is near zero.",
        "",
        *markdown(["method", "largest relative change of a score", *heads], rows),
    ]
