"""The scatter of maximum over mean with its margins: the paper's Figure 1b."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis.channels.kinds import MAPS, ChannelKind
from nap_core.analysis.channels.max_mean_points import sampled
from nap_core.analysis.channels.separability import peak_curve
from nap_core.figures.layout import INVISIBLE, Style, axis, base_layout, legend, line, marks, note
from nap_core.figures.max_vs_mean.axes import bins_to, density, ends
from nap_core.figures.max_vs_mean.words import heads_reading, reading
from nap_core.figures.palette import NEUTRAL, translucent
from nap_core.figures.picture import Picture

if TYPE_CHECKING:
    from nap_core.activations import FloatArray
    from nap_core.analysis.channels.max_mean_points import Points
    from nap_core.analysis.channels.separability import PeakCurve
    from nap_core.analysis.evaluation import MethodScores

# WebGL points or a density? Measured in headless Chromium 1440 px wide without a GPU, where the processor rasterises;
# seconds of processor time from a reload to the picture at rest, with everything that Streamlit and Plotly do:
#                             seconds   MB sent   a lasso around all   a step of panning
#   600 points                    2.1       0.1                0.5 s               0.1 s
#   192,000 points, WebGL         4.2       2.7                0.5 s               1.1 s
#   350,000 points, WebGL         5.6       4.7                0.4 s               1.5 s
#   1,000,000 points, WebGL      16.3      12.9                0.7 s
#   192,000 as six densities      1.7       1.3                0.5 s
# Points it is: they cost two seconds, keep outliers and gaps that a density blurs, and can be zoomed into. Coordinates
# go as float32 in base64, 11 bytes a point. Above the limit a sample is drawn: 350,000 dots look like more.
MOST_DRAWN = 350_000
CELLS = 80  # of the grid of hover texts, each way
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
    """Maximum over mean of every channel of every image.

    On top is the distribution of the means, on the right that of the maxima, in the corner that of S_NAP; each curve
    has the area 1. Thick lines are the median maximum at each mean.

    Args:
        parts: The points of each dataset, the ID dataset first.
        scores: S_NAP of the images of at least these datasets.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.
        channel: The channel that ``parts`` are restricted to; None for all.
        id_in_front: The ID points are drawn over the others.
        most: Beyond this number of points a sample is drawn; margins, medians and the caption are from all points.
        kind: Feature maps or attention heads.

    Returns:
        The figure, Figure 1b of the NAP paper; its table holds one row a point drawn.

    Raises:
        ValueError: A dataset has no score.
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
    table = points_table(drawn)
    table["s_nap"] = np.concatenate([np.asarray(images[part.dataset])[part.row] for part in drawn])
    stem = "max_vs_mean" if channel is None else f"max_vs_mean_channel_{channel}"
    caption = heads_reading(images, titles) if kind.of_heads else reading(curves, titles, channel)
    return Picture(figure, caption, table, stem)


def _cloud(part: Points, total: int, colour: str) -> Style:
    opacity = min(0.6, max(0.08, 15_000 / max(total, 1)))  # so that the crowd stays a cloud, not a block
    marker = {"size": 5 if total <= FEW else 3, "opacity": opacity, "color": colour}
    return {**marks(part.mean, part.maximum, marker, legendgroup=part.dataset), "type": "scattergl"}


def _hover_grid(parts: Sequence[Points], titles: Mapping[str, str], right: float, top: float) -> Style:
    """Invisible cells whose hover text is the number of points of each dataset.

    It lies on axes of its own over those of the points, for two reasons. A lasso on the points' own axes makes the
    browser look up, send to the server, and send again with every later click each point that it holds: with 192,000
    of them 24 s and 24 MB, measured as above. Here it sends its outline, and the points are on the server. And where
    hundreds of points lie on one pixel, their numbers are more useful than the point on top.
    """
    edges = np.linspace(0, right, CELLS + 1), np.linspace(0, top, CELLS + 1)
    counts = np.stack([np.histogram2d(part.maximum, part.mean, bins=edges[::-1])[0] for part in parts]).astype(int)
    total = counts.sum(axis=0)
    words = np.full(total.shape, "", dtype=object)
    for row, column in zip(*np.nonzero(total), strict=True):
        here = zip(parts, counts[:, row, column], strict=True)
        words[row, column] = "<br>".join(f"{titles[part.dataset]}: {count:,}" for part, count in here if count)
    x, y = (float(edge[:2].mean()) for edge in edges)
    return {
        "type": "heatmap",
        "z": np.where(total > 0, 1.0, np.nan).astype(np.float32),
        **{"x0": x, "dx": right / CELLS, "y0": y, "dy": top / CELLS, "xaxis": SURFACE, "yaxis": "y4"},
        **{"colorscale": [[0, INVISIBLE], [1, INVISIBLE]], "showscale": False, "hoverongaps": False, "text": words},
        "hovertemplate": "mean about %{x:.3g}, maximum about %{y:.3g}<br>%{text}<extra></extra>",
    }


def _median_line(curve: PeakCurve, colour: str, title: str, name: str) -> Style:
    x, y, hover = curve.centre[curve.firm], curve.median[curve.firm], "mean about %{x:.3g}: median maximum %{y:.3g}"
    place: Style = {"xaxis": SURFACE, "yaxis": "y4", "legendgroup": name, "showlegend": False}
    return line(x, y, colour, 3, title, hover, **place)


def _margin(
    values: FloatArray, edges: FloatArray, colour: str, title: str, name: str, where: str, *, filled: bool
) -> Style:
    along, across = (edges[:-1] + edges[1:]) / 2, density(values, edges)
    what, xaxis, yaxis = {
        "top": ("mean", "x", "y2"),
        "right": ("maximum", "x2", "y"),
        "corner": ("S<sub>NAP</sub>", "x3", "y3"),
    }[where]
    lying = where == "right"
    hover = f"{what} %{{{'y' if lying else 'x'}:.3g}}, density %{{{'x' if lying else 'y'}:.3g}}"
    fill = {"fill": ("tozerox" if lying else "tozeroy") if filled else "none", "fillcolor": translucent(colour, 0.2)}
    place: Style = {"xaxis": xaxis, "yaxis": yaxis, "legendgroup": name}
    place["showlegend"] = where == "corner"  # the one curve that every dataset has, even without a point
    x, y = (across, along) if lying else (along, across)
    return line(x, y, colour, 1.5, title, hover, line_shape="vhv" if lying else "hvh", **fill, **place)


def _lay_out(figure: go.Figure, right: float, top: float) -> None:
    flat: Style = {"showgrid": False, "zeroline": False}
    quiet = {**flat, "showticklabels": False, "fixedrange": True, "rangemode": "tozero"}
    # Two columns of the legend leave room for the mode bar.
    columns: Style = {"xref": "container", "yref": "container", "entrywidth": 0.42, "entrywidthmode": "fraction"}
    # Not the axis's own title: on a narrow screen that is drawn over its ticks.
    corner = note("S<sub>NAP</sub>", 0.5, 1, xref="x3 domain", yref="y3 domain", yanchor="bottom", yshift=20)
    figure.update_layout(
        base_layout(640, (TOP, RIGHT, BOTTOM, LEFT)),
        margin_autoexpand=False,
        plot_bgcolor=INVISIBLE,  # one plot lies over another
        dragmode="lasso",
        legend=legend(1, yanchor="top", **columns),
        modebar={"add": ["lasso2d", "select2d"], "remove": ["zoomIn2d", "zoomOut2d"]},
        newselection={"line": {"color": NEUTRAL, "width": 2, "dash": "solid"}},
        xaxis=axis("mean of the map", 6, zoom=True, domain=_SCATTER, range=[0, right], **flat),
        yaxis=axis("maximum of the map", 6, zoom=True, domain=_SCATTER, range=[0, top], **flat),
        xaxis2=axis("density", 6, domain=_MARGIN, anchor="y", **quiet),
        yaxis2=axis("density", 6, domain=_MARGIN, anchor="x", **quiet),
        xaxis3={"domain": _MARGIN, "anchor": "y3", "side": "top", "fixedrange": True, **flat, **_FEW_TICKS},
        yaxis3={"domain": _MARGIN, "anchor": "x3", **quiet},
        xaxis4={"domain": _SCATTER, "anchor": "y4", "matches": "x", "visible": False},
        yaxis4={"domain": _SCATTER, "anchor": "x4", "matches": "y", "visible": False},
        annotations=[corner],
    )


def points_table(parts: Sequence[Points]) -> pd.DataFrame:
    """The points of several datasets as a table.

    Args:
        parts: The points of each dataset, at least one dataset.

    Returns:
        One row a point, in the order of ``parts``: "dataset", "image", "channel", "mean" and "maximum".

    Raises:
        ValueError: There is no dataset.
    """
    return pd.concat(
        [
            pd.DataFrame({"dataset": part.dataset, "image": part.row, "channel": part.channel, "mean": part.mean})
            for part in parts
        ],
        ignore_index=True,
    ).assign(maximum=np.concatenate([part.maximum for part in parts]))
