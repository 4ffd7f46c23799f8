"""What the paper prints for an entry, each figure under its true dataset, with a note where the paper slips."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from nap_core.analysis.comparison import AVERAGE as AVERAGE_COLUMN
from nap_core.analysis.score_variants import OTHER
from nap_core.paper import published_tables
from nap_core.paper.spec import AVERAGE, CIFAR100, Entry, Setting

_STAGE = re.compile(r"\bs(?=\d)")
_TABLE_6 = {
    "": "Energy (baseline)",
    "nap-variance": "Energy x Variance",
    "nap-no-square": "Energy x No Square",
    "nap-minus": "Energy x Minus",
    "nap": "Energy x NAP",
}
"""Each variant, and the baseline, as results.csv names it."""

COLUMNS = ["row", "heading", "metric", "published", "note"]
FIGURES = ("fpr95", "auroc")
SLIP = 0.0005
"""A share: an average that is farther than this from the mean of its own row has a note. Rounding makes 0.00005."""

# Table 4 prints the methods alone as well, with the figures of these tables.
_BASES_OF = {"Table 4 (w=0.5, no search)": {"CIFAR-10": "Table 2", "CIFAR-100": "Table 2", "ImageNet-1k": "Table 3"}}
_SIX = {"CIFAR-10": "Table 9", "CIFAR-100": "Table 10"}


def printed(entry: Entry, setting: Setting) -> pd.DataFrame:
    """The paper's figures of ``entry`` in ``setting``: the columns of ``COLUMNS``, shares (w as it is), one row a
    (row, heading, metric). A ``note`` marks an average that is not the mean of its own row. Empty where the paper
    draws and prints no number."""
    if entry.kind == "weights":
        return _weights(entry, setting)
    if entry.kind == "cost":
        share = entry.rows[0].printed, AVERAGE, "share", published_tables.PAPER_SHARE, ""
        return pd.DataFrame([share], columns=COLUMNS)
    if not entry.table:
        return pd.DataFrame(columns=COLUMNS)
    rows = [row.printed for row in entry.rows]
    main = "Table 10" if (entry.table, setting) == ("Table 9", CIFAR100) else entry.table
    figures = _figures(main, setting, rows)
    other = _BASES_OF.get(entry.table, {}).get(setting.trained_on)
    if other:
        plain = _figures(other, setting, [name for name in rows if name not in set(figures["row"])])
        figures = pd.concat([figures, plain[plain["heading"] == AVERAGE]], ignore_index=True)
    if entry.kind == "accuracy":
        figures = figures[(figures["heading"] == AVERAGE) & (figures["metric"] == "auroc")]
    return figures[COLUMNS].reset_index(drop=True)


def _printed(table: str, trained_on: str) -> pd.DataFrame:
    """The rows of a table of the NAP paper on one ID dataset."""
    rows = published_tables.results()
    return rows[(rows["source"] == "NAP") & (rows["table"] == table) & (rows["id_dataset"] == trained_on)]


def _figures(table: str, setting: Setting, rows: list[str]) -> pd.DataFrame:
    both = _printed(table, setting.trained_on).query("model == @setting.network.title and method in @rows")
    long = both.melt(
        id_vars=["method", "ood_dataset"], value_vars=list(FIGURES), var_name="metric", value_name="published"
    ).rename(columns={"method": "row", "ood_dataset": "printed_under"})
    if table in _SIX.values():
        true = {printed_as: heading for heading, printed_as in published_tables.ANOTHER_ORDER.items()}
        moved = long["row"].isin(published_tables.ROWS_IN_ANOTHER_ORDER)
        long["heading"] = long["printed_under"].where(~moved, long["printed_under"].replace(true))
    else:
        long["heading"] = long["printed_under"]
    long["note"] = ""
    return _with_slips(long)


def _with_slips(long: pd.DataFrame) -> pd.DataFrame:
    for (row, _), part in long.groupby(["row", "metric"], sort=False):
        own, average = part[part["heading"] != AVERAGE]["published"], part[part["heading"] == AVERAGE]
        if own.empty or average.empty:
            continue
        mean, said = float(own.mean()), float(average["published"].iloc[0])
        if abs(mean - said) > SLIP:
            note = f"The paper's average of {row} is printed as {100 * said:.2f}; its own row gives {100 * mean:.2f}."
            long.loc[average.index, "note"] = note
    return long


def _weights(entry: Entry, setting: Setting) -> pd.DataFrame:
    table = pd.read_csv(published_tables.FOLDER / "weights.csv")
    weights = table[table["id_dataset"] == setting.trained_on].set_index("method")["w"]
    values = [
        (row.printed, AVERAGE, "w", float(weights[published_tables.BASES[row.printed]]), "") for row in entry.rows
    ]
    return pd.DataFrame(values, columns=COLUMNS)


def with_table_7(table: pd.DataFrame, trained_on: str) -> pd.DataFrame:
    """A ``layer_table`` by short names with Table 7's ``published_fpr95`` and ``published_auroc`` beside its averages,
    shares; NaN where Table 7 has no value. Its network is a DenseNet, whose transitions other networks' stages face."""
    by_method = _printed("Table 7", trained_on).set_index("method")
    named_so = [f"NAP({_STAGE.sub('t', named)})" for named in table["layers"]]
    figures = by_method.reindex(named_so)[["fpr95", "auroc"]].to_numpy(copy=True)
    figures[table["ood"] != AVERAGE_COLUMN] = np.nan
    return table.assign(published_fpr95=figures[:, 0], published_auroc=figures[:, 1])


def table_6(trained_on: str, other: str = OTHER) -> dict[str, tuple[float, float]]:
    """FPR95 and AUROC (shares) that Table 6 prints for each design combined with ``other``, "" being the baseline:
    averages over its six OOD datasets. Empty where Table 6 has no value, that is but for Energy on CIFAR-10."""
    if other != OTHER:
        return {}
    rows = _printed("Table 6", trained_on)[["method", *FIGURES]].itertuples(index=False)
    printed = {name: (fpr95, auroc) for name, fpr95, auroc in rows}
    return {design: printed[name] for design, name in _TABLE_6.items() if name in printed}
