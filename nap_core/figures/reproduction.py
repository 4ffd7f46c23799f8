"""Published and measured of one table of the paper: a panel a dataset, a row a method, ring and dot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from plotly.subplots import make_subplots

from nap_core.figures.compare_methods import pareto_picture
from nap_core.figures.dumbbell import agreement, dumbbells
from nap_core.figures.layout import base_layout, legend
from nap_core.figures.picture import Picture
from nap_core.paper.tables import HERE, METRICS, PAPER, by_dataset, by_metric, datasets_of

if TYPE_CHECKING:
    from nap_core.paper.running import Reproduced

ROW_HEIGHT, HEAD_HEIGHT, PANEL_WIDTH, LABELS = 26, 120, 110, 150


def picture_of(done: Reproduced, metric: str) -> Picture | None:
    """The figure of an entry that was run.

    Args:
        done: The entry with its published and measured values.
        metric: "fpr95" or "auroc", for an entry that has both; other entries have one figure.

    Returns:
        The figure; None for an entry whose numbers are its table, or whose ID images have no labels.
    """
    if done.entry.kind == "accuracy":
        return _pareto(done)
    if done.entry.kind in ("curves", "oracle", "cost"):
        return None
    if done.entry.kind == "weights":
        table = by_metric(done)
        return _dumbbells(done, [(METRICS["w"], _panel(table, METRICS["w"]), "")], METRICS["w"], reading(done, "w"))
    table = by_dataset(done, metric)
    panels = [(name, _panel(table, name), " %") for name in datasets_of(table)]
    return _dumbbells(done, panels, METRICS[metric], reading(done, metric))


def width(done: Reproduced) -> int:
    """The least width of the figure at which its panels can be read.

    Args:
        done: The entry; it has a panel an OOD dataset, and one for their average.

    Returns:
        The width in pixels.
    """
    return LABELS + PANEL_WIDTH * (len(done.titles) + 1)


def _panel(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The columns paper and here of one dataset, NaN where there is none."""
    none = pd.Series(float("nan"), index=table.index)
    return pd.DataFrame({which: table.get((name, which), none) for which in (PAPER, HERE)})


def _dumbbells(done: Reproduced, panels: list[tuple[str, pd.DataFrame, str]], axis: str, caption: str) -> Picture:
    titles, count = [name for name, _, _ in panels], len(panels)
    figure = make_subplots(1, count, shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.12 / count)
    firsts, tables = [_first_with(panels, column) for column in (PAPER, HERE)], []
    for place, (name, panel, suffix) in enumerate(panels, start=1):
        labels, shown = panel.index.tolist(), (place == firsts[0], place == firsts[1])
        traces = dumbbells(labels, panel[PAPER].array, panel[HERE].array, name, labels, suffix=suffix, in_legend=shown)
        figure.add_traces(traces, rows=1, cols=place)
        # A point is as long in every panel.
        figure.update_xaxes(ticksuffix=suffix.strip(), nticks=4, automargin=True, matches="x", row=1, col=place)
        values = {"published": panel[PAPER].array, "measured": panel[HERE].array}
        tables.append(pd.DataFrame({"row": labels, "dataset": name, **values}))
    if axis == METRICS["w"]:
        figure.update_xaxes(range=[0, 1], dtick=0.1)
    order = list(panels[0][1].index)
    figure.update_yaxes(automargin=True, categoryorder="array", categoryarray=order, range=[len(order) - 0.5, -0.5])
    figure.update_annotations(font={"size": 12})
    above = legend(0.995, yref="container", yanchor="top")
    height = HEAD_HEIGHT + ROW_HEIGHT * len(order)
    figure.update_layout(base_layout(height, (66, 20, 36, 10), dragmode="zoom", legend=above))
    table = pd.concat(tables, ignore_index=True).assign(metric=axis)
    return Picture(figure, caption, table, f"reproduced-{done.entry.name}")


def _first_with(panels: list[tuple[str, pd.DataFrame, str]], column: str) -> int:
    """The first panel, from 1, that has a mark of this kind: it is the one in the legend."""
    return next((place for place, (_, panel, _) in enumerate(panels, start=1) if panel[column].notna().any()), 0)


def _pareto(done: Reproduced) -> Picture | None:
    measured = done.table.dropna(subset=["measured"])
    wide = measured.pivot_table(index=["row", "method"], columns="metric", values="measured", sort=False).reset_index()
    return pareto_picture(wide[["method", "id_accuracy", "auroc"]])


def reading(done: Reproduced, metric: str) -> str:
    """How many values lie near their published ones, and which is farthest off.

    Args:
        done: The entry with its published and measured values.
        metric: "fpr95", "auroc" or "w"; another key of ``tables.METRICS`` is read as a share.

    Returns:
        A sentence, differences in percentage points or of w; also where the paper has no value to compare with.
    """
    table = done.table[(done.table["metric"] == metric)]
    both = table.dropna(subset=["difference"])
    name = METRICS[metric]
    if both.empty:
        what = "w" if metric == "w" else f"{name} of {len(set(table.dropna(subset=['measured'])['row']))} rows"
        return f"{what} on this study. The paper has no value to compare these with."
    if metric == "w":
        return agreement(both["difference"].tolist(), name, both["row"].tolist(), 0.1, "")
    titles = {ood: f" on {title}" for ood, title in done.titles.items()}
    rows = [f"{row}{titles.get(ood, ' on average')}" for row, ood in zip(both["row"], both["ood"], strict=True)]
    return agreement((100 * both["difference"]).tolist(), name, rows)
