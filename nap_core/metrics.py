"""Metrics of OOD detection. Higher scores mean more in-distribution; every metric is a share, 0 to 1."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

TPR = 0.95  # the operating point of FPR95

Metric = Literal["fpr95", "auroc"]
METRIC_TITLES: dict[Metric, str] = {"fpr95": "FPR95", "auroc": "AUROC"}
"""The two metrics by which methods are compared, as results tables name their columns."""


def _checked(scores: ArrayLike, what: str) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"{what} scores must be a non-empty vector, not of shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{what} scores hold values that are not finite")
    return values


def _counts(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> tuple[NDArray[np.int64], ...]:
    """How many positive and how many negative scores reach each threshold, from the highest threshold down."""
    thresholds = np.unique(np.concatenate([positive, negative]))[::-1]
    return tuple(len(one) - np.searchsorted(np.sort(one), thresholds) for one in (positive, negative))


def _average_precision(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """The precision at each threshold, weighted by the rise in recall: scikit-learn's ``average_precision_score``."""
    true, false = _counts(positive, negative)
    return float(np.sum(np.diff(true, prepend=0) / len(positive) * (true / (true + false))))


def threshold_at_tpr(id_scores: ArrayLike, tpr: float = TPR) -> float:
    """The highest score that at least a share ``tpr`` of the ID images reach.

    Args:
        id_scores: scores of the ID images, (N,).
        tpr: true-positive rate, above 0 and at most 1.

    Returns:
        The threshold: images that score at or above it are taken for ID.

    Raises:
        ValueError: the scores are empty or not finite, or ``tpr`` lies outside (0, 1].
    """
    scores = _checked(id_scores, "ID")
    if not 0 < tpr <= 1:
        raise ValueError(f"the TPR must be above 0 and at most 1, not {tpr}")
    # 0.95 × 20 may be rounded up or down; 1e-9 is subtracted so that both give 19.
    needed = math.ceil(tpr * len(scores) - 1e-9)
    return float(np.partition(scores, len(scores) - needed)[len(scores) - needed])


def share_reaching(scores: ArrayLike, threshold: float) -> float:
    """The share of images at or above a threshold: TPR for ID images, FPR for OOD images.

    Args:
        scores: scores of the images, (N,).
        threshold: the score that counts as reached.

    Returns:
        A share, 0 to 1.
    """
    return float(np.mean(np.asarray(scores, dtype=np.float64) >= threshold))


def fpr_at_tpr(id_scores: ArrayLike, ood_scores: ArrayLike, tpr: float = TPR) -> float:
    """FPR at a TPR; FPR95 when ``tpr`` is 0.95. ID images are the positive class, as in the NAP paper.

    An OOD image that ties with the threshold is accepted, as the ID image there is: constant scores give 1, not 0.

    Args:
        id_scores: scores of the ID images, (N,).
        ood_scores: scores of the OOD images, (M,).
        tpr: the share of ID images that reach the threshold.

    Returns:
        The share of OOD images that reach it, 0 to 1.

    Raises:
        ValueError: a vector is empty or holds values that are not finite.
    """
    return share_reaching(_checked(ood_scores, "OOD"), threshold_at_tpr(id_scores, tpr))


def fpr_ood_positive(id_scores: ArrayLike, ood_scores: ArrayLike, tpr: float = TPR) -> float:
    """What OpenOOD and pytorch-ood call FPR95: OOD images are the positive class.

    It is another number than ``fpr_at_tpr`` on the same scores, and both are printed under one name.

    Args:
        id_scores: scores of the ID images, (N,).
        ood_scores: scores of the OOD images, (M,).
        tpr: the share of OOD images that are rejected.

    Returns:
        The share of ID images that are rejected with them, 0 to 1: those that score at or below the lowest threshold
        at which so many OOD images are.

    Raises:
        ValueError: a vector is empty or holds values that are not finite.
    """
    ours, others = _checked(id_scores, "ID"), _checked(ood_scores, "OOD")
    return fpr_at_tpr(-others, -ours, tpr)


def auroc(id_scores: ArrayLike, ood_scores: ArrayLike) -> float:
    """The probability that an ID image scores above an OOD image, ties counted half.

    From the ranks (Mann and Whitney): the same number as the area under ``roc``, in half the time.

    Args:
        id_scores: scores of the ID images, (N,).
        ood_scores: scores of the OOD images, (M,).

    Returns:
        The area under the ROC curve, 0 to 1.

    Raises:
        ValueError: a vector is empty or holds values that are not finite.
    """
    ours, others = np.sort(_checked(id_scores, "ID")), np.sort(_checked(ood_scores, "OOD"))
    below, up_to = (np.searchsorted(others, ours, side).sum() for side in ("left", "right"))
    return float((below + up_to) / 2 / (len(ours) * len(others)))


def aupr_in(id_scores: ArrayLike, ood_scores: ArrayLike) -> float:
    """AUPR-IN: average precision with ID images as the positive class.

    Args:
        id_scores: scores of the ID images, (N,).
        ood_scores: scores of the OOD images, (M,).

    Returns:
        A share, 0 to 1.

    Raises:
        ValueError: a vector is empty or holds values that are not finite.
    """
    return _average_precision(_checked(id_scores, "ID"), _checked(ood_scores, "OOD"))


def aupr_out(id_scores: ArrayLike, ood_scores: ArrayLike) -> float:
    """AUPR-OUT: average precision with OOD images as the positive class.

    Args:
        id_scores: scores of the ID images, (N,).
        ood_scores: scores of the OOD images, (M,).

    Returns:
        A share, 0 to 1.

    Raises:
        ValueError: a vector is empty or holds values that are not finite.
    """
    return _average_precision(-_checked(ood_scores, "OOD"), -_checked(id_scores, "ID"))


def roc(id_scores: ArrayLike, ood_scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ROC curve with ID images as the positive class.

    Args:
        id_scores: scores of the ID images, (N,).
        ood_scores: scores of the OOD images, (M,).

    Returns:
        FPR and TPR at the corners of the curve, two vectors of one length that rise from 0 to 1.

    Raises:
        ValueError: a vector is empty or holds values that are not finite.
    """
    true, false = _counts(_checked(id_scores, "ID"), _checked(ood_scores, "OOD"))
    if len(true) > 2:
        corner = np.r_[True, (np.diff(true, 2) != 0) | (np.diff(false, 2) != 0), True]
        true, false = true[corner], false[corner]
    return np.r_[0, false] / false[-1], np.r_[0, true] / true[-1]


def percentile_among(id_scores: ArrayLike, score: float) -> float:
    """The share of ID images that score below an image, ties counted half.

    Args:
        id_scores: scores of the ID images, (N,).
        score: the score of the image.

    Returns:
        A share, 0 to 1.

    Raises:
        ValueError: a vector is empty or holds values that are not finite.
    """
    scores = _checked(id_scores, "ID")
    return float((np.mean(scores < score) + np.mean(scores <= score)) / 2)
