"""Small multiples of SVG bars, in which each column of bars can be hovered and clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from nap_core.figures.layout import TRANSPARENT, Style, axis, base_layout, legend, line, marks, note
from nap_core.figures.palette import ID_COLOUR, NEUTRAL, translucent
from nap_core.figures.score_histograms.bins import Bins
from nap_core.figures.score_histograms.panels import Panel
from nap_core.figures.text import percent

# Pixels. Every row of panels has the same height, so that a figure's height follows from the number of its rows.
PLOT, HEADING, AXIS = 120, 34, 46  # a panel; the figures above it; the axis below it
TOP, LEFT, RIGHT = 56, 64, 8  # above the first row (legend, names of the columns); at the sides
PANEL = 176  # the least width of a panel and the gap beside it at which the figures above it fit
SMALL = 11  # font size
STEEP = 4  # a histogram is cut off, with a note, where it is more than this many times as high as the other
DASHES: Style = {"color": NEUTRAL, "width": 2, "dash": "4px,2px"}
CORNER: Style = {"xref": "x domain", "yref": "y domain", "xanchor": "left", "yanchor": "bottom"}


def least_width(columns: int) -> int:
    """The width below which the figures above neighbouring panels meet.

    Args:
        columns: The number of panels in a row.

    Returns:
        Pixels; 0 for a single column.
    """
    return 0 if columns == 1 else LEFT + RIGHT + columns * PANEL


def draw(
    grid: Sequence[Sequence[Panel]], id_dataset: str, titles: Mapping[str, str], colours: Mapping[str, str]
) -> go.Figure:
    """The figure of a grid of panels; for clicks see ``histograms``.

    Args:
        grid: The panels, a row a method, at least one; all rows have the same OOD datasets.
        id_dataset: Catalogue name of the ID dataset.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.

    Returns:
        The figure, without a caption.
    """
    rows, columns = len(grid), len(grid[0])
    inner = rows * PLOT + (rows - 1) * (HEADING + AXIS)
    figure = make_subplots(rows, columns, vertical_spacing=(HEADING + AXIS) / inner, horizontal_spacing=0.09 / columns)
    for row, panels in enumerate(grid, start=1):
        for column, panel in enumerate(panels, start=1):
            _draw_panel(figure, {"row": row, "col": column}, panel, id_dataset, titles, colours)
    _legend(figure, grid[0], id_dataset, titles, colours)
    # One column names its datasets in the legend, which takes as many lines as a narrow screen needs.
    top = TOP if columns > 1 else TOP + 10 * max(0, len(grid[0][0].ood_counts) - 3)
    margin = (HEADING if columns == 1 else top + HEADING, RIGHT, AXIS, LEFT)
    above = 1 + (HEADING if columns == 1 else HEADING + 22) / inner
    bars = {"barmode": "overlay", "bargap": 0, "legend": legend(above, 12, itemclick=False, itemdoubleclick=False)}
    figure.update_layout(base_layout(inner + top + HEADING + AXIS, margin, **bars, **TRANSPARENT))
    return figure


def _draw_panel(
    figure: go.Figure,
    place: Mapping[str, int],
    panel: Panel,
    id_dataset: str,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
) -> None:
    bins = panel.bins
    id_shares = panel.id_counts / panel.id_size
    traces, stacked = [], np.zeros(len(bins))
    for name, counts in panel.ood_counts.items():
        share = counts / panel.ood_size
        # A click marks its own column; plotly would fade every other bar.
        whole = {"base": stacked, "unselected": {"marker": {"opacity": 0.8}}}
        traces.append(_bars(bins, share, {"color": colours[name], "opacity": 0.8}, hoverinfo="skip", **whole))
        stacked = stacked + share
    x, y = np.repeat(bins.edges, 2), np.concatenate([[0.0], np.repeat(id_shares, 2), [0.0]])
    filled = {"fill": "tozeroy", "fillcolor": translucent(ID_COLOUR, 0.35 if len(panel.ood_counts) == 1 else 0.15)}
    traces.append(line(x, y, ID_COLOUR, 1.6, **filled))
    top = 1.06 * _height(id_shares, stacked)
    traces.append(_pointers(panel, top, id_dataset, titles))
    figure.add_traces(traces, rows=place["row"], cols=place["col"])
    words = f"<b>{panel.title}</b><br>share of images<br>(equal areas)" if place["col"] == 1 else None
    yaxis = axis(words, range=[0, top], showticklabels=False, showgrid=False, showline=False, title_font_size=SMALL)
    figure.update_yaxes(yaxis, **place)
    drawn: Style = {"showgrid": False, "showline": True, "linecolor": NEUTRAL, "title_font_size": SMALL}
    ticks: Style = {"ticks": "outside", "ticklen": 3, "tickcolor": NEUTRAL, "tickfont": {"size": 10}, "tickangle": 0}
    ticks |= _log_ticks(bins) if bins.log else {"nticks": 5}
    span = [bins.edges[0], bins.edges[-1]]
    figure.update_xaxes(axis(f"{panel.label} score", 4, range=span, **drawn, **ticks), **place)
    # The threshold may lie beyond the axis; it then stands at its end, as the images there do.
    at = float(np.clip(bins.drawn(np.array([panel.threshold]))[0], *span))
    figure.add_shape(type="line", x0=at, x1=at, y0=0, y1=1, yref="y domain", line=DASHES, **place)
    for share in (id_shares, stacked):
        if share.max() > top:
            _cut_off(figure, bins, share, at, place)
    head = f"FPR95 <b>{percent(panel.fpr95)}</b> · AUROC <b>{percent(panel.auroc)}</b>"
    head += f"<br>at the line: TPR {percent(panel.tpr)}, FPR {percent(panel.fpr)}"
    figure.add_annotation(note(head, 0, 1, SMALL, align="left", yshift=1, **CORNER), **place)


def _bars(bins: Bins, heights: ArrayLike, marker: Style, **more: Any) -> Style:
    look = {"marker": {**marker, "line": {"width": 0}}, "showlegend": False}
    return {"type": "bar", "x": bins.centres, "y": heights, "width": bins.width, **look, **more}


def _pointers(panel: Panel, top: float, id_dataset: str, titles: Mapping[str, str]) -> Style:
    """Invisible columns of the full height: a bar of a single image could not be hit, least of all by a finger."""
    against = ",".join(panel.ood_counts)
    id_counts, bins = panel.id_counts.tolist(), panel.bins
    words = []
    for position in range(len(bins)):
        lines = [f"<b>{panel.label}: {bins.words(position)}</b>"]
        lines.append(_count(titles[id_dataset], id_counts[position], panel.id_size))
        for name, counts in panel.ood_counts.items():
            lines.append(_count(titles[name], int(counts[position]), int(counts.sum())))
        words.append("<br>".join(lines))
    data = [[panel.method, against, position] for position in range(len(bins))]
    picked: Style = {"selected": {"marker": {"opacity": 0.3}}, "unselected": {"marker": {"opacity": 0}}}
    shown = {"customdata": data, "hovertext": words, "hovertemplate": "%{hovertext}<extra></extra>"}
    return _bars(bins, [top] * len(bins), {"color": NEUTRAL, "opacity": 0}, **picked, **shown)


def _height(id_shares: NDArray[np.float64], ood_shares: NDArray[np.float64]) -> float:
    """The height of a panel: the lower histogram keeps its shape beside a spike of the higher one."""
    low, high = sorted((float(id_shares.max()), float(ood_shares.max())))
    return min(high, STEEP * low)


def _cut_off(
    figure: go.Figure, bins: Bins, share: NDArray[np.float64], threshold: float, place: Mapping[str, int]
) -> None:
    """Write the true height of the highest bar, on the side with more room, and past the threshold."""
    peak, room = int(np.argmax(share)), 0.3 * (bins.edges[-1] - bins.edges[0])
    left = peak >= len(bins) / 2
    x = bins.edges[peak] if left else bins.edges[peak + 1]
    if 0 <= (x - threshold if left else threshold - x) < room:
        x = threshold
    side = {"yref": "y domain", "xanchor": "right" if left else "left", "yanchor": "top"}
    figure.add_annotation(note(f"up to {percent(float(share[peak]))} ↑", x, 1, SMALL, **side), **place)


def _count(title: str, count: int, size: int) -> str:
    return f"{title}: {count:,} of {size:,} images ({percent(count / size)})"


def _legend(
    figure: go.Figure, panels: Sequence[Panel], id_dataset: str, titles: Mapping[str, str], colours: Mapping[str, str]
) -> None:
    """ID and the threshold; OOD datasets too where they share a panel, else each at the head of its column."""
    shown = {id_dataset: f"{titles[id_dataset]} (ID)"}
    if len(panels) == 1:
        shown.update({name: titles[name] for name in panels[0].ood_counts})
    else:
        for column, panel in enumerate(panels, start=1):
            (name,) = panel.ood_counts
            head = f"<span style='color:{colours[name]}'>■</span> <b>{titles[name]}</b>"
            figure.add_annotation(note(head, 0, 1, 13, yshift=HEADING - 2, **CORNER), row=1, col=column)
    for name, title in shown.items():
        figure.add_trace(marks([None], [None], {"symbol": "square", "size": 11, "color": colours[name]}, title))
    figure.add_trace(line([None], [None], NEUTRAL, 2, "threshold", dash=DASHES["dash"]))


def _log_ticks(bins: Bins) -> dict[str, list[float] | list[str]]:
    """At most five ticks, at powers of ten."""
    powers = range(int(np.ceil(bins.edges[0])), int(np.floor(bins.edges[-1])) + 1)
    shown = powers[:: int(np.ceil(len(powers) / 5))]
    words = [f"{10.0**power:,g}" if -3 <= power <= 3 else f"10<sup>{power}</sup>" for power in shown]
    return {"tickvals": [float(power) for power in shown], "ticktext": words}
