"""The Neural Activation Prior: what this project exists for.

In a trained network a few neurons of a channel answer an in-distribution image far more strongly than an
out-of-distribution one. The score reads this off the map before global pooling, from its maximum and its mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nap_core.activations import Activations

EPSILON = 1.0  # the paper's value, section 5


def channel_terms(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """What each channel adds to S_NAP before the average: (max_j / (mean_j + ε))², (N, C)."""
    maximum, mean = activations.maximum.astype(np.float64), activations.mean.astype(np.float64)
    terms: NDArray[np.float64] = (maximum / (mean + epsilon)) ** 2
    return terms


def nap_score(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """S_NAP of each image, (N,), ≥ 0, higher means more in-distribution.

    "Out-of-Distribution Detection using Neural Activation Prior", equation 3: the mean over the C channels of
    (Max(A_j) / (Mean(A_j) + ε))².
    """
    score: NDArray[np.float64] = channel_terms(activations, epsilon).mean(axis=1)
    return score


def variance_score(activations: Activations) -> NDArray[np.float64]:
    """The mean over channels of the variance within a channel, (N,): "Variance" of the paper's Table 6."""
    score: NDArray[np.float64] = activations.variance.astype(np.float64).mean(axis=1)
    return score


def no_square_score(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """The mean over channels of max_j / (mean_j + ε), (N,): "No Square" of the paper's Table 6."""
    score: NDArray[np.float64] = np.sqrt(channel_terms(activations, epsilon)).mean(axis=1)
    return score


def minus_score(activations: Activations) -> NDArray[np.float64]:
    """The mean over channels of max_j − mean_j, (N,): "Minus" of the paper's Table 6."""
    difference = activations.maximum.astype(np.float64) - activations.mean.astype(np.float64)
    score: NDArray[np.float64] = difference.mean(axis=1)
    return score
