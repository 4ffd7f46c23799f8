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
    """The layout of a figure that cannot be zoomed.

    Args:
        height: The height of the figure in pixels.
        margin: The margins above, right, below and left of the plot, in pixels.
        more: Attributes of the layout, added or in place of those here; ``dragmode="zoom"`` makes a figure zoomable.

    Returns:
        Plotly's layout as a dictionary.

    Raises:
        ValueError: ``margin`` has not four values.
    """
    sides = dict(zip("trbl", margin, strict=True))
    return {"height": height, "margin": sides, "hovermode": "closest", "dragmode": False, **more}


def legend(y: float = 1.02, size: float | None = None, **more: Any) -> Style:
    """A horizontal legend above the plot.

    Args:
        y: The lower edge as a share of the plot's height; 1 is the top of the plot.
        size: The size of the letters in pixels; None for that of the theme.
        more: Attributes of the legend, added or in place of those here.

    Returns:
        Plotly's legend as a dictionary.
    """
    font = {} if size is None else {"font": {"size": size}}
    return {"orientation": "h", "x": 0, "xanchor": "left", "y": y, "yanchor": "bottom", **font, **more}


def axis(title: str | None = None, standoff: float | None = None, *, zoom: bool = False, **more: Any) -> Style:
    """An axis of fixed range without a zero line, or with ``zoom`` one as Plotly's theme draws it.

    Args:
        title: The text beside the axis; None for none.
        standoff: The distance of the title from the tick labels in pixels; None leaves it to Plotly.
        zoom: Whether the range can be changed in the figure.
        more: Attributes of the axis, added or in place of those here.

    Returns:
        Plotly's axis as a dictionary.
    """
    named = {} if title is None else {"title": {"text": title, **({} if standoff is None else {"standoff": standoff})}}
    return {**named, **({} if zoom else {"zeroline": False, "fixedrange": True}), **more}


def share_axis(title: str | None = None, **more: Any) -> Style:
    """An axis of shares, written in percent without decimals.

    Args:
        title: The text beside the axis; None for none.
        more: Further arguments of ``axis``.

    Returns:
        Plotly's axis as a dictionary; its values are shares, 0 to 1.
    """
    return axis(title, tickformat=".0%", **more)


def metric_axis(metric: Metric, **more: Any) -> Style:
    """The y axis of a metric over a quantity; that of FPR95 begins at 0.

    Args:
        metric: "fpr95" or "auroc"; the title says which direction is better.
        more: Further arguments of ``axis``, also in place of those here.

    Returns:
        Plotly's axis as a dictionary; its values are shares, 0 to 1.
    """
    mode = "tozero" if metric == "fpr95" else "normal"
    title = f"{METRIC_TITLES[metric]} ({BETTER[metric]} is better)"
    return share_axis(title, **{"nticks": 6, "rangemode": mode, **more})


def categories(names: Sequence[str], **more: Any) -> Style:
    """A y axis with a row for each name, the first on top.

    Args:
        names: The labels; the row of the i-th is at y = i, from 0.
        more: Further arguments of ``axis``.

    Returns:
        Plotly's axis as a dictionary.
    """
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
    """A line through points.

    Args:
        x: The x coordinates, (N,); None is a gap.
        y: The y coordinates, (N,); None is a gap.
        colour: The colour as CSS.
        width: The width in pixels.
        name: The name in the legend; None keeps the line out of it.
        hover: Plotly's hover template; None gives no hover text.
        more: Attributes of the scatter trace; ``dash`` is one of the line.

    Returns:
        Plotly's trace as a dictionary.
    """
    style = {"color": colour, "width": width, **({"dash": more.pop("dash")} if "dash" in more else {})}
    return _scatter(x, y, name, hover, **{"mode": "lines", "line": style, **more})


def marks(x: Values, y: Values, marker: Style, name: str | None = None, hover: str | None = None, **more: Any) -> Style:
    """Markers at points.

    Args:
        x: The x coordinates, (N,); None draws nothing.
        y: The y coordinates, (N,); None draws nothing.
        marker: Plotly's marker: colour, size in pixels, symbol.
        name: The name in the legend; None keeps the markers out of it.
        hover: Plotly's hover template; None gives no hover text.
        more: Attributes of the scatter trace.

    Returns:
        Plotly's trace as a dictionary.
    """
    return _scatter(x, y, name, hover, **{"mode": "markers", "marker": marker, **more})


def _scatter(x: Values, y: Values, name: str | None, hover: str | None, **more: Any) -> Style:
    named = {"showlegend": False} if name is None else {"name": name}
    pointed = {"hoverinfo": "skip"} if hover is None else {"hovertemplate": hover}
    return {"type": "scatter", "x": x, "y": y, **named, **pointed, **more}


def ring(x: float, y: float, colour: str, name: str | None = None, size: float = 20, width: float = 2.5) -> Style:
    """An open circle around one point, without a hover text.

    Args:
        x: The x coordinate of its centre.
        y: The y coordinate of its centre.
        colour: The colour as CSS.
        name: The name in the legend; None keeps the ring out of it.
        size: The diameter in pixels.
        width: The width of the line in pixels.

    Returns:
        Plotly's trace as a dictionary.
    """
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
    """The accuracy of the network on ID images, a broad blue line.

    Args:
        x: The quantity over which it is drawn, (X,).
        y: The accuracy at each ``x``, (X,), shares.
        at: The end of the hover text, with its leading space: a Plotly template for the place on the x axis.

    Returns:
        Plotly's trace as a dictionary.
    """
    hover = f"accuracy of the network {SHARE}{at}<extra></extra>"
    return line(x, y, ID_COLOUR, 7, "accuracy of the network", hover, opacity=0.55)


def note(text: str, x: float, y: float, size: float | None = None, **more: Any) -> Style:
    """Text without an arrow.

    Args:
        text: The text, in Plotly's HTML.
        x: The position along x, in units of the axis unless ``xref`` is among ``more``.
        y: The position along y, in units of the axis unless ``yref`` is among ``more``.
        size: The size of the letters in pixels; None for that of the theme.
        more: Attributes of the annotation, added or in place of those here.

    Returns:
        Plotly's annotation as a dictionary.
    """
    font = {} if size is None else {"font": {"size": size}}
    return {"text": text, "x": x, "y": y, "showarrow": False, **font, **more}


def under_axes(source: str, width: float, height: float, number: str = "", corner: float = -0.5) -> Style:
    """A picture stretched below axes whose cells are 1 wide and 1 high.

    Args:
        source: The picture as a ``data:`` address.
        width: The number of cells along x.
        height: The number of cells along y.
        number: The suffix of both axes in Plotly's names, "2" for ``x2`` and ``y2``; "" for the first.
        corner: Where the first cell begins on both axes: -0.5 for cells numbered from 0, 0.5 for cells from 1.

    Returns:
        Plotly's layout image as a dictionary.
    """
    place = {"xref": f"x{number}", "yref": f"y{number}", "x": corner, "y": corner}
    return {"source": source, **place, "sizex": width, "sizey": height, "sizing": "stretch", "layer": "below"}


def cells(z: ArrayLike, colours: tuple[str, ...], text: Sequence[Sequence[str]], letters: Style, **more: Any) -> Style:
    """A heatmap whose cells carry text, from 0 to 1 and without a colour bar unless ``more`` says otherwise.

    Args:
        z: The values, (R, C).
        colours: CSS colours spread evenly from the least to the highest value, at least two.
        text: What is written in each cell, (R, C).
        letters: Plotly's font of the text.
        more: Attributes of the heatmap, added or in place of those here.

    Returns:
        Plotly's trace as a dictionary.
    """
    scale = [[float(place), colour] for place, colour in zip(np.linspace(0, 1, len(colours)), colours, strict=True)]
    written = {"text": text, "texttemplate": "%{text}", "textfont": letters}
    return {"type": "heatmap", "z": z, "zmin": 0, "zmax": 1, "colorscale": scale, "showscale": False, **written, **more}
