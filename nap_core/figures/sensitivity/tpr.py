"""FPR of every method on every OOD dataset at a TPR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nap_core import metrics
from nap_core.figures.score_histograms import label

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores


def fpr_table(rows: Sequence[MethodScores], tpr: float, titles: Mapping[str, str]) -> pd.DataFrame:
    """FPR of every method on every OOD dataset and, of several, on average.

    Args:
        rows: The scores of every method.
        tpr: The share of ID images that the threshold accepts, above 0 and at most 1.
        titles: Catalogue name → title of the datasets.

    Returns:
        One row a method, FPR in percent.

    Raises:
        ValueError: ``tpr`` lies outside (0, 1] or there are no scores.
    """
    lines = []
    for row in rows:
        cells = {titles[name]: 100 * metrics.fpr_at_tpr(row.id, values, tpr) for name, values in row.ood.items()}
        average = {"average": float(np.mean(list(cells.values())))} if len(cells) > 1 else {}
        lines.append({"Method": label(row), **cells, **average})
    return pd.DataFrame(lines)
