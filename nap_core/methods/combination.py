"""S_other^w · S_NAP^(1−w), and what the weight does (NAP paper, sections 4.3 and 6.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nap_core.methods.spec import Parameter
from nap_core.metrics import auroc, fpr_at_tpr

WEIGHTS = tuple(round(step * 0.05, 2) for step in range(21))
INNER_WEIGHTS = WEIGHTS[1:-1]
"""Those of a combination proper: at 0 and 1 one of the two is left out."""
W = Parameter(
    "w", "weight of the other method in a combination", 0.5, "NAP paper, Table 11", 0.0, 1.0, search=INNER_WEIGHTS
)
"""The one parameter of a combination; its defaults are ``MethodRecord.weight``'s."""

ROBUST = (0.2, 0.8)
"""The paper finds "that the performance remains stable within the range [0.2, 0.8]" (NAP paper, section 4.2)."""


def combine(other: ArrayLike, nap: ArrayLike, w: float) -> NDArray[np.float64]:
    """S_combined = S_other^w · S_NAP^(1−w) (NAP paper, section 4.3).

    Args:
        other: positive scores (N,) of the other method; the result for w = 1.
        nap: scores (N,) of the prior, not negative; the result for w = 0.
        w: the weight of ``other``.

    Returns:
        Scores (N,) float64; higher means more in-distribution.

    Raises:
        ValueError: w lies outside [0, 1], or a score has no such power.
    """
    if not 0 <= w <= 1:
        raise ValueError(f"w must lie between 0 and 1, not {w}")
    left, right = np.asarray(other, dtype=np.float64), np.asarray(nap, dtype=np.float64)
    if not ((left > 0).all() and (right >= 0).all()):
        raise ValueError("the combination needs positive scores: see how the method's record makes them positive")
    combined: NDArray[np.float64] = left**w * right ** (1 - w)
    return combined


@dataclass(frozen=True)
class WeightCurve:
    """FPR95 and AUROC (shares) over ``w``: one row a dataset, in the order of ``datasets``; shapes (D, W)."""

    w: NDArray[np.float64]
    datasets: tuple[str, ...]
    fpr95: NDArray[np.float64]
    auroc: NDArray[np.float64]

    def average(self, metric: str) -> NDArray[np.float64]:
        """The mean of "fpr95" or "auroc" over the datasets, (W,)."""
        values: NDArray[np.float64] = getattr(self, metric).mean(axis=0)
        return values

    def robust(self, metric: str, dataset: str | None = None) -> NDArray[np.float64]:
        """The values at the weights within ``ROBUST``, of a dataset or, where None, of the average."""
        row = self.average(metric) if dataset is None else getattr(self, metric)[self.datasets.index(dataset)]
        inside: NDArray[np.float64] = row[(self.w >= ROBUST[0] - 1e-9) & (self.w <= ROBUST[1] + 1e-9)]
        return inside

    def best(self, metric: str) -> float:
        """The w of the lowest average FPR95 or the highest average AUROC; the w nearest 0.5 among equals."""
        values = self.average(metric) if metric == "auroc" else -self.average(metric)
        candidates = self.w[np.isclose(values, values.max(), rtol=0, atol=1e-12)]
        return float(candidates[np.argmin(np.abs(candidates - 0.5))])


def weight_curve(
    id_other: ArrayLike,
    id_nap: ArrayLike,
    ood_other: Mapping[str, ArrayLike],
    ood_nap: Mapping[str, ArrayLike],
    weights: Sequence[float] = WEIGHTS,
) -> WeightCurve:
    """The combination at every weight against every OOD dataset (Figures 4b and 4c of the paper).

    Args:
        id_other: positive scores (N,) of the ID images under the other method.
        id_nap: their scores (N,) under the prior.
        ood_other: positive scores (M,) of the OOD images under the other method, by dataset.
        ood_nap: their scores (M,) under the prior, by the same names.
        weights: the W weights.

    Returns:
        FPR95 and AUROC (D, W) over weights and datasets.

    Raises:
        ValueError: as ``combine`` does.
    """
    fpr95 = np.empty((len(ood_other), len(weights)))
    area = np.empty_like(fpr95)
    for column, w in enumerate(weights):
        id_scores = combine(id_other, id_nap, w)
        for row, name in enumerate(ood_other):
            ood_scores = combine(ood_other[name], ood_nap[name], w)
            fpr95[row, column] = fpr_at_tpr(id_scores, ood_scores)
            area[row, column] = auroc(id_scores, ood_scores)
    return WeightCurve(np.asarray(weights, dtype=np.float64), tuple(ood_other), fpr95, area)
