"""Published figures beside ours: a dumbbell a row, a panel an OOD dataset."""

from __future__ import annotations

from typing import Any

import pandas as pd
from plotly.subplots import make_subplots

from nap_core.figures.palette import ID_COLOUR, NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.methods import title
from nap_core.metrics import METRIC_TITLES, Metric
from nap_core.paper import published_tables

ROW_HEIGHT, HEAD_HEIGHT, GAP = 26, 110, 0.16


def difference_colour(points: Any) -> str:
    """The background of a difference in points, as CSS: none when close, the deeper the farther apart."""
    depth = min(abs(points) / 4, 0.5) if abs(points) > 100 * published_tables.CLOSE else 0
    return f"background-color: rgba(234, 112, 43, {depth:.2f})" if depth else ""


def published_and_measured(rows: pd.DataFrame, metric: Metric) -> Picture:
    """What the paper prints and what this code measured, from ``published.comparison``; ``metric`` is "auroc" or
    "fpr95". Rows of a panel follow the tables."""
    names = list(dict.fromkeys(rows["ood"]))
    counts = [int((rows["ood"] == name).sum()) for name in names]
    figure = make_subplots(
        rows=len(names),
        cols=1,
        subplot_titles=names,
        row_heights=[count / sum(counts) for count in counts],
        vertical_spacing=GAP / len(names),
    )
    for place, name in enumerate(names, start=1):
        part = rows[rows["ood"] == name]
        labels = [f"{row.published_as}" for row in part.itertuples()]
        theirs, ours = 100 * part[f"published_{metric}"], 100 * part[metric]
        for label, left, right in zip(labels, theirs, ours, strict=True):
            figure.add_scatter(
                x=[left, right],
                y=[label, label],
                mode="lines",
                line={"color": NEUTRAL, "width": 2},
                showlegend=False,
                hoverinfo="skip",
                row=place,
                col=1,
            )
        marks = (
            ("published", theirs, {"color": "rgba(0,0,0,0)", "size": 12, "line": {"color": NEUTRAL, "width": 2}}),
            ("measured here", ours, {"color": ID_COLOUR, "size": 9}),
        )
        for legend, values, marker in marks:
            figure.add_scatter(
                x=values,
                y=labels,
                mode="markers",
                name=legend,
                legendgroup=legend,
                showlegend=place == 1,
                marker=marker,
                customdata=[title(spec) for spec in part["method"]],
                hovertemplate=f"%{{customdata}}<br>{legend}: %{{x:.2f}} %<extra>{name}</extra>",
                row=place,
                col=1,
            )
        figure.update_yaxes(autorange="reversed", automargin=True, row=place, col=1)
    figure.update_xaxes(ticksuffix=" %", automargin=True, matches="x")  # a point is as long in every panel
    figure.update_xaxes(title=METRIC_TITLES[metric], row=len(names), col=1)
    figure.update_layout(
        height=HEAD_HEIGHT * len(names) + ROW_HEIGHT * sum(counts),
        margin={"t": 70, "b": 50, "l": 10, "r": 20},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        hovermode="closest",
    )
    figure.update_annotations(x=0, xanchor="left")
    return Picture(figure, reading(rows, metric), rows, "published-and-measured")


def reading(rows: pd.DataFrame, metric: Metric) -> str:
    """How many figures agree within one point, and which is farthest from its published one."""
    apart = (100 * (rows[metric] - rows[f"published_{metric}"])).to_numpy()
    near = int((abs(apart) <= 1).sum())
    farthest = int(abs(apart).argmax())
    far, side = rows.iloc[farthest], "above" if apart[farthest] > 0 else "below"
    return (
        f"{near} of {len(rows)} figures lie within 1 point of the published {METRIC_TITLES[metric]}; farthest off is "
        f"{far['published_as']} on {far['ood']}, {abs(apart[farthest]):.2f} points {side} it."
    )


def comparison_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The comparison in percent, as it is shown."""
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
    """A difference of shares in points, with a true minus sign."""
    return f"{100 * difference:+.2f}".replace("-", "−")


def unpublished_table(rows: pd.DataFrame) -> pd.DataFrame:
    """``published_tables.without_counterpart`` as shown: a row a method, in percent, two columns an OOD dataset."""
    by_method = rows.groupby("method", sort=False)
    columns: dict[str, pd.Series] = {"ID images": by_method["n_id"].first()}
    for ood in published_tables.OOD_NOTES:
        here = rows[rows["ood"] == ood].set_index("method")
        columns |= {f"{ood} {name}": 100 * here[metric] for metric, name in METRIC_TITLES.items()}
    columns["ID accuracy"] = 100 * by_method["id_accuracy"].first()
    table = pd.DataFrame(columns).reindex(list(by_method.groups))
    table.index = pd.Index([title(str(spec)) for spec in table.index], name="Method")
    return table
