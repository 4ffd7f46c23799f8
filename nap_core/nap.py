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
    """What each channel adds to S_NAP before the average: (max_j / (mean_j + ε))², (N, C) in double precision.

    For few images: of ImageNet's 50,000 and a ResNet-50's channels it would take 800 megabytes.
    """
    terms, mean = activations.maximum.astype(np.float64), activations.mean.astype(np.float64)
    mean += epsilon
    terms /= mean
    terms *= terms
    return terms


def nap_score(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """S_NAP of each image, (N,), ≥ 0, higher means more in-distribution.

    "Out-of-Distribution Detection using Neural Activation Prior", equation 3: the mean over the C channels of
    (Max(A_j) / (Mean(A_j) + ε))².
    """
    return activations.by_rows(lambda block: channel_terms(block, epsilon).mean(axis=1))


def variance_score(activations: Activations) -> NDArray[np.float64]:
    """The mean over channels of the variance within a channel, (N,): "Variance" of the paper's Table 6."""
    return activations.by_rows(lambda block: block.variance.astype(np.float64).mean(axis=1))


def no_square_score(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """The mean over channels of max_j / (mean_j + ε), (N,): "No Square" of the paper's Table 6."""
    return activations.by_rows(lambda block: np.sqrt(channel_terms(block, epsilon)).mean(axis=1))


def minus_score(activations: Activations) -> NDArray[np.float64]:
    """The mean over channels of max_j − mean_j, (N,): "Minus" of the paper's Table 6."""
    return activations.by_rows(lambda block: np.subtract(block.maximum, block.mean, dtype=np.float64).mean(axis=1))
