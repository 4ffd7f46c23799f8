"""Published and measured as a person reads them: a row a method, paper, here and difference side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nap_core.analysis.comparison import AVERAGE
from nap_core.paper.comparison import ORIENTATION

if TYPE_CHECKING:
    from nap_core.paper.running import Reproduced

PAPER, HERE, APART = "paper", "here", "±"
METRICS = {
    "fpr95": "FPR95",
    "auroc": "AUROC",
    "id_accuracy": "ID accuracy",
    "front": "on the front",
    "w": "w",
    "best_w": "best w",
    "lost": "FPR95 lost",
    "paper_lost": "lost at published w",
    "alone": "FPR95 alone",
    "lowest": "lowest FPR95",
    "better": "better at % of w",
    "better_robust": "of w 0.2 to 0.8",
    "correlation": "rank correlation",
    "within_id": "among ID",
    "within_ood": "among OOD",
    "oracle_auroc": "AUROC, oracle",
    "nap_auroc": "AUROC, NAP",
    "share": "% of the forward pass",
    "forward_ms": "forward pass, ms an image",
    "nap_ms": "NAP, ms an image",
}
"""What is measured, as columns are called."""
PLAIN = ("w", "best_w", "correlation", "within_id", "within_ood", "forward_ms", "nap_ms")
"""Those that are no shares, hence not shown in percent."""
FINE = ("cost",)
"""The entries whose figures take four digits behind the point in place of two."""


def digits(done: Reproduced) -> int:
    """How many digits behind the point its figures take."""
    return 4 if done.entry.kind in FINE else 2


def by_dataset(done: Reproduced, metric: str) -> pd.DataFrame:
    """One metric, in percent: the columns (dataset, "paper" | "here" | "±") that have figures, a row a method."""
    table = done.table[done.table["metric"] == metric]
    titles = {**done.titles, AVERAGE: _average(done)}
    groups = [(titles.get(ood) or _orientation(ood), table[table["ood"] == ood]) for ood in table["ood"].unique()]
    return _wide(done, groups, 100)


def by_metric(done: Reproduced) -> pd.DataFrame:
    """Every metric of an entry that has one value a row: (metric, "paper" | "here" | "±")."""
    parts = {metric: done.table[done.table["metric"] == metric] for metric in METRICS}
    groups = [(METRICS[metric], part if metric in PLAIN else _percent(part)) for metric, part in parts.items()]
    return _wide(done, [(name, part) for name, part in groups if len(part)], 1)


def _percent(part: pd.DataFrame) -> pd.DataFrame:
    numbers = ["published", "measured", "difference"]
    return part.assign(**{name: 100 * part[name] for name in numbers})


def _wide(done: Reproduced, groups: list[tuple[str, pd.DataFrame]], unit: float) -> pd.DataFrame:
    rows = [row for row in dict.fromkeys(done.table["row"]) if row not in done.unable]
    columns = {}
    for name, part in groups:
        # A figure that only orients stands in a row of its own: the last one counts.
        values = part.drop_duplicates("row", keep="first").set_index("row").reindex(rows)
        orienting = part.drop_duplicates("row", keep="last").set_index("row").reindex(rows)["published"]
        for column, series in (
            (PAPER, values["published"].fillna(orienting)),
            (HERE, values["measured"]),
            (APART, values["difference"]),
        ):
            if series.notna().any():
                columns[name, column] = unit * series.astype(float)
    table = pd.DataFrame(columns, index=pd.Index(rows, name="Method"))
    table.columns = pd.MultiIndex.from_tuples(list(columns))
    return table


def datasets_of(table: pd.DataFrame) -> list[str]:
    """The upper level of its columns, each once: datasets, or metrics."""
    return list(dict.fromkeys(map(str, table.columns.get_level_values(0))))


def _average(done: Reproduced) -> str:
    count = len(done.titles)
    return "Average" if count == 1 else f"Average of {count}"


def _orientation(ood: str) -> str:
    """Without an apostrophe: the table in the browser cannot read one in a column of two levels."""
    what = ood.removeprefix(ORIENTATION)
    return f"{what[0].upper()}{what[1:]} in the paper"


def weights(done: Reproduced) -> dict[str, float]:
    """By row: the w it was measured at, of combinations."""
    weighted = done.table.dropna(subset=["w"]).drop_duplicates("row")
    return dict(zip(weighted["row"], weighted["w"], strict=True))
