"""Layout, axes and traces that the figures share, as the dictionaries that Plotly takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nap_core.figures.palette import ID_COLOUR, NEUTRAL
from nap_core.figures.text import BETTER
from nap_core.metrics import METRIC_TITLES, Metric

Style = dict[str, Any]
Values = ArrayLike | Sequence[float | None]  # a trace may have gaps

INVISIBLE = "rgba(0,0,0,0)"
TRANSPARENT: Style = {"paper_bgcolor": INVISIBLE, "plot_bgcolor": INVISIBLE}
DOTTED: Style = {"color": NEUTRAL, "width": 1.5, "dash": "dot"}
SHARE = "%{y:.1%}"  # a hover text: the unified label writes x once and each name beside its colour
AVERAGE_NAME = "average"


def base_layout(height: float, margin: tuple[float, float, float, float], **more: Any) -> Style:
    """The layout of a figure that cannot be zoomed: ``height`` and ``margin`` (top, right, bottom, left) in pixels.

    ``more`` adds or replaces attributes of the layout; ``dragmode="zoom"`` makes a figure zoomable.
    """
    sides = dict(zip("trbl", margin, strict=True))
    return {"height": height, "margin": sides, "hovermode": "closest", "dragmode": False, **more}


def legend(y: float = 1.02, size: float | None = None, **more: Any) -> Style:
    """A horizontal legend above the plot, at ``y`` of its height, with letters of ``size`` pixels."""
    font = {} if size is None else {"font": {"size": size}}
    return {"orientation": "h", "x": 0, "xanchor": "left", "y": y, "yanchor": "bottom", **font, **more}


def axis(title: str | None = None, standoff: float | None = None, *, zoom: bool = False, **more: Any) -> Style:
    """An axis of fixed range without a zero line; with ``zoom`` its range can be changed and Plotly's theme decides.

    ``standoff`` is the distance of the title from the tick labels in pixels.
    """
    named = {} if title is None else {"title": {"text": title, **({} if standoff is None else {"standoff": standoff})}}
    return {**named, **({} if zoom else {"zeroline": False, "fixedrange": True}), **more}


def share_axis(title: str | None = None, **more: Any) -> Style:
    """An axis of shares, written in percent."""
    return axis(title, tickformat=".0%", **more)


def metric_axis(metric: Metric, **more: Any) -> Style:
    """The y axis of a metric over a quantity; that of FPR95 begins at 0."""
    mode = "tozero" if metric == "fpr95" else "normal"
    title = f"{METRIC_TITLES[metric]} ({BETTER[metric]} is better)"
    return share_axis(title, **{"nticks": 6, "rangemode": mode, **more})


def categories(names: Sequence[str], **more: Any) -> Style:
    """A y axis with a row for each of ``names``, the first on top."""
    return axis(tickvals=list(range(len(names))), ticktext=list(names), range=[len(names) - 0.5, -0.5], **more)


def line(
    x: Values,
    y: Values,
    colour: str,
    width: float,
    name: str | None = None,
    hover: str | None = None,
    **more: Any,
) -> Style:
    """A line through (x, y). Without ``name`` it is not in the legend; without ``hover`` the pointer finds nothing.

    ``dash`` is an attribute of the line, all others of ``more`` are those of a scatter trace.
    """
    style = {"color": colour, "width": width, **({"dash": more.pop("dash")} if "dash" in more else {})}
    return _scatter(x, y, name, hover, **{"mode": "lines", "line": style, **more})


def marks(x: Values, y: Values, marker: Style, name: str | None = None, hover: str | None = None, **more: Any) -> Style:
    """Markers at (x, y). Without ``name`` they are not in the legend; without ``hover`` the pointer finds nothing."""
    return _scatter(x, y, name, hover, **{"mode": "markers", "marker": marker, **more})


def _scatter(x: Values, y: Values, name: str | None, hover: str | None, **more: Any) -> Style:
    named = {"showlegend": False} if name is None else {"name": name}
    pointed = {"hoverinfo": "skip"} if hover is None else {"hovertemplate": hover}
    return {"type": "scatter", "x": x, "y": y, **named, **pointed, **more}


def ring(x: float, y: float, colour: str, name: str | None = None, size: float = 20, width: float = 2.5) -> Style:
    """An open circle of ``size`` pixels around one point."""
    marker = {"color": colour, "size": size, "symbol": "circle-open", "line": {"width": width}}
    return marks([x], [y], marker, name, cliponaxis=False)


def curves_over_x(
    x: ArrayLike,
    values: Mapping[str, ArrayLike],
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    average: ArrayLike | None = None,
    *,
    widths: tuple[float, float, float] = (1.8, 5, 4),
    hover: str = SHARE,
    **more: Any,
) -> list[Style]:
    """A line a dataset over a quantity and, of several datasets, a thick grey one for their average.

    Args:
        x: The quantity, (X,).
        values: Catalogue name of the dataset → its values at ``x``, (X,) each, in the order in which they are drawn.
        titles: Catalogue name → title in the legend.
        colours: Catalogue name → colour.
        average: The average over the datasets, (X,); None draws none.
        widths: Pixels of a dataset's line beside others, of the average, and of the line of a single dataset.
        hover: Plotly's hover template of every line.
        more: Further attributes of every trace.

    Returns:
        The traces, that of the average last.
    """
    thin, thick, single = widths
    several = len(values) > 1
    traces = [
        line(x, curve, colours[name], thin if several else single, titles[name], hover, **more)
        for name, curve in values.items()
    ]
    if several and average is not None:
        traces.append(line(x, average, NEUTRAL, thick, AVERAGE_NAME, hover, **more))
    return traces


def accuracy_line(x: Values, y: Values, at: str = "") -> Style:
    """The accuracy of the network on ID images, a broad blue line; ``at`` ends the hover text."""
    hover = f"accuracy of the network {SHARE}{at}<extra></extra>"
    return line(x, y, ID_COLOUR, 7, "accuracy of the network", hover, opacity=0.55)


def note(text: str, x: float, y: float, size: float | None = None, **more: Any) -> Style:
    """Text without an arrow, as an annotation."""
    font = {} if size is None else {"font": {"size": size}}
    return {"text": text, "x": x, "y": y, "showarrow": False, **font, **more}


def under_axes(source: str, width: float, height: float, number: str = "", corner: float = -0.5) -> Style:
    """A picture stretched below the axes ``number`` ("" the first), whose cells are 1 wide and begin at ``corner``."""
    place = {"xref": f"x{number}", "yref": f"y{number}", "x": corner, "y": corner}
    return {"source": source, **place, "sizex": width, "sizey": height, "sizing": "stretch", "layer": "below"}


def cells(z: ArrayLike, colours: tuple[str, ...], text: Sequence[Sequence[str]], letters: Style, **more: Any) -> Style:
    """A heatmap whose cells carry ``text``; ``colours`` are spread evenly from the least to the highest value."""
    scale = [[float(place), colour] for place, colour in zip(np.linspace(0, 1, len(colours)), colours, strict=True)]
    written = {"text": text, "texttemplate": "%{text}", "textfont": letters}
    return {"type": "heatmap", "z": z, "zmin": 0, "zmax": 1, "colorscale": scale, "showscale": False, **written, **more}
