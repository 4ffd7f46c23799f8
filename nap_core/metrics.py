"""How far apart two sets of scores are. Higher scores mean more in-distribution; every figure is a share, 0 to 1."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_curve

TPR = 0.95  # the operating point of FPR95

Metric = Literal["fpr95", "auroc"]
METRIC_TITLES: dict[Metric, str] = {"fpr95": "FPR95", "auroc": "AUROC"}
"""The two figures by which methods are compared, as results tables name their columns."""


def _checked(scores: ArrayLike, what: str) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"{what} scores must be a non-empty vector, not of shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{what} scores hold values that are not finite")
    return values


def _both(id_scores: ArrayLike, ood_scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    known, unknown = _checked(id_scores, "ID"), _checked(ood_scores, "OOD")
    return np.arange(len(known) + len(unknown)) < len(known), np.concatenate([known, unknown])


def threshold_at_tpr(id_scores: ArrayLike, tpr: float = TPR) -> float:
    """The highest score that at least a share ``tpr`` of the ID images reach.

    Raises ValueError for an empty or non-finite vector and for a ``tpr`` outside (0, 1].
    """
    known = _checked(id_scores, "ID")
    if not 0 < tpr <= 1:
        raise ValueError(f"the TPR must be above 0 and at most 1, not {tpr}")
    # 0.95 × 20 is 19.000000000000004 or 18.999999999999996 by mood of the rounding; neither may move the threshold.
    needed = math.ceil(tpr * len(known) - 1e-9)
    return float(np.partition(known, len(known) - needed)[len(known) - needed])


def share_reaching(scores: ArrayLike, threshold: float) -> float:
    """The share of ``scores`` at or above ``threshold``: TPR for ID images, FPR for OOD images."""
    return float(np.mean(np.asarray(scores, dtype=np.float64) >= threshold))


def fpr_at_tpr(id_scores: ArrayLike, ood_scores: ArrayLike, tpr: float = TPR) -> float:
    """FPR95 when ``tpr`` is 0.95: the share of OOD images that reach the threshold reached by 95 % of ID images.

    An OOD image that ties with the threshold is accepted, as the ID image there is: constant scores give 1, not 0.
    """
    return share_reaching(_checked(ood_scores, "OOD"), threshold_at_tpr(id_scores, tpr))


def auroc(id_scores: ArrayLike, ood_scores: ArrayLike) -> float:
    """The probability that an ID image scores above an OOD image, ties counted half.

    From the ranks (Mann and Whitney): the same number as the area under ``roc``, in half the time.
    """
    is_id, scores = _both(id_scores, ood_scores)
    known = int(is_id.sum())
    ranks = rankdata(scores)[:known].sum() - known * (known + 1) / 2
    return float(ranks / (known * (len(scores) - known)))


def aupr_in(id_scores: ArrayLike, ood_scores: ArrayLike) -> float:
    """Average precision with ID images as the positive class."""
    return float(average_precision_score(*_both(id_scores, ood_scores)))


def aupr_out(id_scores: ArrayLike, ood_scores: ArrayLike) -> float:
    """Average precision with OOD images as the positive class."""
    is_id, scores = _both(id_scores, ood_scores)
    return float(average_precision_score(~is_id, -scores))


def roc(id_scores: ArrayLike, ood_scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ROC curve as (FPR, TPR), both rising from 0 to 1, ID images positive."""
    fpr, tpr, _ = roc_curve(*_both(id_scores, ood_scores))
    return fpr, tpr


def percentile_among(id_scores: ArrayLike, score: float) -> float:
    """The share of ID images that score below ``score``, ties counted half: the place of an image among known ones."""
    known = _checked(id_scores, "ID")
    return float((np.mean(known < score) + np.mean(known <= score)) / 2)
