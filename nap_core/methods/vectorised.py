"""Detectors of pytorch-ood in arithmetic that a thousand classes and two thousand channels allow.

The fits and the formulas are the library's. Where it goes through the classes one by one, or holds images × classes ×
channels at once, a matrix product gives the same numbers: for 90,000 images of an ImageNet network in half a minute
instead of days, and in megabytes.
"""

from __future__ import annotations

import torch
from pytorch_ood.detector import DICE, RMD, Mahalanobis, fDBD
from torch import Tensor


class MatrixDICE(DICE):  # type: ignore[misc]
    """DICE whose masked head is one linear layer."""

    @torch.no_grad()
    def predict_features(self, x: Tensor) -> Tensor:
        logits = torch.nn.functional.linear(x, self.masked_w.to(x.device), self.bias.to(x.device))
        return self.detector(logits)


class MatrixFDBD(fDBD):  # type: ignore[misc]
    """fDBD whose distances between the weights of any two classes are taken pair by pair, not all differences first."""

    def _precompute_denom_matrix(self) -> None:
        weight = self.head.weight.data.double()
        distances = torch.cdist(weight, weight, compute_mode="donot_use_mm_for_euclid_dist")
        self._denom_matrix = distances.fill_diagonal_(1.0).float()  # no division by zero


class MatrixMahalanobis(Mahalanobis):  # type: ignore[misc]
    """Mahalanobis whose distances from all class means are one quadratic form, in double precision."""

    def _calc_gaussian_scores(self, z: Tensor) -> Tensor:
        return (-0.5 * squared_distances(z, self.mu, self.precision)).float()


class MatrixRMD(RMD):  # type: ignore[misc]
    """Relative Mahalanobis in the same way."""

    def _calc_gaussian_scores(self, z: Tensor) -> Tensor:
        return squared_distances(z, self.mu, self.precision).float()


def squared_distances(z: Tensor, means: Tensor, precision: Tensor) -> Tensor:
    """(z − μ)ᵀ P (z − μ) of features z (B, D) and every row of ``means`` (K, D): (B, K), double precision.

    Written out as zᵀPz − 2 zᵀPμ + μᵀPμ, which cancels far less once the middle of the means is taken off both.
    """
    middle = means.double().mean(dim=0)
    points, centres = z.double() - middle, means.double() - middle
    symmetric = precision.double()
    symmetric = (symmetric + symmetric.T) / 2  # the same form: a float inverse is not quite symmetric
    along = points @ symmetric
    own = (along * points).sum(dim=1, keepdim=True)
    return own - 2 * along @ centres.T + ((centres @ symmetric) * centres).sum(dim=1)
