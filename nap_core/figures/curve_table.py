"""The numbers behind a figure with a line a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nap_core.metrics import Metric


def curve_table(
    datasets: Sequence[str],
    x: Mapping[str, NDArray[np.float64]],
    values: Mapping[Metric, NDArray[np.float64]],
    *,
    dataset: str = "ood",
) -> pd.DataFrame:
    """Curves over a quantity as a tidy table.

    Args:
        datasets: Catalogue names of the D datasets, or "average".
        x: One entry: the name of the quantity → its X values.
        values: Metric → its values, (D, X), shares.
        dataset: The name of the column of the datasets.

    Returns:
        One row a (dataset, x): the dataset, the quantity and every metric.

    Raises:
        ValueError: ``x`` has not exactly one entry, or a metric has not D · X values.
    """
    ((name, places),) = x.items()
    table = pd.DataFrame({dataset: np.repeat(list(datasets), len(places)), name: np.tile(places, len(datasets))})
    for metric, curves in values.items():
        table[metric] = np.ravel(curves)
    return table
