"""Bootstrap confidence intervals of FPR95 and AUROC: how far a figure would move with other images of the same kind.

ID and OOD images are both resampled with replacement (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
chapter 13: percentile intervals). No resample is ever written out: a resample is how often each image is drawn, and
both metrics follow from these counts in the order of the scores, which are sorted once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nap_core import metrics
from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.evaluation import MethodScores

RESAMPLES, LEVEL, SEED = 1000, 0.95, 0
SECONDS_AN_IMAGE = 2e-5  # of 1,000 resamples, on two cores
BLOCK = 32  # resamples at a time: 10,000 + 60,000 images then take 18 MB in each of a handful of arrays
KEPT_SIZE = 4096  # the draws of smaller sets are kept: every method uses the same ones
COLUMNS = ["method", "ood", "fpr95_low", "fpr95_high", "auroc_low", "auroc_high"]


@dataclass(frozen=True)
class Resampled:
    """The metrics of every resample.

    Attributes:
        fpr95: FPR95, (R,), shares.
        auroc: AUROC, (R,), shares.
    """

    fpr95: NDArray[np.float64]
    auroc: NDArray[np.float64]


def interval(values: NDArray[np.float64], level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval that holds the middle share ``level`` of the resamples' values."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def draws(size: int, rows: int, seed: int, stream: int, block: int = 0) -> NDArray[np.int32]:
    """How often each of ``size`` images is drawn in each of ``rows`` resamples: (rows, size), rows sum to ``size``.

    The same arguments give the same draws, whatever the scores are: all methods are judged on the same resamples.
    """
    return (
        _kept_draws(size, rows, seed, stream, block) if size <= KEPT_SIZE else _draws(size, rows, seed, stream, block)
    )


def _draws(size: int, rows: int, seed: int, stream: int, block: int) -> NDArray[np.int32]:
    picked = np.random.default_rng([seed, stream, block]).integers(0, size, (rows, size))
    picked += np.arange(rows)[:, None] * size
    return np.bincount(picked.ravel(), minlength=rows * size).reshape(rows, size).astype(np.int32)


_kept_draws = lru_cache(maxsize=256)(_draws)


def resample(
    id_scores: ArrayLike,
    ood_scores: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    stream: int = 1,
) -> Resampled:
    """FPR95 and AUROC on resamples of the ID and OOD images.

    It takes O(resamples · (N + M)) time and, block by block, memory for ``BLOCK`` resamples.

    Args:
        id_scores: Scores of the ID images, (N,).
        ood_scores: Scores of the OOD images, (M,).
        resamples: The number of resamples, R.
        seed: The seed of the draws.
        stream: The number of the OOD dataset, from 1: two of the same size have draws of their own, while the ID images
            are drawn alike for all.

    Returns:
        Both metrics of each resample, (R,).

    Raises:
        ValueError: The scores are empty or not finite.
    """
    id_values, ood_values = np.asarray(id_scores, dtype=np.float64), np.asarray(ood_scores, dtype=np.float64)
    metrics.auroc(id_values, ood_values)  # raises for what cannot be measured
    id_order, ood_order = np.argsort(id_values, kind="stable"), np.argsort(ood_values, kind="stable")
    id_values, ood_values = id_values[id_order], ood_values[ood_order]
    # For each ID image in ascending order: how many OOD images lie below it, and how many at or below.
    below, reached = (np.searchsorted(ood_values, id_values, side=side) for side in ("left", "right"))
    needed = math.ceil(metrics.TPR * len(id_values) - 1e-9)  # as metrics.threshold_at_tpr counts
    fpr95, auroc = np.empty(resamples), np.empty(resamples)
    for block, start in enumerate(range(0, resamples, BLOCK)):
        rows = slice(start, min(start + BLOCK, resamples))
        size = rows.stop - rows.start
        id_drawn = draws(len(id_values), size, seed, 0, block)[:, id_order]
        ood_drawn = draws(len(ood_values), size, seed, stream, block)[:, ood_order]
        # Column k: how many of the drawn OOD images are among the k lowest.
        up_to = np.zeros((size, len(ood_values) + 1), dtype=np.int64)
        np.cumsum(ood_drawn, axis=1, out=up_to[:, 1:])
        wins = up_to[:, below] + up_to[:, reached]  # twice the OOD images beaten, ties counted half
        auroc[rows] = np.einsum("rn,rn->r", id_drawn, wins, dtype=np.float64) / (2.0 * len(id_values) * len(ood_values))
        # The threshold is the highest ID score that is reached by enough of the drawn images.
        reaching = np.cumsum(id_drawn[:, ::-1], axis=1)[:, ::-1]
        last = np.count_nonzero(reaching >= needed, axis=1) - 1
        fpr95[rows] = (len(ood_values) - up_to[np.arange(size), below[last]]) / len(ood_values)
    return Resampled(fpr95, auroc)


def expected_seconds(scores: Sequence[MethodScores]) -> float:
    """A rough estimate of the time that ``intervals`` takes.

    Args:
        scores: The scores of every method.

    Returns:
        Seconds for all methods, with 1,000 resamples on two cores.
    """
    return SECONDS_AN_IMAGE * sum(len(one.id) * len(one.ood) + len(one.pooled) for one in scores)


def intervals(
    scores: MethodScores, *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = SEED
) -> pd.DataFrame:
    """Bootstrap intervals of a method on every OOD dataset and, of several, of the average.

    In the average the datasets are resampled independently of one another, the ID images once for all of them, as they
    are one set of images.

    Args:
        scores: The scores of the method.
        resamples: The number of resamples.
        level: The share of the resamples that an interval holds, 0 to 1.
        seed: The seed of the draws, the same for all methods.

    Returns:
        One row an OOD dataset: the columns of ``COLUMNS``, bounds as shares.

    Raises:
        ValueError: The scores are empty or not finite.
    """
    resampled = {
        name: resample(scores.id, values, resamples=resamples, seed=seed, stream=stream)
        for stream, (name, values) in enumerate(scores.ood.items(), start=1)
    }
    if len(resampled) > 1:
        several = list(resampled.values())
        resampled[AVERAGE] = Resampled(
            np.mean([one.fpr95 for one in several], axis=0), np.mean([one.auroc for one in several], axis=0)
        )
    rows = [
        (scores.method, name, *interval(one.fpr95, level), *interval(one.auroc, level))
        for name, one in resampled.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
