"""FPR95 or AUROC over the number of images: the median of random subsets, and how far they scatter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go

from nap_core.figures.compare_methods.lines import line_styles
from nap_core.figures.layout import Style, axis, line, share_axis
from nap_core.figures.palette import translucent
from nap_core.figures.picture import Picture
from nap_core.figures.sensitivity.lines import frame, marked_line, subject
from nap_core.figures.text import percent
from nap_core.metrics import METRIC_TITLES, Metric

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores


def images_picture(
    rows: Sequence[MethodScores],
    drawn: Mapping[str, pd.DataFrame],
    metric: Metric,
    column: str,
    opened: str,
    titles: Mapping[str, str],
    *,
    of_fit: bool = False,
) -> Picture:
    """A line a method over the number of images, on a log scale; the last mark of a line is of all images.

    Args:
        rows: The scores of every method.
        drawn: Method → what ``sensitivity.by_images`` or ``by_fit_images`` gave, as shares.
        metric: "fpr95" or "auroc".
        column: An OOD dataset or ``AVERAGE``.
        opened: The method whose line is thick, with the band of the middle 90 % of the random subsets.
        titles: Catalogue name → title of the datasets.
        of_fit: ``drawn`` is from ``by_fit_images``: the subsets are of the fit split.

    Returns:
        The figure; its table holds one row a method and number of images, as shares.
    """
    of = "images in the fit split" if of_fit else "images of each dataset"
    share = "all draws" if of_fit else "90\xa0% of the draws"
    styles = line_styles(rows, list(rows[0].ood), opened)
    tables, traces = {}, []
    hover = f", %{{x:,}} images<br>{METRIC_TITLES[metric]} %{{y:.1%}}, {share} "
    hover += "between %{customdata[0]:.1%} and %{customdata[1]:.1%}"
    for row in rows:
        table = tables[row.method] = _part(drawn[row.method], metric, column)
        style = styles[row.method]
        if row.method == opened:
            traces.append(_band(table, style.colour, share))
        x, y = table["images"].tolist(), table["median"].tolist()
        traces.append(marked_line(row, style, x, y, hover, customdata=table[["low", "high"]]))
    ticks = sorted({int(size) for table in tables.values() for size in table["images"]})
    xaxis = axis(of, type="log", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks])
    figure = go.Figure(traces, frame(xaxis, share_axis(METRIC_TITLES[metric], automargin=True)))
    start = subject(rows, opened, metric, column, titles)
    caption = _reading(start, tables[opened], of, "all draws" if of_fit else "9 of 10 draws")
    every = pd.concat([part.assign(w=row.w) for row, part in zip(rows, tables.values(), strict=True)])
    return Picture(figure, caption, every, f"{metric}-over-images")


def _part(drawn: pd.DataFrame, metric: Metric, column: str) -> pd.DataFrame:
    return drawn[(drawn["metric"] == metric) & (drawn["ood"] == column)].sort_values("images")


def _band(table: pd.DataFrame, colour: str, name: str) -> Style:
    x, y = [*table["images"], *table["images"][::-1]], [*table["high"], *table["low"][::-1]]
    return line(x, y, colour, 0, name, fill="toself", fillcolor=translucent(colour, 0.18))


def _reading(start: str, table: pd.DataFrame, of: str, share: str) -> str:
    whole = table.iloc[-1]
    end = f"all {whole['images']:,} give {percent(whole['median'])}"
    some = table.iloc[:-1]
    if some.empty:
        return f"{start} is {percent(whole['median'])} with {whole['images']:,} {of}: too few for smaller subsets."
    few, many = some.iloc[0], some.iloc[-1]
    span = f"lies between {percent(few['low'])} and {percent(few['high'])} in {share} of {few['images']:,} {of}"
    if len(some) > 1:
        span += f", and between {percent(many['low'])} and {percent(many['high'])} with {many['images']:,}"
    return f"{start} {span}; {end}."
