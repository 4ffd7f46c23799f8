"""FPR95 or AUROC over the number of images: the median of random subsets, and how far they scatter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.compare_methods.lines import LineStyle, line_styles
from nap_core.figures.palette import translucent
from nap_core.figures.picture import Picture, percent
from nap_core.figures.score_histograms import label
from nap_core.figures.sensitivity.lines import frame, fronts, method_line
from nap_core.metrics import METRIC_TITLES, Metric


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
    """A line a method over the number of images, on a log scale; ``opened`` has the band of the middle 90 % of draws.

    ``drawn`` has by method what ``sensitivity.by_images`` or ``by_fit_images`` gave; ``column`` is an OOD dataset or
    ``AVERAGE``; ``of_fit``: they are of ``by_fit_images``. The last mark of a line is all that there is.
    """
    figure = go.Figure()
    of = "images in the fit split" if of_fit else "images of each dataset"
    share = "all draws" if of_fit else "90\xa0% of the draws"
    names = list(rows[0].ood)
    styles = line_styles(rows, names, opened)
    tables, front = {}, fronts(rows, styles, opened)
    for row in rows:
        table = tables[row.method] = _part(drawn[row.method], metric, column)
        style = styles[row.method]
        if row.method == opened:
            _band(figure, table, style, share)
        hover = (
            f"{label(row)}, %{{x:,}} images<br>{METRIC_TITLES[metric]} %{{y:.1%}}, {share} "
            "between %{customdata[0]:.1%} and %{customdata[1]:.1%}<extra></extra>"
        )
        x, y = table["images"].tolist(), table["median"].tolist()
        line = method_line(row, style, front[row.method], x, y, customdata=table[["low", "high"]], hovertemplate=hover)
        figure.add_trace(line)
    ticks = sorted({int(size) for table in tables.values() for size in table["images"]})
    figure.update_xaxes(
        type="log", title=of, tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks], fixedrange=True, zeroline=False
    )
    figure.update_yaxes(title=METRIC_TITLES[metric], tickformat=".0%", fixedrange=True, zeroline=False, automargin=True)
    frame(figure)
    one = next(row for row in rows if row.method == opened)
    reading = _reading(one, tables[opened], metric, column, titles, of, "all draws" if of_fit else "9 of 10 draws")
    every = pd.concat([part.assign(w=row.w) for row, part in zip(rows, tables.values(), strict=True)])
    return Picture(figure, reading, every, f"{metric}-over-images")


def _part(drawn: pd.DataFrame, metric: Metric, column: str) -> pd.DataFrame:
    return drawn[(drawn["metric"] == metric) & (drawn["ood"] == column)].sort_values("images")


def _band(figure: go.Figure, table: pd.DataFrame, style: LineStyle, name: str) -> None:
    x = [*table["images"], *table["images"][::-1]]
    figure.add_scatter(
        x=x,
        y=[*table["high"], *table["low"][::-1]],
        fill="toself",
        fillcolor=translucent(style.colour, 0.18),
        line={"width": 0},
        mode="lines",
        name=name,
        hoverinfo="skip",
    )


def _reading(
    row: MethodScores, table: pd.DataFrame, metric: Metric, column: str, titles: Mapping[str, str], of: str, share: str
) -> str:
    where = f"averaged over {len(row.ood)} OOD datasets" if column == AVERAGE else f"on {titles[column]}"
    whole = table.iloc[-1]
    start = f"{METRIC_TITLES[metric]} of {row.title}, {where},"
    end = f"all {whole['images']:,} give {percent(whole['median'])}"
    some = table.iloc[:-1]
    if some.empty:
        return f"{start} is {percent(whole['median'])} with {whole['images']:,} {of}: too few to take parts of."
    few, many = some.iloc[0], some.iloc[-1]
    said = f"lies between {percent(few['low'])} and {percent(few['high'])} in {share} of {few['images']:,} {of}"
    if len(some) > 1:
        said += f", and between {percent(many['low'])} and {percent(many['high'])} with {many['images']:,}"
    return f"{start} {said}; {end}."
