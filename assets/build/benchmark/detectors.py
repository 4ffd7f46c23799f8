"""What stored activations save: the same methods on the same images, ours beside pytorch-ood's predict(images)."""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from documents import table
from pytorch_ood.api import Detector
from timing import repeated, seconds
from torch import Tensor

from nap_core import datasets, methods, models
from nap_core.activations import Activations
from nap_core.analysis import evaluation
from nap_core.datasets import ImageDataset
from nap_core.extraction import BATCH, extract, inputs
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.methods.context import evaluation_data
from nap_core.methods.image_based import Site
from nap_core.methods.pytorch_ood_adapter import detector as adapted
from nap_core.methods.pytorch_ood_adapter import features
from nap_core.models import LoadedModel

ID_ROWS, OOD_ROWS, FIT_ROWS, CHANNELS, CLASSES = 10_000, 60_000, 5_000, 342, 10
WEIGHT = np.random.default_rng(0).normal(0, 1, (CLASSES, CHANNELS)).astype(np.float32)
KINDS = {name: pkgutil.resolve_name(record.implementation) for name, record in methods.RECORDS.items()}
ADAPTED = [
    name
    for name, kind in KINDS.items()
    if isinstance(kind, type) and issubclass(kind, Detector) and not methods.RECORDS[name].own_pass
]


def predict_seconds(name: str, context: ScoringContext, ready: list[Tensor]) -> float:
    """How long pytorch-ood's ``predict`` takes on batches of images, with the network in the detector.

    The detector is fitted like ours, which is not counted.
    """
    method, site = methods.parse(name), Site("the benchmark", context, {})
    detector = adapted(
        method.record,
        KINDS[name],
        context,
        method.parameters(context.trained_on),
        model=site.network,
        encoder=site.pooled,
        # Pooled maps, where ASH, ReAct, SCALE and VRA work.
        backbone=lambda x: site.pooled(x)[:, :, None, None],
    )
    fit = context.fit(method.title).activations
    labels, pooled = torch.tensor(fit.labels), features(fit)
    inputs_of = {"logits": torch.tensor(fit.logits), "features": pooled, "feature_maps": pooled[:, :, None, None]}
    for kind, values in inputs_of.items():
        if hasattr(detector, f"fit_{kind}"):
            getattr(detector, f"fit_{kind}")(values, labels)

    def work() -> None:
        with torch.no_grad():
            for x in ready:
                detector.predict(x)

    return seconds(work)


def batches(model: LoadedModel, dataset: ImageDataset, count: int) -> list[Tensor]:
    """The network's inputs for the first ``count`` images."""
    return [x for x, _ in inputs(model, dataset, 0, count, batch_size=BATCH["cpu"])]


def against_predict(model: LoadedModel, images: int) -> list[str]:
    """The table of ratios, method by method and in all."""
    context = ScoringContext(model, "CIFAR-10", datasets.load("cifar10-fit"))
    context.fit("the benchmark")
    sets, kept = {name: datasets.load(name) for name in ("cifar10", "textures")}, []
    ready = [x for one in sets.values() for x in batches(model, one, images)]
    once = seconds(lambda: kept.append(evaluation_data("cifar10", sets, context, limit=images)))
    (data,) = kept
    rows, ours_total, theirs_total = [], 0.0, 0.0
    for name in ADAPTED:
        evaluation.method_scores(data, name)  # fits, and fits only once

        def score(name: str = name) -> None:
            # Scores are kept for an image set that has been seen.
            id_set, ood_set = (ImageSet(part.activations) for part in data.parts.values())
            evaluation.method_scores(EvaluationData("cifar10", id_set, {"textures": ood_set}, context), name)

        ours = repeated(score)
        own = predict_seconds(name, context, ready)
        ours_total, theirs_total = ours_total + ours, theirs_total + own
        rows.append([methods.title(name), f"{own / ours:,.0f} ×"])
    ratio = theirs_total / (once + ours_total)
    rows.append(["all, our one pass over the images included", f"{ratio:.1f} ×"])
    return [
        f"{len(ADAPTED)} methods on {2 * images:,} images with {model.title}: one pass over the images and all methods "
        f"on what it stored take **1 / {ratio:.1f}** of the time of {len(ADAPTED)} × `detector.predict(images)`.",
        "",
        *table(["method", "`predict(images)` over ours on stored activations"], rows),
    ]


def made_up(rows: int, seed: int, peak: float = 12) -> Activations:
    """Activations as wide as the paper's network's, with maxima up to ``peak`` times the mean, the head of which are
    the logits."""
    draw = np.random.default_rng(seed)
    mean = draw.gamma(0.5, 0.4, (rows, CHANNELS)).astype(np.float32)
    maximum = mean * draw.uniform(1, peak, mean.shape).astype(np.float32)
    logits = (mean @ WEIGHT.T).astype(np.float32)
    return Activations(maximum, mean, maximum / 4, logits, np.arange(rows, dtype=np.int64) % CLASSES)


def at_scale(bare: float) -> list[str]:
    """Many methods on stored activations, as a multiple of what one bare forward pass over as many images takes."""
    head = replace(models.load("resnet20-cifar10"), head_weight=WEIGHT, head_bias=np.zeros(CLASSES, np.float32))
    context = ScoringContext(head, "CIFAR-10", fit_activations=made_up(FIT_ROWS, 1))
    ood_sets = {"OOD": ImageSet(made_up(OOD_ROWS, 3))}
    cases = EvaluationData("ID", ImageSet(made_up(ID_ROWS, 2)), ood_sets, context)
    stored = [name for name, record in methods.RECORDS.items() if not record.own_pass]
    took = seconds(lambda: evaluation.evaluate(cases, stored))
    combined = [name for name in methods.COMBINATIONS if not methods.parse(name).own_pass]
    more = seconds(lambda: evaluation.evaluate(cases, combined))
    rows = ID_ROWS + OOD_ROWS
    return [
        f"{len(stored)} methods on {ID_ROWS:,} ID and {OOD_ROWS:,} OOD images of stored activations ({CHANNELS} "
        f"channels, fitted on {FIT_ROWS:,}): **{took:.0f} s** here, scores and figures; NAP combined with each of "
        f"{len(combined)}: {more:.0f} s more. That is {took / (bare * rows):.2f} times one bare forward pass of "
        f"ResNet-20 over {rows:,} images on this machine.",
    ]


@cache
def extraction(model: LoadedModel, images: int) -> tuple[list[str], float]:
    """Extraction beside the bare forward pass; also the seconds an image that the bare pass takes."""
    dataset = datasets.load("cifar10-fit")
    rows = min(4 * images, len(dataset))
    ready = batches(model, dataset, rows)

    def forward() -> None:
        with torch.inference_mode():
            for x in ready:
                model.network(x)

    forward()  # the first pass allocates
    bare, whole = [], []
    for _ in range(3):
        bare.append(seconds(forward))
        whole.append(seconds(lambda: extract(model, dataset, limit=rows)))
    share = min(whole) / min(bare)
    return [
        f"Extraction (decoding, transform, forward pass, maximum, mean, variance, logits) takes **{share:.2f} ×** the "
        f"bare forward pass of {model.title} on ready tensors, {rows:,} images.",
    ], min(bare) / rows
