"""FPR of every method on every OOD dataset at a TPR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nap_core import metrics
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.score_histograms import label


def fpr_table(rows: Sequence[MethodScores], tpr: float, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row a method: FPR in percent at ``tpr``, a share, on each OOD dataset and, of several, on average.

    Raises ValueError as ``metrics.threshold_at_tpr`` does.
    """
    lines = []
    for row in rows:
        cells = {titles[name]: 100 * metrics.fpr_at_tpr(row.id, values, tpr) for name, values in row.ood.items()}
        average = {"average": float(np.mean(list(cells.values())))} if len(cells) > 1 else {}
        lines.append({"Method": label(row), **cells, **average})
    return pd.DataFrame(lines)
