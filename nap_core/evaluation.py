"""Activations × methods → scores and the results table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nap_core import combination, methods, metrics
from nap_core.study import StudyActivations

COLUMNS = ["method", "w", "id", "ood", "n_id", "n_ood", "fpr95", "auroc", "aupr_in", "aupr_out", "id_accuracy"]


@dataclass(frozen=True)
class MethodScores:
    """One method's score of every image of a study: ``id`` (N,), ``ood`` (M,) by dataset. Higher is more ID."""

    method: str
    w: float | None
    id: NDArray[np.float64]
    ood: dict[str, NDArray[np.float64]]

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


def score_study(activations: StudyActivations, method: str, *, w: float | None = None) -> MethodScores:
    """The scores of a whole study under one method; ``w`` as in ``methods.score``."""
    knows = activations.study.knows
    used = methods.default_w(method, knows) if w is None else w
    return MethodScores(
        method,
        used,
        methods.score(method, activations.id, w=used, knows=knows),
        {name: methods.score(method, part, w=used, knows=knows) for name, part in activations.ood.items()},
    )


def accuracy(activations: StudyActivations) -> float:
    """Top-1 accuracy on the ID images with known labels, 0 to 1; NaN when none is known."""
    known = activations.id.labels >= 0
    if not known.any():
        return float("nan")
    return float(np.mean(activations.id.predictions[known] == activations.id.labels[known]))


def evaluate(
    activations: StudyActivations,
    names: Sequence[str] = methods.NAMES,
    weights: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """One row a (method, OOD dataset): the columns of ``COLUMNS``, shares between 0 and 1.

    ``weights`` gives a combination its w; the others use ``methods.default_w``.
    """
    top1 = accuracy(activations)
    rows = []
    for name in names:
        scores = score_study(activations, name, w=(weights or {}).get(name))
        for ood, values in scores.ood.items():
            rows.append(
                {
                    "method": name,
                    "w": scores.w,
                    "id": activations.study.id_dataset,
                    "ood": ood,
                    "n_id": len(scores.id),
                    "n_ood": len(values),
                    "fpr95": metrics.fpr_at_tpr(scores.id, values),
                    "auroc": metrics.auroc(scores.id, values),
                    "aupr_in": metrics.aupr_in(scores.id, values),
                    "aupr_out": metrics.aupr_out(scores.id, values),
                    "id_accuracy": top1,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def weight_curve(
    activations: StudyActivations, method: str, weights: Sequence[float] = combination.WEIGHTS
) -> combination.WeightCurve:
    """FPR95 and AUROC of a combination "nap+other" over w. Raises UserError when ``method`` is no combination."""
    nap, other = methods.combination_parts(method)
    return combination.weight_curve(
        other.positive_score(activations.id),
        nap.score(activations.id),
        {name: other.positive_score(part) for name, part in activations.ood.items()},
        {name: nap.score(part) for name, part in activations.ood.items()},
        weights,
    )
