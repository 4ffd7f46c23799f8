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
    """The ratio of equation 3, max_j / (mean_j + ε), of arrays, tensors or numbers, in the precision of its input."""
    return maximum / (mean + epsilon)


def channel_terms(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """Each channel's term of S_NAP before the average: (max_j / (mean_j + ε))², (N, C) in double precision.

    For few images: 50,000 of ImageNet with the channels of a ResNet-50 would take 800 megabytes.
    """
    terms = channel_ratio(activations.maximum.astype(np.float64), activations.mean.astype(np.float64), epsilon)
    terms *= terms
    return terms


def nap_score(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """S_NAP of each image, (N,), ≥ 0, higher means more in-distribution.

    "Out-of-Distribution Detection using Neural Activation Prior", equation 3: the mean over the C channels of
    (Max(A_j) / (Mean(A_j) + ε))².
    """
    return activations.by_rows(lambda block: channel_terms(block, epsilon).mean(axis=1))


def attention_score(activations: Activations, head: int = 0) -> NDArray[np.float64]:
    """NAP of a Transformer, (N,), between 0 and 1, higher means more in-distribution: max(A).

    "Out-of-Distribution Detection using Neural Activation Prior", Appendix K: A is the attention of the class token
    over the other tokens in the last block. Its mean is the same for every image (1/(l+1) with the class token's own),
    so that nothing is divided by it. The paper leaves the heads open: ``head`` 0 takes the mean of A over the heads
    before the maximum, another number that head alone, from 1 to their number.

    ``activations`` are those of a network that ``reads_attention``, whose channels are these. Raises IndexError for a
    head that there is not.
    """
    score: NDArray[np.float64] = activations.maximum[:, head].astype(np.float64)
    return score


def variance_score(activations: Activations) -> NDArray[np.float64]:
    """The mean over channels of the variance within a channel, (N,): "Variance" of the paper's Table 6."""
    return activations.by_rows(lambda block: block.variance.astype(np.float64).mean(axis=1))


def no_square_score(activations: Activations, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """The mean over channels of max_j / (mean_j + ε), (N,): "No Square" of the paper's Table 6."""
    return activations.by_rows(lambda block: np.sqrt(channel_terms(block, epsilon)).mean(axis=1))


def minus_score(activations: Activations) -> NDArray[np.float64]:
    """The mean over channels of max_j − mean_j, (N,): "Minus" of the paper's Table 6."""
    return activations.by_rows(lambda block: np.subtract(block.maximum, block.mean, dtype=np.float64).mean(axis=1))
