"""Published values beside those measured here: a dumbbell a row, a panel an OOD dataset."""

from __future__ import annotations

from typing import Any

import pandas as pd
from plotly.subplots import make_subplots

from nap_core.figures.dumbbell import agreement, dumbbells
from nap_core.figures.layout import base_layout, legend
from nap_core.figures.picture import Picture
from nap_core.methods import title
from nap_core.metrics import METRIC_TITLES, Metric
from nap_core.paper import published_tables

ROW_HEIGHT, HEAD_HEIGHT, GAP = 26, 110, 0.16


def difference_colour(points: Any) -> str:
    """The background of a difference: none when it is small, the deeper the larger it is.

    Args:
        points: Measured less published AUROC, in percentage points.

    Returns:
        A CSS declaration; "" up to one point (``published_tables.CLOSE``) and for NaN.
    """
    depth = min(abs(points) / 4, 0.5) if abs(points) > 100 * published_tables.CLOSE else 0
    return f"background-color: rgba(234, 112, 43, {depth:.2f})" if depth else ""


def published_and_measured(rows: pd.DataFrame, metric: Metric) -> Picture:
    """Published values of a metric beside those measured here, a panel an OOD dataset (NAP paper, Tables 9 and 12).

    Args:
        rows: Rows of ``published_tables.comparison``, at least one, metrics as shares; panels follow their order.
        metric: "fpr95" or "auroc".

    Returns:
        The figure, in percent; its table is ``rows``.
    """
    names = list(dict.fromkeys(rows["ood"]))
    counts = [int((rows["ood"] == name).sum()) for name in names]
    heights = [count / sum(counts) for count in counts]
    figure = make_subplots(
        rows=len(names), cols=1, subplot_titles=names, row_heights=heights, vertical_spacing=GAP / len(names)
    )
    for place, name in enumerate(names, start=1):
        part = rows[rows["ood"] == name]
        published, measured = (100 * part[column].to_numpy() for column in (f"published_{metric}", metric))
        labels, heads = part["published_as"].tolist(), [title(spec) for spec in part["method"]]
        figure.add_traces(
            dumbbells(labels, published, measured, name, heads, in_legend=(place == 1, place == 1)), rows=place, cols=1
        )
        figure.update_yaxes(autorange="reversed", automargin=True, row=place, col=1)
    figure.update_xaxes(ticksuffix=" %", automargin=True, matches="x")  # a point is as long in every panel
    figure.update_xaxes(title=METRIC_TITLES[metric], row=len(names), col=1)
    height, right = HEAD_HEIGHT * len(names) + ROW_HEIGHT * sum(counts), legend(1, x=1, xanchor="right")
    figure.update_layout(base_layout(height, (70, 20, 50, 10), dragmode="zoom", legend=right))
    figure.update_annotations(x=0, xanchor="left")
    return Picture(figure, reading(rows, metric), rows, "published-and-measured")


def reading(rows: pd.DataFrame, metric: Metric) -> str:
    """How many values agree within one point, and which is farthest from its published one.

    Args:
        rows: Rows of ``published_tables.comparison``, metrics as shares.
        metric: "fpr95" or "auroc".

    Returns:
        A sentence, differences in percentage points.

    Raises:
        ValueError: There is no row.
    """
    differences = (100 * (rows[metric] - rows[f"published_{metric}"])).tolist()
    return agreement(differences, METRIC_TITLES[metric], (rows["published_as"] + " on " + rows["ood"]).tolist())


def comparison_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Published and measured values side by side, as they are shown.

    Args:
        rows: Rows of ``published_tables.comparison``, metrics as shares.

    Returns:
        A row a (method, OOD dataset): metrics in percent, the difference of the AUROC in points, w as text.
    """
    return pd.DataFrame(
        {
            "OOD": rows["ood"],
            "Table": rows["table"].str.removeprefix("Table "),
            "Method": rows["published_as"],
            "As run here": [title(spec) for spec in rows["method"]],
            "w": ["" if pd.isna(w) else f"{w:g}" for w in rows["w"]],
            "FPR95 paper": 100 * rows["published_fpr95"],
            "FPR95 here": 100 * rows["fpr95"],
            "AUROC paper": 100 * rows["published_auroc"],
            "AUROC here": 100 * rows["auroc"],
            "Difference": 100 * rows["difference"],
        }
    )


def points(difference: float) -> str:
    """A difference as text with its sign, a true minus for negative ones.

    Args:
        difference: A difference of shares.

    Returns:
        Percentage points with two decimals.
    """
    return f"{100 * difference:+.2f}".replace("-", "−")


def unpublished_table(rows: pd.DataFrame) -> pd.DataFrame:
    """What was measured and has no published counterpart, as it is shown.

    Args:
        rows: The rows of ``published_tables.without_counterpart``, metrics as shares.

    Returns:
        A row a method, by title: the number of ID images; FPR95 and AUROC of each OOD dataset and ID accuracy, in
        percent.
    """
    by_method = rows.groupby("method", sort=False)
    columns: dict[str, pd.Series] = {"ID images": by_method["n_id"].first()}
    for ood in published_tables.OOD_NOTES:
        here = rows[rows["ood"] == ood].set_index("method")
        columns |= {f"{ood} {name}": 100 * here[metric] for metric, name in METRIC_TITLES.items()}
    columns["ID accuracy"] = 100 * by_method["id_accuracy"].first()
    table = pd.DataFrame(columns).reindex(list(by_method.groups))
    table.index = pd.Index([title(str(spec)) for spec in table.index], name="Method")
    return table
