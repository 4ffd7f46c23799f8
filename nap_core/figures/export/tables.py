"""The tidy table: every number with its interval and with what it stands on."""

from __future__ import annotations

import pandas as pd

from nap_core.analysis import bootstrap
from nap_core.analysis.evaluation import COLUMNS, FIGURES

INTERVALS = [name for name in bootstrap.COLUMNS if name not in ("method", "ood")]


def tidy_table(results: pd.DataFrame, intervals: pd.DataFrame) -> pd.DataFrame:
    """The results with their intervals.

    Args:
        results: Rows of ``evaluation.evaluate``, shares.
        intervals: ``bootstrap.intervals`` of the same methods, shares; those of the averages are left out.

    Returns:
        One row a (method, OOD dataset): the columns of ``evaluation.COLUMNS`` and, after the metrics, 95 % intervals.

    Raises:
        ValueError: A pair of method and OOD dataset has two rows in either table.
    """
    table = results.merge(intervals, on=["method", "ood"], how="left", validate="one_to_one")
    after = COLUMNS.index(FIGURES[-1]) + 1
    return table[[*COLUMNS[:after], *INTERVALS, *COLUMNS[after:]]]
