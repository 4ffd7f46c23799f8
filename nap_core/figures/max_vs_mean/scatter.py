"""The scatter of maximum over mean with its margins: the paper's Figure 1b."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.activations import FloatArray
from nap_core.analysis.channels.kinds import MAPS, ChannelKind
from nap_core.analysis.channels.max_mean_points import Points, sampled
from nap_core.analysis.channels.separability import PeakCurve, peak_curve
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.max_vs_mean.axes import bins_to, density, ends
from nap_core.figures.max_vs_mean.words import heads_reading, reading
from nap_core.figures.palette import NEUTRAL, translucent
from nap_core.figures.picture import Picture

# WebGL points or a density? Measured in headless Chromium 1440 px wide without a GPU, where the processor rasterises;
# seconds of processor time from a reload to the picture at rest, with everything that Streamlit and Plotly do:
#                             seconds   MB sent   a lasso around all   a step of panning
#   600 points                    2.1       0.1                0.5 s               0.1 s
#   192,000 points, WebGL         4.2       2.7                0.5 s               1.1 s
#   350,000 points, WebGL         5.6       4.7                0.4 s               1.5 s
#   1,000,000 points, WebGL      16.3      12.9                0.7 s
#   192,000 as six densities      1.7       1.3                0.5 s
# Points it is: they cost two seconds, keep outliers and gaps that a density blurs, and can be zoomed into. Coordinates
# go as float32 in base64, 11 bytes a point. Above the limit a sample is drawn: no eye tells 350,000 dots from more.
MOST_DRAWN = 350_000
CELLS = 80  # of the grid that answers to the mouse, each way
BINS, FEW_BINS = 60, 30  # of a margin, over the length of its axis
FEW = 10_000  # up to so many points, marks are larger and bins wider
SCORE_BINS = 36

SURFACE = "x4"  # the axis that what is drawn over the scatter refers to
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 104, 42  # margins in pixels
TALLER = TOP + BOTTOM - LEFT - RIGHT
"""By how many pixels the figure must be taller than wide for its scatter to be square."""

_SCATTER, _MARGIN = [0.0, 0.77], [0.79, 1.0]
_FEW_TICKS = {"nticks": 3, "tickangle": 0}  # the corner is narrow, and attentions have many digits


def scatter(
    parts: Sequence[Points],
    scores: MethodScores,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    *,
    channel: int | None = None,
    id_in_front: bool = True,
    most: int = MOST_DRAWN,
    kind: ChannelKind = MAPS,
) -> Picture:
    """Maximum over mean for every point of ``parts``: the ID dataset first, then the OOD datasets that were chosen.

    On top the distribution of the means, on the right that of the maxima, in the corner that of ``scores`` (S_NAP of
    whole images); each curve has the area 1. Thick lines are the median maximum at each mean. Beyond ``most`` points a
    sample is drawn (``nap_core.points.sampled``); margins, medians, counts and the reading come from all of them.
    """
    drawn = sampled(parts, most)
    curves = {part.dataset: peak_curve(part.mean, part.maximum) for part in parts}
    images = {part.dataset: scores.ood.get(part.dataset, scores.id) for part in parts}
    right, top = ends(parts)
    figure = go.Figure()
    total = sum(map(len, drawn))
    for position in [*range(1, len(drawn)), 0] if id_in_front else range(len(drawn)):
        figure.add_trace(_cloud(drawn[position], total, colours[drawn[position].dataset]))
    figure.add_trace(_hover_grid(parts, titles, right, top))
    bins = FEW_BINS if total <= FEW else BINS
    means = bins_to([part.mean for part in parts], right, bins)
    maxima = bins_to([part.maximum for part in parts], top, bins)
    span = float(min(map(np.min, images.values()))), float(max(map(np.max, images.values())))
    values = np.linspace(*(span if span[1] > span[0] else (span[0] - 0.5, span[0] + 0.5)), SCORE_BINS + 1)
    for place, part in enumerate(parts):
        name, hue = part.dataset, colours[part.dataset]
        figure.add_trace(_median_line(curves[name], hue, titles[name], name))
        for where, edges, one in (
            ("top", means, part.mean),
            ("right", maxima, part.maximum),
            ("corner", values, images[name]),
        ):
            figure.add_trace(_margin(one, edges, hue, titles[name], name, where, filled=place == 0))
    _lay_out(figure, right, top)
    table = pd.concat([_table(part, images[part.dataset]) for part in drawn], ignore_index=True)
    stem = "max_vs_mean" if channel is None else f"max_vs_mean_channel_{channel}"
    said = heads_reading(images, titles) if kind.of_heads else reading(curves, titles, channel)
    return Picture(figure, said, table, stem)


def _cloud(part: Points, total: int, colour: str) -> go.Scattergl:
    return go.Scattergl(
        x=part.mean,
        y=part.maximum,
        mode="markers",
        marker={
            "size": 5 if total <= FEW else 3,
            "opacity": min(0.6, max(0.08, 15_000 / max(total, 1))),  # so that the crowd stays a cloud, not a block
            "color": colour,
        },
        legendgroup=part.dataset,
        showlegend=False,
        hoverinfo="skip",
    )


def _hover_grid(parts: Sequence[Points], titles: Mapping[str, str], right: float, top: float) -> go.Heatmap:
    """Cells that nobody sees: pointed at, they say how many points of which dataset lie there.

    It lies on axes of its own over those of the points, for two reasons. A lasso on the points' own axes makes the
    browser look up, send to the server, and send again with every later click each point that it holds: with 192,000
    of them 24 s and 24 MB, measured as above. Here it sends its outline, and the server knows the points. And where
    hundreds of points lie on one pixel, their numbers tell more than the one on top.
    """
    edges = np.linspace(0, right, CELLS + 1), np.linspace(0, top, CELLS + 1)
    counts = np.stack([np.histogram2d(part.maximum, part.mean, bins=edges[::-1])[0] for part in parts]).astype(int)
    total = counts.sum(axis=0)
    words = np.full(total.shape, "", dtype=object)
    for row, column in zip(*np.nonzero(total), strict=True):
        lines = [
            f"{titles[part.dataset]}: {count:,}"
            for part, count in zip(parts, counts[:, row, column], strict=True)
            if count
        ]
        words[row, column] = "<br>".join(lines)
    return go.Heatmap(
        z=np.where(total > 0, 1.0, np.nan).astype(np.float32),
        x0=float(edges[0][:2].mean()),
        dx=right / CELLS,
        y0=float(edges[1][:2].mean()),
        dy=top / CELLS,
        xaxis=SURFACE,
        yaxis="y4",
        colorscale=[[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]],
        showscale=False,
        hoverongaps=False,
        text=words,
        hovertemplate="mean about %{x:.3g}, maximum about %{y:.3g}<br>%{text}<extra></extra>",
    )


def _median_line(curve: PeakCurve, colour: str, title: str, name: str) -> go.Scatter:
    return go.Scatter(
        x=curve.centre[curve.firm],
        y=curve.median[curve.firm],
        xaxis=SURFACE,
        yaxis="y4",
        mode="lines",
        line={"color": colour, "width": 3},
        name=title,
        legendgroup=name,
        showlegend=False,
        hovertemplate="mean about %{x:.3g}: median maximum %{y:.3g}",
    )


def _margin(
    values: FloatArray, edges: FloatArray, colour: str, title: str, name: str, where: str, *, filled: bool
) -> go.Scatter:
    along, across = (edges[:-1] + edges[1:]) / 2, density(values, edges)
    what, xaxis, yaxis = {
        "top": ("mean", "x", "y2"),
        "right": ("maximum", "x2", "y"),
        "corner": ("S<sub>NAP</sub>", "x3", "y3"),
    }[where]
    lying = where == "right"
    return go.Scatter(
        x=across if lying else along,
        y=along if lying else across,
        xaxis=xaxis,
        yaxis=yaxis,
        mode="lines",
        line={"color": colour, "width": 1.5, "shape": "vhv" if lying else "hvh"},
        fill=("tozerox" if lying else "tozeroy") if filled else "none",
        fillcolor=translucent(colour, 0.2),
        name=title,
        legendgroup=name,
        showlegend=where == "corner",  # the one curve that every dataset has, even without a point
        hovertemplate=f"{what} %{{{'y' if lying else 'x'}:.3g}}, density %{{{'x' if lying else 'y'}:.3g}}",
    )


def _lay_out(figure: go.Figure, right: float, top: float) -> None:
    flat = {"showgrid": False, "zeroline": False}
    quiet = {**flat, "showticklabels": False, "fixedrange": True, "rangemode": "tozero"}
    above = {"orientation": "h", "x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top"}
    figure.update_layout(
        height=640,
        margin={"l": LEFT, "r": RIGHT, "t": TOP, "b": BOTTOM, "autoexpand": False},
        plot_bgcolor="rgba(0,0,0,0)",  # one plot lies over another
        dragmode="lasso",
        hovermode="closest",
        legend={**above, "entrywidth": 0.42, "entrywidthmode": "fraction"},  # two columns leave room for the mode bar
        modebar={"add": ["lasso2d", "select2d"], "remove": ["zoomIn2d", "zoomOut2d"]},
        newselection={"line": {"color": NEUTRAL, "width": 2, "dash": "solid"}},
        xaxis={"domain": _SCATTER, "range": [0, right], "title": _title("mean of the map"), **flat},
        yaxis={"domain": _SCATTER, "range": [0, top], "title": _title("maximum of the map"), **flat},
        xaxis2={"domain": _MARGIN, "anchor": "y", "title": _title("density"), **quiet},
        yaxis2={"domain": _MARGIN, "anchor": "x", "title": _title("density"), **quiet},
        xaxis3={"domain": _MARGIN, "anchor": "y3", "side": "top", "fixedrange": True, **flat, **_FEW_TICKS},
        yaxis3={"domain": _MARGIN, "anchor": "x3", **quiet},
        xaxis4={"domain": _SCATTER, "anchor": "y4", "matches": "x", "visible": False},
        yaxis4={"domain": _SCATTER, "anchor": "x4", "matches": "y", "visible": False},
    )
    # Not the axis's own title: on a narrow screen that is drawn over its ticks.
    figure.add_annotation(
        text="S<sub>NAP</sub>",
        showarrow=False,
        x=0.5,
        xref="x3 domain",
        y=1,
        yref="y3 domain",
        yanchor="bottom",
        yshift=20,
    )


def _title(text: str) -> dict[str, object]:
    return {"text": text, "standoff": 6}


def _table(part: Points, scores: FloatArray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dataset": part.dataset,
            "image": part.row,
            "channel": part.channel,
            "mean": part.mean,
            "maximum": part.maximum,
            "s_nap": np.asarray(scores)[part.row],
        }
    )
