"""Where the axes of the scatter end, and histograms along them: of equal area, so that datasets compare."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nap_core.activations import FloatArray
from nap_core.analysis.channels.max_mean_points import Points

BEYOND = 0.0005  # the share of a dataset's points that may lie beyond an axis: a few outliers would squeeze the rest


def ends(parts: Sequence[Points]) -> tuple[float, float]:
    """Where the axes of the mean and the maximum end when the figure opens; both start at 0.

    No dataset has more than the share ``BEYOND`` of its points beyond either.

    Args:
        parts: The points of each dataset.

    Returns:
        The end of the axis of the mean and that of the maximum; 1 where no point has a positive value.
    """

    def end(values: Sequence[FloatArray]) -> float:
        largest = max(
            (float(np.quantile(part, 1 - BEYOND, method="higher")) for part in values if len(part)), default=0.0
        )
        return 1.03 * largest if largest > 0 else 1.0

    return end([part.mean for part in parts]), end([part.maximum for part in parts])


def bins_to(values: Sequence[FloatArray], end: float, bins: int) -> NDArray[np.float64]:
    """Equal bins from 0 to the largest value, so wide that a given number of them covers the axis.

    Args:
        values: The values of each dataset, (P,) each.
        end: Where the axis ends, above 0.
        bins: The number of bins up to ``end``.

    Returns:
        The B + 1 edges; ``bins`` ≤ B ≤ 10 · ``bins``, so values beyond ten times ``end`` are in no bin.
    """
    largest = max((float(part.max()) for part in values if len(part)), default=0.0)
    wanted = min(max(bins, math.floor(largest * bins / end) + 1), 10 * bins)
    return np.linspace(0, end * wanted / bins, wanted + 1)


def density(values: FloatArray, edges: FloatArray) -> NDArray[np.float64]:
    """A histogram scaled to the area 1.

    Args:
        values: The values, (N,).
        edges: The edges of the bins, (B + 1,), ascending.

    Returns:
        The density in each bin, (B,); all 0 without values. Values outside the bins lessen the area.
    """
    counts = np.histogram(np.asarray(values, dtype=np.float64), bins=edges)[0]
    return counts / (max(len(values), 1) * np.diff(edges).astype(np.float64))
