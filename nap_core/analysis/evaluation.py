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

from nap_core import extraction, methods, metrics
from nap_core.analysis import below_chance
from nap_core.analysis.accuracy_check import accuracy_warning
from nap_core.datasets.images import ORDER_SEED
from nap_core.datasets.subset import whole
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, Weight, combination
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

RESULTS = ["method", "parameters", "w", "w_origin", "id", "ood", "n_id", "n_ood"]
FIGURES = ["fpr95", "fpr95_ood_positive", "auroc", "aupr_in", "aupr_out", "id_accuracy", "seconds"]
REMARKS = ["parameters_origin", "below_chance", "accuracy_warning"]
PROVENANCE = ["weights_sha256", "id_sha256", "ood_sha256", "fit_sha256", "store_key", "versions", "seed"]
COLUMNS = [*RESULTS, *FIGURES, *REMARKS, *PROVENANCE]


@dataclass(frozen=True)
class MethodScores:
    """One method's score of every image of a study; higher is more in-distribution.

    Attributes:
        method: The method's name.
        w: The weight of a combination; None for other methods.
        id: The scores of the ID images, (N,).
        ood: OOD dataset → the scores of its images, (M,).
        id_predictions: The classes under the method's own logits, (N,); None where it keeps the network's.
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
        """The highest score that a share of the ID images reach.

        Args:
            tpr: The share, above 0 and at most 1.

        Returns:
            The threshold: images that score at or above it are accepted as ID.

        Raises:
            ValueError: ``tpr`` lies outside (0, 1], or the ID scores are empty or not finite.
        """
        return metrics.threshold_at_tpr(self.id, tpr)

    @property
    def pooled(self) -> NDArray[np.float64]:
        """The scores of all OOD datasets together."""
        return np.concatenate(list(self.ood.values()))


def method_scores(
    data: EvaluationData, spec: str, *, w: float | None = None, callbacks: RunCallbacks = NO_CALLBACKS
) -> MethodScores:
    """The scores of all images under a method.

    Args:
        data: The images and what methods may use besides them.
        spec: The method, by name.
        w: The weight of a combination, 0 to 1; None takes its published weight.
        callbacks: Progress and cancellation of passes that the method still needs.

    Returns:
        The scores of the ID images, (N,), and of each OOD dataset, (M,).

    Raises:
        UserError: As ``methods.scored`` does.
    """
    method = methods.parse(spec)
    used = methods.default_w(spec, data.context) if w is None else w
    parts = {
        name: methods.scored(method, part, data.context, w=used, callbacks=callbacks)
        for name, part in data.parts.items()
    }
    id_scored = parts.pop(data.id_name)
    return MethodScores(
        spec, used, id_scored.scores, {name: one.scores for name, one in parts.items()}, id_scored.predictions
    )


def metrics_of(scores: MethodScores) -> pd.DataFrame:
    """FPR95 and AUROC of one method on every OOD dataset.

    Args:
        scores: The scores of the method.

    Returns:
        One row an OOD dataset: the columns "ood", "fpr95" and "auroc", shares.

    Raises:
        ValueError: The scores of a dataset are empty or not finite.
    """
    rows = [
        (name, metrics.fpr_at_tpr(scores.id, values), metrics.auroc(scores.id, values))
        for name, values in scores.ood.items()
    ]
    return pd.DataFrame(rows, columns=["ood", *metrics.METRIC_TITLES])


def id_accuracy(data: EvaluationData, predictions: NDArray[np.int64] | None = None) -> float:
    """Top-1 accuracy on the ID images that have a label.

    Args:
        data: The images of a study.
        predictions: Predicted classes of the ID images, (N,); None takes the network's own.

    Returns:
        A share; NaN where no ID image has a label.
    """
    activations = data.id.activations
    labelled = activations.labels >= 0
    right = (activations.predictions if predictions is None else predictions) == activations.labels
    return float(np.mean(right[labelled])) if labelled.any() else float("nan")


def evaluate(
    data: EvaluationData,
    specs: Sequence[str] = methods.STANDARD,
    weights: Mapping[str, float | Weight] | None = None,
    *,
    callbacks: RunCallbacks = NO_CALLBACKS,
    failed: Callable[[str, UserError], None] | None = None,
) -> pd.DataFrame:
    """The results table of methods.

    Args:
        data: the images and what methods may use besides them.
        specs: the methods, by name.
        weights: the w of combinations, by name; the others take their published w.
        callbacks: progress and cancellation of passes that methods still need.
        failed: takes the name and the error of a method that cannot run; the table goes on with the next one.

    Returns:
        One row a (method, OOD dataset): the columns of ``COLUMNS``, shares between 0 and 1. ``seconds`` is what scoring
        all images under the method took, fitting included, and near zero for what had been scored before; that of a
        combination includes its parts. ``parameters_origin`` says which defaults were published for another
        network, ``below_chance`` that a method separates worse than chance, ``accuracy_warning`` that the ID accuracy
        is suspicious; each is empty where there is nothing to say.

    Raises:
        UserError: as ``methods.scored`` does, and for scores that are not finite; not with ``failed``.
    """
    rows, suspicious = [], accuracy_warning(data) or ""
    spent: dict[str, float] = {}
    for spec in specs:
        method = methods.parse(spec)
        weight = methods.weight(method, data.context, (weights or {}).get(spec))
        started = time.perf_counter()
        try:
            scores = method_scores(data, spec, w=weight.w if weight else None, callbacks=callbacks)
            _check_finite(scores)
        except UserError as error:
            if failed is None:
                raise
            failed(spec, error)
            continue
        spent[spec] = time.perf_counter() - started
        if method.prior:
            spent[spec] += spent.get(method.prior.spec, 0.0) + spent.get(method.alone.spec, 0.0)
        parameters = methods.used_parameters(method, data.context, data.id.activations)
        of_method = {
            "method": spec,
            "parameters": " ".join(f"{name}={value}" for name, value in parameters.items()),
            "w": scores.w,
            "w_origin": weight.origin if weight else "",
            "id": data.id_name,
            "n_id": len(scores.id),
            "id_accuracy": id_accuracy(data, scores.id_predictions),
            "seconds": spent[spec],
            "parameters_origin": "; ".join(
                methods.foreign_defaults(method, data.context, data.id.activations).values()
            ),
            "accuracy_warning": suspicious,
        }
        areas = {name: metrics.auroc(scores.id, values) for name, values in scores.ood.items()}
        of_method["below_chance"] = below_chance.sentence(data, spec, areas)
        for name, values in scores.ood.items():
            figures = {
                "fpr95": metrics.fpr_at_tpr(scores.id, values),
                "fpr95_ood_positive": metrics.fpr_ood_positive(scores.id, values),
                "auroc": areas[name],
                "aupr_in": metrics.aupr_in(scores.id, values),
                "aupr_out": metrics.aupr_out(scores.id, values),
            }
            rows.append({**of_method, "ood": name, "n_ood": len(values), **figures, **_provenance(data, method, name)})
    return pd.DataFrame(rows, columns=COLUMNS)


def _check_finite(scores: MethodScores) -> None:
    if not all(np.isfinite(values).all() for values in (scores.id, *scores.ood.values())):
        raise UserError(
            f"{scores.title} gives scores that are not finite here. Change its parameters or the fit split."
        )


def _provenance(data: EvaluationData, method: methods.Method, ood: str) -> dict[str, object]:
    """What a number stands on: empty strings where there was nothing to hash."""
    model, fit, images = data.context.model, data.context.fit_images, data.ood[ood].images
    half = data.ood[ood].activations.maximum.dtype == np.float16
    return {
        "weights_sha256": model.weights_sha256 if model else "",
        "id_sha256": data.id.images.fingerprint if data.id.images else "",
        "ood_sha256": images.fingerprint if images else "",
        "fit_sha256": fit.fingerprint if fit and method.fits else "",
        "store_key": extraction.store_key(model, whole(images), dtype="float16" if half else "float32").digest
        if model and images
        else "",
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
    data: EvaluationData, spec: str, weights: Sequence[float] = combination.WEIGHTS
) -> combination.WeightCurve:
    """FPR95 and AUROC of a combination over w.

    Args:
        data: The images and what methods may use besides them.
        spec: The combination, by name.
        weights: The W weights, ascending, 0 to 1.

    Returns:
        Both metrics, (D, W) each for D OOD datasets, shares.

    Raises:
        UserError: ``spec`` is no combination.
    """
    pairs = {name: parts_of_combination(data, part, spec) for name, part in data.parts.items()}
    id_other, id_prior = pairs.pop(data.id_name)
    return combination.weight_curve(
        id_other,
        id_prior,
        {name: pair[0] for name, pair in pairs.items()},
        {name: pair[1] for name, pair in pairs.items()},
        weights,
    )


def parts_of_combination(
    data: EvaluationData, part: ImageSet, spec: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two scores that a combination multiplies.

    Args:
        data: The images and what methods may use besides them.
        part: The images to score, N of them.
        spec: The combination, by name.

    Returns:
        The scores of the other method in its positive form, (N,), and those of the prior, not below 0, (N,).

    Raises:
        UserError: ``spec`` is no combination, or the context lacks what a part of it needs.
    """
    prior, other = methods.combination_parts(spec)
    prior_scores = methods.scored(prior, part, data.context).scores
    return methods.positive(other, part, data.context), np.maximum(prior_scores, 0)
