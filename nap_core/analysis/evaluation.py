"""Activations × methods → scores and the results table, every number of which can be traced and made again."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nap_core import methods, metrics
from nap_core.datasets.images import ORDER_SEED
from nap_core.errors import UserError
from nap_core.extraction import store_key
from nap_core.methods import ImageSet, ScoringContext, combination
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks
from nap_core.studies.study import StudyActivations

RESULTS = ["method", "parameters", "w", "id", "ood", "n_id", "n_ood"]
FIGURES = ["fpr95", "auroc", "aupr_in", "aupr_out", "id_accuracy", "seconds"]
PROVENANCE = ["weights_sha256", "id_sha256", "ood_sha256", "fit_sha256", "store_key", "versions", "seed"]
COLUMNS = [*RESULTS, *FIGURES, *PROVENANCE]


@dataclass(frozen=True, eq=False)
class EvaluationData:
    """What methods are evaluated on: ID images, OOD images by name in their order, and what the methods stand on."""

    id_name: str
    id: ImageSet
    ood: Mapping[str, ImageSet]
    context: ScoringContext

    @classmethod
    def of(cls, found: StudyActivations) -> EvaluationData:
        """The images of a study."""
        parts = dict(found.parts)
        name = found.study.id_dataset
        return cls(name, parts.pop(name), parts, found.context)


@dataclass(frozen=True)
class MethodScores:
    """One method's score of every image of a study: ``id`` (N,), ``ood`` (M,) by dataset. Higher is more ID.

    ``id_predictions`` (N,) are the classes under the method's own logits, None where it leaves the network's.
    """

    method: str
    w: float | None
    id: NDArray[np.float64]
    ood: dict[str, NDArray[np.float64]]
    id_predictions: NDArray[np.int64] | None = None

    @property
    def title(self) -> str:
        return methods.title(self.method)

    def threshold(self, tpr: float = metrics.TPR) -> float:
        """The score that a share ``tpr`` of the ID images reach."""
        return metrics.threshold_at_tpr(self.id, tpr)

    @property
    def pooled(self) -> NDArray[np.float64]:
        """The scores of all OOD datasets together."""
        return np.concatenate(list(self.ood.values()))


def score_cases(
    data: EvaluationData, spec: str, *, w: float | None = None, callbacks: RunCallbacks = NO_CALLBACKS
) -> MethodScores:
    """The scores of all images under the method ``spec``; raises as ``methods.scored`` does."""
    method = methods.parse(spec)
    used = methods.default_w(spec, data.context) if w is None else w
    known = methods.scored(method, data.id, data.context, w=used, callbacks=callbacks)
    met = {
        name: methods.scored(method, part, data.context, w=used, callbacks=callbacks).scores
        for name, part in data.ood.items()
    }
    return MethodScores(spec, used, known.scores, met, known.predictions)


def score_study(
    found: StudyActivations, spec: str, *, w: float | None = None, callbacks: RunCallbacks = NO_CALLBACKS
) -> MethodScores:
    """The scores of a whole study under one method; raises as ``methods.scored`` does."""
    return score_cases(EvaluationData.of(found), spec, w=w, callbacks=callbacks)


def accuracy(found: StudyActivations) -> float:
    """Top-1 accuracy of the network on the ID images with known labels, 0 to 1; NaN when none is known."""
    return _accuracy(found.id.predictions, found.id.labels)


def _accuracy(predictions: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    known = labels >= 0
    return float(np.mean(predictions[known] == labels[known])) if known.any() else float("nan")


def evaluate(
    found: StudyActivations,
    specs: Sequence[str] = methods.STANDARD,
    weights: Mapping[str, float] | None = None,
    *,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> pd.DataFrame:
    """The results table of a study; see ``evaluate_cases``."""
    return evaluate_cases(EvaluationData.of(found), specs, weights, callbacks=callbacks)


def evaluate_cases(
    data: EvaluationData,
    specs: Sequence[str] = methods.STANDARD,
    weights: Mapping[str, float] | None = None,
    *,
    callbacks: RunCallbacks = NO_CALLBACKS,
    failed: Callable[[str, UserError], None] | None = None,
) -> pd.DataFrame:
    """One row a (method, OOD dataset): the columns of ``COLUMNS``, shares between 0 and 1.

    ``weights`` gives a combination its w; the others use their defaults. ``seconds`` is what scoring all images under
    the method took, fitting included, and near zero for what had been scored before; a combination is charged with
    its parts. Raises as ``methods.scored`` does, and UserError for scores that are not finite; with ``failed``, a
    UserError is given to it together with the method's name, and the table goes on with the next method.
    """
    rows = []
    spent: dict[str, float] = {}
    for spec in specs:
        method = methods.parse(spec)
        started = time.perf_counter()
        try:
            scores = score_cases(data, spec, w=(weights or {}).get(spec), callbacks=callbacks)
            _check_finite(scores)
        except UserError as error:
            if failed is None:
                raise
            failed(spec, error)
            continue
        spent[spec] = time.perf_counter() - started
        if method.prior:
            spent[spec] += spent.get(method.prior.spec, 0.0) + spent.get(method.alone.spec, 0.0)
        labels = data.id.activations.labels
        own = data.id.activations.predictions if scores.id_predictions is None else scores.id_predictions
        known = {
            "method": spec,
            "parameters": " ".join(
                f"{name}={value}" for name, value in method.parameters(data.context.trained_on).items()
            ),
            "w": scores.w,
            "id": data.id_name,
            "n_id": len(scores.id),
            "id_accuracy": _accuracy(own, labels),
            "seconds": spent[spec],
        }
        for name, values in scores.ood.items():
            figures = {
                "fpr95": metrics.fpr_at_tpr(scores.id, values),
                "auroc": metrics.auroc(scores.id, values),
                "aupr_in": metrics.aupr_in(scores.id, values),
                "aupr_out": metrics.aupr_out(scores.id, values),
            }
            rows.append({**known, "ood": name, "n_ood": len(values), **figures, **_provenance(data, method, name)})
    return pd.DataFrame(rows, columns=COLUMNS)


def _check_finite(scores: MethodScores) -> None:
    if not all(np.isfinite(values).all() for values in (scores.id, *scores.ood.values())):
        raise UserError(
            f"{scores.title} gives scores that are not finite here. Change its parameters or the fit split."
        )


def _provenance(data: EvaluationData, method: methods.Method, ood: str) -> dict[str, object]:
    """What a number stands on: empty strings where there was nothing to hash."""
    model, fit, met = data.context.model, data.context.fit_images, data.ood[ood].images
    half = data.ood[ood].activations.maximum.dtype == np.float16
    return {
        "weights_sha256": model.weights_sha256 if model else "",
        "id_sha256": data.id.images.fingerprint if data.id.images else "",
        "ood_sha256": met.fingerprint if met else "",
        "fit_sha256": fit.fingerprint if fit and method.fits else "",
        "store_key": store_key(model, met, dtype="float16" if half else "float32").digest if model and met else "",
        "versions": versions(),
        "seed": ORDER_SEED,
    }


@cache
def versions() -> str:
    """The versions of what computes the numbers, as "python 3.11.2, torch 2.14.1, …"."""
    packages = ("torch", "torchvision", "numpy", "scikit-learn", "scipy", "pytorch-ood")
    return ", ".join(
        [f"python {platform.python_version()}", *(f"{name} {metadata.version(name)}" for name in packages)]
    )


def weight_curve(
    found: StudyActivations, spec: str, weights: Sequence[float] = combination.WEIGHTS
) -> combination.WeightCurve:
    """FPR95 and AUROC of a combination over w on a study. Raises UserError when ``spec`` is no combination."""
    return weight_curve_cases(EvaluationData.of(found), spec, weights)


def weight_curve_cases(
    data: EvaluationData, spec: str, weights: Sequence[float] = combination.WEIGHTS
) -> combination.WeightCurve:
    """FPR95 and AUROC of a combination over w. Raises UserError when ``spec`` is no combination."""
    prior, other = methods.combination_parts(spec)

    def scores(image_set: ImageSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return methods.positive(other, image_set, data.context), methods.scored(prior, image_set, data.context).scores

    id_other, id_prior = scores(data.id)
    met = {name: scores(part) for name, part in data.ood.items()}
    return combination.weight_curve(
        id_other,
        id_prior,
        {name: pair[0] for name, pair in met.items()},
        {name: pair[1] for name, pair in met.items()},
        weights,
    )
