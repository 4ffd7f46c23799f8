"""The Neural Activation Prior (NAP): equation 3 of "Out-of-Distribution Detection using Neural Activation Prior".

In a trained network a few neurons of a channel respond far more strongly to an in-distribution image than to an
out-of-distribution one. The score measures this on the penultimate feature map, from each channel's maximum and mean.

- Input: ``nap_core.extraction.forward_pass`` reduces the feature map of each image, which
  ``nap_core.models.feature_hook`` reads in the network, to the ``Activations`` of ``nap_core.activations``.
- In the catalogue: ``nap_core.methods.catalogue.priors`` offers the score as "nap", and "nap+energy" combines it.
- Scored: ``nap_core.analysis.evaluation`` gives the scores of a study's ID and OOD images.
- Drawn: ``nap_core.figures.score_histograms`` draws the histograms, ``nap_core.figures.activation_maps`` the feature
  maps with each channel's ratio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from nap_core.activations import Activations

EPSILON = 1.0  # the paper's value, section 5
MEAN = 0
"""The channel of attention that holds the mean over the heads; channel j is the j-th head."""

Values = TypeVar("Values", NDArray[Any], "Tensor", float)


def channel_ratio(maximum: Values, mean: Values, epsilon: float = EPSILON) -> Values:
    """The ratio of equation 3, max_j / (mean_j + ε).

    Args:
        maximum: maxima of feature maps; an array, a tensor or a number.
        mean: means of the same maps.
        epsilon: ε; the paper's value is 1 (section 5).

    Returns:
        The ratios, in the shape and the precision of the input.
    """
    return maximum / (mean + epsilon)


def channel_terms(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """The term of each channel in S_NAP before the average: (max_j / (mean_j + ε))².

    For few images: 50,000 of ImageNet with the channels of a ResNet-50 would take 800 megabytes.

    Args:
        activations: those of N images on C channels.
        epsilon: see ``channel_ratio``.

    Returns:
        The terms, (N, C) float64.
    """
    terms = channel_ratio(activations.maximum.astype(np.float64), activations.mean.astype(np.float64), epsilon)
    terms *= terms
    return terms


def nap_score(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """S_NAP: the mean over the C channels of (Max(A_j) / (Mean(A_j) + ε))².

    Source: "Out-of-Distribution Detection using Neural Activation Prior", equation 3.

    Args:
        activations: those of N images on C channels.
        epsilon: see ``channel_ratio``.

    Returns:
        Scores (N,) float64, ≥ 0; higher means more in-distribution.
    """
    return activations.by_rows(lambda block: channel_terms(block, epsilon).mean(axis=1))


def attention_score(activations: Activations, head: int = 0) -> NDArray[np.float64]:
    """NAP of a Transformer: max(A), the maximum of the class token's attention over the other tokens in the last block.

    Its mean is the same for every image (1/(l+1) with the class token's own), so that nothing is divided by it. The
    paper leaves the heads open.

    Source: "Out-of-Distribution Detection using Neural Activation Prior", Appendix K.

    Args:
        activations: those of N images under a network that ``reads_attention``, whose channels are the heads.
        head: ``MEAN`` for the mean of A over the heads before the maximum, else one head, from 1 to their number.

    Returns:
        Scores (N,) float64, 0 to 1; higher means more in-distribution.

    Raises:
        IndexError: there is no such head.
    """
    score: NDArray[np.float64] = activations.maximum[:, head].astype(np.float64)
    return score


def variance_score(activations: Activations) -> NDArray[np.float64]:
    """ "Variance" of the paper's Table 6: the mean over channels of the variance within a channel.

    Args:
        activations: those of N images on C channels.

    Returns:
        Scores (N,) float64; higher means more in-distribution.
    """
    return activations.by_rows(lambda block: block.variance.astype(np.float64).mean(axis=1))


def no_square_score(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """ "No Square" of the paper's Table 6: the mean over channels of max_j / (mean_j + ε).

    Args:
        activations: those of N images on C channels.
        epsilon: see ``channel_ratio``.

    Returns:
        Scores (N,) float64; higher means more in-distribution.
    """
    return activations.by_rows(lambda block: np.sqrt(channel_terms(block, epsilon)).mean(axis=1))


def minus_score(activations: Activations) -> NDArray[np.float64]:
    """ "Minus" of the paper's Table 6: the mean over channels of max_j − mean_j.

    Args:
        activations: those of N images on C channels.

    Returns:
        Scores (N,) float64; higher means more in-distribution.
    """
    return activations.by_rows(lambda block: np.subtract(block.maximum, block.mean, dtype=np.float64).mean(axis=1))
