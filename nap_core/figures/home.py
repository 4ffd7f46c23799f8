"""Home: two images with one average and one peak, and their place among the scores of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core import metrics
from nap_core.figures.activation_maps import enlarged, neurons
from nap_core.figures.layout import Style, axis, base_layout, legend, marks, note, under_axes
from nap_core.figures.palette import NEUTRAL, sequential
from nap_core.figures.picture import Picture
from nap_core.figures.score_histograms.bins import Bins
from nap_core.figures.text import percent, three_digits
from nap_core.figures.thumbnails import data_address

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores
    from nap_core.analysis.home_example import Example, HomeExample

PAIR_HEIGHT = 460
HISTOGRAM_HEIGHT = 420
BINS = 36
_SPANS = ((0.0, 0.36), (0.64, 1.0))  # of the width, for the two images; the sentence stands between them
_IMAGE, _MAP = (0.52, 0.97), (0.03, 0.48)  # of the height


def pair_picture(pair: HomeExample, colours: Sequence[str]) -> Picture:
    """Two images over their feature maps of one channel, on one colour scale.

    Args:
        pair: The ID and the OOD image, with equal means and different maxima in the channel.
        colours: The colours of the ID and the OOD dataset.

    Returns:
        The figure, after Figure 1a of the NAP paper; its table holds one row a neuron.

    Raises:
        ValueError: There are not two colours.
    """
    top = max(pair.id_image.maximum, pair.ood_image.maximum)
    figure = go.Figure()
    for number, (example, span, colour) in enumerate(
        zip((pair.id_image, pair.ood_image), _SPANS, colours, strict=True)
    ):
        image, channel_map = 2 * number + 1, 2 * number + 2
        _add_image(figure, example, image, span)
        _add_map(figure, example, channel_map, span, top)
        # As in the score histograms the colour is on a square: as a colour of letters it is too pale to read.
        heading = f"<span style='color:{colour}'>■</span> <b>{('ID image', 'OOD image')[number]}</b>"
        _write(figure, sum(span) / 2, (image, 1), f"{heading}<br>{example.shows}", 15)
        numbers = f"mean <b>{three_digits(example.mean)}</b><br>maximum <b>{three_digits(example.maximum)}</b>"
        _write(figure, sum(span) / 2, (channel_map, 0), numbers, 15)
    _write(figure, 0.5, (2, 0.5), "<b>Same<br>average.<br>Only one<br>has a peak.</b>", 18)
    figure.update_layout(base_layout(PAIR_HEIGHT, (48, 0, 48, 0), showlegend=False))
    return Picture(figure, _pair_reading(pair), _pair_table(pair), "same_average_one_peak")


def _add_image(figure: go.Figure, example: Example, axis: int, span: tuple[float, float]) -> None:
    height, width = example.view.shape[:2]
    _add_axes(figure, axis, span, _IMAGE, (width, height))
    # A layout image alone would leave its axes undrawn.
    figure.add_trace(marks([None], [None], {}, xaxis=f"x{axis}", yaxis=f"y{axis}"))
    figure.add_layout_image(under_axes(data_address(enlarged(example.view), size=1024), width, height, str(axis)))


def _add_map(figure: go.Figure, example: Example, axis: int, span: tuple[float, float], top: float) -> None:
    height, width = example.channel_map.shape
    _add_axes(figure, axis, span, _MAP, (width, height))
    cells = np.moveaxis(np.indices((height, width)) + 1, 0, -1)
    hover = "row %{customdata[0]}, column %{customdata[1]}<br>activation %{z:.3g}<extra></extra>"
    scale = {"zmin": 0, "zmax": top, "colorscale": sequential(), "showscale": False}
    place = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    figure.add_heatmap(z=example.channel_map, customdata=cells, hovertemplate=hover, **place, **scale)


def _add_axes(
    figure: go.Figure, axis: int, across: tuple[float, float], up: tuple[float, float], cells: tuple[int, int]
) -> None:
    """Hidden axes of square cells; where the width is narrow the image and its map stay together in the middle."""
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    x = {"domain": across, "range": [-0.5, cells[0] - 0.5], "anchor": f"y{axis}", **hidden}
    y = {"domain": up, "range": [cells[1] - 0.5, -0.5], "anchor": f"x{axis}", "scaleanchor": f"x{axis}", **hidden}
    side = "bottom" if up == _IMAGE else "top"
    figure.update_layout({f"xaxis{axis}": x, f"yaxis{axis}": {**y, "constraintoward": side}})


def _write(figure: go.Figure, x: float, place: tuple[int, float], text: str, size: int) -> None:
    """Text centred at ``x`` of the width: above, beside or below an axis, at 1, ½ or 0 of its height."""
    axis, y = place
    anchor, shift = {1: ("bottom", 4), 0.5: ("middle", 0), 0: ("top", -4)}[y]
    at: Style = {"xref": "paper", "yref": f"y{axis if axis > 1 else ''} domain", "xanchor": "center", "yanchor": anchor}
    figure.add_annotation(note(text, x, y, yshift=shift, font={"size": size}, **at))


def _pair_reading(pair: HomeExample) -> str:
    both = (pair.id_image, pair.ood_image)
    means, peaks = ([three_digits(value) for value in (getattr(one, of) for one in both)] for of in ("mean", "maximum"))
    names = [f"the {example.shows or 'image'} ({example.title})" for example in both]
    averages = f"Channel {pair.channel} averages {means[0]} on {names[0]} and {means[1]} on {names[1]}"
    return f"{averages}, but peaks at {peaks[0]} and {peaks[1]}."


def _pair_table(pair: HomeExample) -> pd.DataFrame:
    both = {"ID": pair.id_image, "OOD": pair.ood_image}
    parts = [neurons(role, one.channel_map, dataset=one.dataset, channel=pair.channel) for role, one in both.items()]
    return pd.concat(parts, ignore_index=True)


def study_histogram(
    scores: MethodScores,
    id_dataset: str,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    examples: Sequence[Example] = (),
) -> Picture:
    """The scores of a study, ID images upwards and OOD images downwards, OOD datasets stacked.

    Bars are shares, of the ID images above and of all OOD images below. The dashed line is the threshold at TPR 95 %.

    Args:
        scores: The scores of one method.
        id_dataset: Catalogue name of the ID dataset.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.
        examples: An ID and an OOD image drawn at their NAP scores; for the histogram of NAP only.

    Returns:
        The figure; its table holds one row a bar.

    Raises:
        ValueError: A dataset has no score, or a score is not finite.
    """
    bins = Bins.of([scores.id, *scores.ood.values()], BINS)
    pooled = len(scores.pooled)
    figure = go.Figure()
    tables = [_add_bars(figure, bins, id_dataset, scores.id, len(scores.id), titles, colours, upwards=True)]
    for name, part in scores.ood.items():
        tables.append(_add_bars(figure, bins, name, part, pooled, titles, colours, upwards=False))
    up = float(bins.counts(scores.id).max() / len(scores.id))
    down = float(bins.counts(scores.pooled).max() / pooled)
    _mark(figure, bins, examples, up, down)
    threshold = float(bins.drawn(np.array([scores.threshold()]))[0])
    figure.add_vline(x=threshold, line={"dash": "dash", "width": 2, "color": NEUTRAL})
    xaxis = axis(f"{scores.title} score{' (log scale)' if bins.log else ''}", zeroline=None)
    if bins.log:
        decades = np.arange(np.ceil(bins.edges[0]), np.floor(bins.edges[-1]) + 1)
        xaxis |= {"tickvals": decades, "ticktext": [f"{10.0**decade:,g}" for decade in decades]}
    room = [-1.36 * down, 1.36 * up]  # for the example images
    yaxis = axis("◂ OOD · share · ID ▸", zeroline=None, range=room, showticklabels=False, showgrid=False)
    fixed = {"legend": legend(), "legend_itemclick": False, "legend_itemdoubleclick": False}
    bars = {"barmode": "relative", "bargap": 0, "xaxis": xaxis, "yaxis": yaxis}
    figure.update_layout(base_layout(HISTOGRAM_HEIGHT, (8, 0, 40, 0), **bars, **fixed))
    caption = _histogram_reading(scores, titles, id_dataset)
    return Picture(figure, caption, pd.concat(tables, ignore_index=True), f"study_{scores.method}")


def _add_bars(
    figure: go.Figure,
    bins: Bins,
    name: str,
    values: NDArray[np.float64],
    total: int,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    *,
    upwards: bool,
) -> pd.DataFrame:
    """Draw one dataset's bars as shares of ``total`` images; their numbers."""
    counts = bins.counts(values)
    share = counts / total
    figure.add_bar(
        x=bins.centres,
        y=share if upwards else -share,
        width=bins.width,
        name=titles[name],
        marker={"color": colours[name], "line": {"width": 0}},
        customdata=[[bins.words(position), int(count)] for position, count in enumerate(counts)],
        hovertemplate=f"%{{customdata[0]}}<br>%{{customdata[1]}} images<extra>{titles[name]}</extra>",
    )
    low, high = zip(*(bins.bounds(position) for position in range(len(bins))), strict=True)
    return pd.DataFrame({"dataset": name, "from": low, "to": high, "images": counts, "share": share})


def _mark(figure: go.Figure, bins: Bins, examples: Sequence[Example], up: float, down: float) -> None:
    width = 0.11 * (bins.edges[-1] - bins.edges[0])
    for example, height in zip(examples, (1.2 * up, -1.2 * down), strict=False):
        x = float(np.clip(bins.drawn(np.array([example.nap]))[0], bins.edges[0], bins.edges[-1]))
        figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=0.9 * height, line={"width": 2, "color": NEUTRAL})
        size = {"sizex": width, "sizey": 0.3 * max(up, down), "sizing": "contain", "layer": "above"}
        place = {"x": x, "y": height, "xref": "x", "yref": "y", "xanchor": "center", "yanchor": "middle"}
        figure.add_layout_image(source=data_address(enlarged(example.view, 64)), **place, **size)
        hover = f"{example.shows or 'the image'} above: {three_digits(example.nap)}<extra>{example.title}</extra>"
        figure.add_trace(marks([x], [height], {"size": 30, "opacity": 0}, None, hover))


def _histogram_reading(scores: MethodScores, titles: Mapping[str, str], id_dataset: str) -> str:
    rejected = {name: 1 - metrics.fpr_at_tpr(scores.id, part) for name, part in scores.ood.items()}
    total = float(np.mean(scores.pooled < scores.threshold()))
    start = f"At the threshold that accepts 95\N{NO-BREAK SPACE}% of {titles[id_dataset]} (dashed), "
    start += f"{scores.title} rejects"
    if len(rejected) == 1:
        return f"{start} {percent(total)} of {titles[next(iter(rejected))]}."
    most, least = max(rejected, key=lambda name: rejected[name]), min(rejected, key=lambda name: rejected[name])
    if rejected[most] == rejected[least]:
        return f"{start} {percent(total)} of every OOD dataset."
    return (
        f"{start} {percent(total)} of the OOD images: {percent(rejected[most])} of {titles[most]}, "
        f"but {percent(rejected[least])} of {titles[least]}."
    )
