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

    No dataset has more than the share ``BEYOND`` of its points beyond either. 1 where there is nothing to show.
    """

    def end(values: Sequence[FloatArray]) -> float:
        largest = max(
            (float(np.quantile(part, 1 - BEYOND, method="higher")) for part in values if len(part)), default=0.0
        )
        return 1.03 * largest if largest > 0 else 1.0

    return end([part.mean for part in parts]), end([part.maximum for part in parts])


def bins_to(values: Sequence[FloatArray], end: float, bins: int) -> NDArray[np.float64]:
    """Bins from 0 on, ``bins`` of them up to ``end`` and more for what lies beyond, up to ten times ``end``."""
    largest = max((float(part.max()) for part in values if len(part)), default=0.0)
    wanted = min(max(bins, math.floor(largest * bins / end) + 1), 10 * bins)
    return np.linspace(0, end * wanted / bins, wanted + 1)


def density(values: FloatArray, edges: FloatArray) -> NDArray[np.float64]:
    """The histogram of ``values`` between ``edges`` (B + 1,), scaled to the area 1: (B,), all 0 without values."""
    counts = np.histogram(np.asarray(values, dtype=np.float64), bins=edges)[0]
    return counts / (max(len(values), 1) * np.diff(edges).astype(np.float64))
