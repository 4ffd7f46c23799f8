"""The scatter of maximum over mean with its margins (the paper's Figure 1b), and the sparklines of channels."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core.activations import FloatArray
from nap_core.evaluation import MethodScores
from nap_core.figures.palette import NEUTRAL, translucent
from nap_core.figures.picture import Picture
from nap_core.points import Picked, Points, sampled
from nap_core.separation import PeakCurve, peak_curve, peak_factor

MOST_DRAWN = 350_000
CELLS = 80  # of the grid that answers to the mouse, each way
BINS = 60  # of a margin, over the length of its axis
SCORE_BINS = 36
BEYOND = 0.0005  # the share of a dataset's points that may lie beyond an axis: a few outliers would squeeze the rest
ALIKE = 1.05  # factors between 1 / ALIKE and ALIKE are called "about as high"

SURFACE = "x4"  # the axis that what is drawn over the scatter refers to
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 104, 42  # margins in pixels
TALLER = TOP + BOTTOM - LEFT - RIGHT
"""By how many pixels the figure must be taller than wide for its scatter to be square."""

_SCATTER, _MARGIN = [0.0, 0.77], [0.79, 1.0]


def scatter(
    parts: Sequence[Points],
    scores: MethodScores,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    *,
    channel: int | None = None,
    id_in_front: bool = True,
    most: int = MOST_DRAWN,
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
    means, maxima = _edges([part.mean for part in parts], right), _edges([part.maximum for part in parts], top)
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
    return Picture(figure, reading(curves, titles, channel), table, stem)


def _cloud(part: Points, total: int, colour: str) -> go.Scattergl:
    return go.Scattergl(
        x=part.mean,
        y=part.maximum,
        mode="markers",
        marker={
            "size": 5 if total <= 10_000 else 3,
            "opacity": min(0.6, max(0.08, 15_000 / max(total, 1))),  # so that the crowd stays a cloud, not a block
            "color": colour,
        },
        legendgroup=part.dataset,
        showlegend=False,
        hoverinfo="skip",
    )


def _hover_grid(parts: Sequence[Points], titles: Mapping[str, str], right: float, top: float) -> go.Heatmap:
    """Cells that nobody sees: pointed at, they say how many points of which dataset lie there.

    It lies on axes of its own over those of the points, for two reasons that were measured with 192,000 points. A lasso
    on the points' own axes sends every point that it holds to the server, 190 bytes each (9.6 MB for a fifth of them),
    and again with every later click; here it sends its outline, and the server knows the points. And where hundreds of
    points lie on one pixel, the one on top tells less than their numbers.
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
        hovertemplate="mean about %{x:.3g}: median maximum %{y:.3g}",
    )


def density(values: FloatArray, edges: FloatArray) -> NDArray[np.float64]:
    """The histogram of ``values`` between ``edges`` (B + 1,), scaled to the area 1: (B,), all 0 without values."""
    counts = np.histogram(np.asarray(values, dtype=np.float64), bins=edges)[0]
    return counts / max(len(values), 1) / np.diff(edges)


def _margin(
    values: FloatArray, edges: FloatArray, colour: str, title: str, name: str, where: str, *, filled: bool
) -> go.Scatter:
    along, across = (edges[:-1] + edges[1:]) / 2, density(values, edges)
    what, xaxis, yaxis = {"top": ("mean", "x", "y2"), "right": ("maximum", "x2", "y"), "corner": ("S<sub>NAP</sub>", "x3", "y3")}[
        where
    ]
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
        showlegend=False,
        hovertemplate=f"{what} %{{{'y' if lying else 'x'}:.3g}}, density %{{{'x' if lying else 'y'}:.3g}}",
    )


def ends(parts: Sequence[Points]) -> tuple[float, float]:
    """Where the axes of the mean and the maximum end when the figure opens; both start at 0.

    No dataset has more than the share ``BEYOND`` of its points beyond either. 1 where there is nothing to show.
    """

    def end(values: Sequence[FloatArray]) -> float:
        largest = max((float(np.quantile(part, 1 - BEYOND)) for part in values if len(part)), default=0.0)
        return 1.03 * largest if largest > 0 else 1.0

    return end([part.mean for part in parts]), end([part.maximum for part in parts])


def _edges(values: Sequence[FloatArray], end: float) -> NDArray[np.float64]:
    """Bins from 0 on, ``BINS`` of them up to ``end`` and as many more as it takes to hold every value."""
    largest = max((float(part.max()) for part in values if len(part)), default=0.0)
    bins: NDArray[np.float64] = np.arange(max(BINS, math.floor(largest * BINS / end) + 1) + 1) * (end / BINS)
    return bins


def _lay_out(figure: go.Figure, right: float, top: float) -> None:
    flat = {"showgrid": False, "zeroline": False}
    quiet = {**flat, "showticklabels": False, "fixedrange": True, "rangemode": "tozero"}
    figure.update_layout(
        height=640,
        margin={"l": LEFT, "r": RIGHT, "t": TOP, "b": BOTTOM, "autoexpand": False},
        plot_bgcolor="rgba(0,0,0,0)",  # one plot lies over another
        dragmode="lasso",
        hovermode="closest",
        legend={"orientation": "h", "x": -0.06, "y": 1, "yref": "container", "yanchor": "top"},
        modebar={"add": ["lasso2d", "select2d"]},
        newselection={"line": {"color": NEUTRAL, "width": 2, "dash": "solid"}},
        xaxis={"domain": _SCATTER, "range": [0, right], "title": _title("mean of the map"), **flat},
        yaxis={"domain": _SCATTER, "range": [0, top], "title": _title("maximum of the map"), **flat},
        xaxis2={"domain": _MARGIN, "anchor": "y", "title": _title("density"), **quiet},
        yaxis2={"domain": _MARGIN, "anchor": "x", "title": _title("density"), **quiet},
        xaxis3={"domain": _MARGIN, "anchor": "y3", "side": "top", "title": _title("S<sub>NAP</sub>"), "fixedrange": True, **flat},
        yaxis3={"domain": _MARGIN, "anchor": "x3", **quiet},
        xaxis4={"domain": _SCATTER, "anchor": "y4", "matches": "x", "visible": False},
        yaxis4={"domain": _SCATTER, "anchor": "x4", "matches": "y", "visible": False},
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


def reading(curves: Mapping[str, PeakCurve], titles: Mapping[str, str], channel: int | None = None) -> str:
    """How high the ID peaks stand against each OOD dataset's at the same mean, in a sentence.

    ``curves`` has the ID dataset first. Where OOD peaks stand as high or higher, the prior fails, and it is said.
    """
    known, *others = curves
    factors = {name: peak_factor(curves[known], curves[name]) for name in others}
    ranked = sorted((name for name in others if not math.isnan(factors[name])), key=lambda name: -factors[name])
    unmatched = [titles[name] for name in others if math.isnan(factors[name])]
    start = "At the same mean" if channel is None else f"In channel {channel}, at the same mean"
    if not ranked:
        return f"{start}, there are too few points of {titles[known]} and {_listed(unmatched, 'or')} to compare."

    def against(low: float, high: float) -> str:
        return _listed([f"{titles[name]} (×\N{NO-BREAK SPACE}{factors[name]:.2f})" for name in ranked if low < factors[name] <= high])

    higher, alike, lower = against(ALIKE, math.inf), against(1 / ALIKE, ALIKE), against(0, 1 / ALIKE)
    said = []
    if higher:
        said.append(f"higher than on {higher}")
    if alike:
        said.append(f"about as high as on {alike}")
    if lower:
        said.append(f"lower than on {lower}, where a peak is no sign of a known image")
    rest = f"; {_listed(unmatched)} has too few points to compare" if unmatched else ""
    return f"{start}, peaks on {titles[known]} are {_listed(said)}{rest}."


def _listed(words: Sequence[str], last: str = "and") -> str:
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def tally(images: Sequence[Picked], titles: Mapping[str, str]) -> str:
    """How many points and images are selected, and of which datasets, in a sentence."""
    if not images:
        return "No point lies inside what was drawn."
    counts: dict[str, int] = {}
    for image in images:
        counts[image.dataset] = counts.get(image.dataset, 0) + len(image.channels)
    shares = [f"{count:,} of {titles[name]}" for name, count in sorted(counts.items(), key=lambda entry: -entry[1])]
    points = sum(counts.values())
    whose = f"{_counted(points, 'point')} from {_counted(len(images), 'image')}"
    return f"**{whose}**: {_listed(shares)}."


def drawn_words(parts: Sequence[Points], most: int = MOST_DRAWN) -> str:
    """How many points there are, which are left out, whether only a sample is drawn, how many lie beyond the axes."""
    total, left_out = sum(map(len, parts)), sum(part.left_out for part in parts)
    right, top = ends(parts)
    beyond = sum(int(np.count_nonzero((part.mean > right) | (part.maximum > top))) for part in parts)
    words = f"{_counted(total, 'point')}, one for each channel of each image"
    if left_out:
        words += f"; {left_out:,} with a smaller mean left out"
    if total > most:
        words += f"; a fixed random sample of {most:,} is drawn, everything else counts all"
    if beyond:
        words += f"; {beyond:,} beyond the axes, which the button “Autoscale” shows"
    return f"{words}. Thick lines: the median maximum at each mean."


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def sparkline(
    ratios: Mapping[str, FloatArray], colours: Mapping[str, str], span: tuple[float, float], bins: int = 24
) -> str:
    """How a channel's ratio (N,) is spread on each dataset, the ID one first and filled: an SVG as ``data:`` address.

    The curves have the same area and share ``span`` with the other channels' sparklines; the highest just fits.
    """
    side, base = 96, 90
    edges = np.linspace(*span, bins + 1)
    heights = {name: density(np.clip(ratio, *span), edges) for name, ratio in ratios.items()}
    top = max((float(height.max()) for height in heights.values()), default=0.0) or 1.0
    width = (side - 8) / bins
    shapes = []
    for position, (name, height) in enumerate(heights.items()):
        steps = " ".join(
            f"{4 + width * (step + shift):.1f},{base - 82 * value / top:.1f}"
            for step, value in enumerate(height)
            for shift in (0, 1)
        )
        path = f"4,{base} {steps} {side - 4},{base}"
        fill = f'fill="{colours[name]}" fill-opacity="0.35"' if position == 0 else 'fill="none"'
        shapes.append(f'<polyline points="{path}" {fill} stroke="{colours[name]}" stroke-width="1.5"/>')
    shapes.append(f'<line x1="4" x2="{side - 4}" y1="{base}" y2="{base}" stroke="{NEUTRAL}"/>')
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">{"".join(shapes)}</svg>'
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
