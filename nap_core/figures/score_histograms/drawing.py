"""How the panels are drawn: small multiples of SVG bars, each column of bars one thing to point at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from nap_core.figures.palette import ID_COLOUR, NEUTRAL, translucent
from nap_core.figures.picture import percent
from nap_core.figures.score_histograms.bins import Bins
from nap_core.figures.score_histograms.panels import Panel

# Pixels. Every row of panels has the same height, so that a figure's height follows from the number of its rows.
PLOT, HEADING, AXIS = 120, 34, 46  # a panel; the figures above it; the axis below it
TOP, LEFT, RIGHT = 56, 64, 8  # above the first row (legend, names of the columns); at the sides
PANEL = 176  # the least width of a panel and the gap beside it at which the figures above it fit
SMALL = 11  # font size
STEEP = 4  # a histogram is cut off, and says so, where it is more than this many times as high as the other


def least_width(columns: int) -> int:
    """The width in pixels below which the figures above neighbouring panels meet; 0 for a single column."""
    return 0 if columns == 1 else LEFT + RIGHT + columns * PANEL


def draw(
    grid: Sequence[Sequence[Panel]], id_dataset: str, titles: Mapping[str, str], colours: Mapping[str, str]
) -> go.Figure:
    """The figure of a grid of panels, rows of equal length. Clicks: see ``histograms``."""
    rows, columns = len(grid), len(grid[0])
    inner = rows * PLOT + (rows - 1) * (HEADING + AXIS)
    figure = make_subplots(rows, columns, vertical_spacing=(HEADING + AXIS) / inner, horizontal_spacing=0.09 / columns)
    for row, line in enumerate(grid, start=1):
        for column, panel in enumerate(line, start=1):
            _draw_panel(figure, row, column, panel, id_dataset, titles, colours)
    _legend(figure, grid[0], id_dataset, titles, colours)
    # One column names its datasets in the legend, which takes as many lines as a narrow screen needs.
    top = TOP if columns > 1 else TOP + 10 * max(0, len(grid[0][0].unknown) - 3)
    figure.update_layout(
        height=inner + top + HEADING + AXIS,
        margin={"t": HEADING if columns == 1 else top + HEADING, "b": AXIS, "l": LEFT, "r": RIGHT},
        barmode="overlay",
        bargap=0,
        hovermode="closest",
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1 + (HEADING if columns == 1 else HEADING + 22) / inner,
            "yanchor": "bottom",
            "font": {"size": 12},
            "itemclick": False,
            "itemdoubleclick": False,
        },
    )
    return figure


def _draw_panel(
    figure: go.Figure,
    row: int,
    column: int,
    panel: Panel,
    id_dataset: str,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
) -> None:
    bins, place = panel.bins, {"row": row, "col": column}
    known = panel.known / panel.id_size
    below = np.zeros(len(bins))
    for name, counts in panel.unknown.items():
        share = counts / panel.ood_size
        bars = go.Bar(
            x=bins.centres,
            y=share,
            base=below,
            width=bins.width,
            marker={"color": colours[name], "opacity": 0.8, "line": {"width": 0}},
            # A click marks its own column; plotly would fade every other bar.
            unselected={"marker": {"opacity": 0.8}},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_trace(bars, **place)
        below = below + share
    outline = go.Scatter(
        x=np.repeat(bins.edges, 2),
        y=np.concatenate([[0.0], np.repeat(known, 2), [0.0]]),
        mode="lines",
        line={"color": ID_COLOUR, "width": 1.6},
        fill="tozeroy",
        fillcolor=translucent(ID_COLOUR, 0.35 if len(panel.unknown) == 1 else 0.15),
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_trace(outline, **place)
    top = 1.06 * _height(known, below)
    figure.add_trace(_pointers(panel, top, id_dataset, titles), **place)
    figure.update_yaxes(
        range=[0, top], fixedrange=True, showticklabels=False, showgrid=False, zeroline=False, showline=False, **place
    )
    if column == 1:
        words = f"<b>{panel.title}</b><br>share of images<br>(equal areas)"
        figure.update_yaxes(title={"text": words, "font": {"size": SMALL}}, **place)
    figure.update_xaxes(
        range=[bins.edges[0], bins.edges[-1]],
        fixedrange=True,
        showgrid=False,
        zeroline=False,
        showline=True,
        linecolor=NEUTRAL,
        ticks="outside",
        ticklen=3,
        tickcolor=NEUTRAL,
        tickfont={"size": 10},
        tickangle=0,
        title={"text": f"{panel.label} score", "font": {"size": SMALL}, "standoff": 4},
        **(_log_ticks(bins) if bins.log else {"nticks": 5}),
        **place,
    )
    # The threshold may lie beyond the axis; it then stands at its end, as the images there do.
    at = float(np.clip(bins.drawn(np.array([panel.threshold]))[0], bins.edges[0], bins.edges[-1]))
    figure.add_shape(
        type="line", x0=at, x1=at, y0=0, y1=1, yref="y domain", line={"color": NEUTRAL, "width": 2, "dash": "4px,2px"},
        **place,
    )  # fmt: skip
    for share in (known, below):
        if share.max() > top:
            _cut_off(figure, bins, share, at, place)
    figure.add_annotation(
        text=f"FPR95 <b>{percent(panel.fpr95)}</b> · AUROC <b>{percent(panel.auroc)}</b>"
        f"<br>at the line: TPR {percent(panel.tpr)}, FPR {percent(panel.fpr)}",
        xref="x domain",
        yref="y domain",
        x=0,
        y=1,
        xanchor="left",
        yanchor="bottom",
        align="left",
        yshift=1,
        showarrow=False,
        font={"size": SMALL},
        **place,
    )


def _pointers(panel: Panel, top: float, id_dataset: str, titles: Mapping[str, str]) -> go.Bar:
    """Invisible columns of the full height: a bar of a single image could not be hit, least of all by a finger."""
    against = ",".join(panel.unknown)
    known, bins = panel.known.tolist(), panel.bins
    words = []
    for position in range(len(bins)):
        lines = [f"<b>{panel.label}: {bins.words(position)}</b>"]
        lines.append(_count(titles[id_dataset], known[position], panel.id_size))
        for name, counts in panel.unknown.items():
            lines.append(_count(titles[name], int(counts[position]), int(counts.sum())))
        words.append("<br>".join(lines))
    return go.Bar(
        x=bins.centres,
        y=[top] * len(bins),
        width=bins.width,
        marker={"color": NEUTRAL, "opacity": 0, "line": {"width": 0}},
        selected={"marker": {"opacity": 0.3}},
        unselected={"marker": {"opacity": 0}},
        customdata=[[panel.method, against, position] for position in range(len(bins))],
        hovertext=words,
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )


def _height(known: NDArray[np.float64], unknown: NDArray[np.float64]) -> float:
    """What the panel shows of the higher histogram: enough for the lower one to keep its shape beside a spike."""
    low, high = sorted((float(known.max()), float(unknown.max())))
    return min(high, STEEP * low)


def _cut_off(figure: go.Figure, bins: Bins, share: NDArray[np.float64], line: float, place: Mapping[str, int]) -> None:
    """Say how high the highest bar really is, on the side of it where there is more room, and past the threshold."""
    peak, room = int(np.argmax(share)), 0.3 * (bins.edges[-1] - bins.edges[0])
    left = peak >= len(bins) / 2
    x = bins.edges[peak] if left else bins.edges[peak + 1]
    if 0 <= (x - line if left else line - x) < room:
        x = line
    figure.add_annotation(
        text=f"up to {percent(float(share[peak]))} ↑",
        x=x,
        y=1,
        yref="y domain",
        xanchor="right" if left else "left",
        yanchor="top",
        showarrow=False,
        font={"size": SMALL},
        **place,
    )


def _count(title: str, count: int, size: int) -> str:
    return f"{title}: {count:,} of {size:,} images ({percent(count / size)})"


def _legend(
    figure: go.Figure, line: Sequence[Panel], id_dataset: str, titles: Mapping[str, str], colours: Mapping[str, str]
) -> None:
    """ID and the threshold; OOD datasets too where they share a panel, else each at the head of its column."""
    shown = {id_dataset: f"{titles[id_dataset]} (ID)"}
    if len(line) == 1:
        shown.update({name: titles[name] for name in line[0].unknown})
    else:
        for column, panel in enumerate(line, start=1):
            (name,) = panel.unknown
            figure.add_annotation(
                text=f"<span style='color:{colours[name]}'>■</span> <b>{titles[name]}</b>",
                xref="x domain",
                yref="y domain",
                x=0,
                y=1,
                xanchor="left",
                yanchor="bottom",
                yshift=HEADING - 2,
                showarrow=False,
                font={"size": 13},
                row=1,
                col=column,
            )
    for name, title in shown.items():
        mark = {"symbol": "square", "size": 11, "color": colours[name]}
        figure.add_trace(go.Scatter(x=[None], y=[None], mode="markers", marker=mark, name=title), row=1, col=1)
    dashes = {"color": NEUTRAL, "width": 2, "dash": "4px,2px"}
    figure.add_trace(go.Scatter(x=[None], y=[None], mode="lines", line=dashes, name="threshold"), row=1, col=1)


def _log_ticks(bins: Bins) -> dict[str, list[float] | list[str]]:
    """At most five ticks, at powers of ten."""
    powers = range(int(np.ceil(bins.edges[0])), int(np.floor(bins.edges[-1])) + 1)
    shown = powers[:: int(np.ceil(len(powers) / 5))]
    words = [f"{10.0**power:,g}" if -3 <= power <= 3 else f"10<sup>{power}</sup>" for power in shown]
    return {"tickvals": [float(power) for power in shown], "ticktext": words}
