"""Home: two images with one average and one peak, and where they lie among the scores of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core import metrics
from nap_core.analysis.evaluation import MethodScores
from nap_core.analysis.home_example import Example, HomeExample
from nap_core.figures.activation_maps import enlarged
from nap_core.figures.palette import NEUTRAL, sequential
from nap_core.figures.picture import Picture, percent, three_digits
from nap_core.figures.score_histograms.bins import Bins
from nap_core.figures.thumbnails import data_address

PAIR_HEIGHT = 460
HISTOGRAM_HEIGHT = 420
BINS = 36
TEXT = "#000037"  # Streamlit's theme puts its strong text colour here, light or dark; elsewhere it is nearly black
_SPANS = ((0.0, 0.36), (0.64, 1.0))  # of the width, for the two images; the sentence stands between them
_IMAGE, _MAP = (0.52, 0.97), (0.03, 0.48)  # of the height


def pair_picture(pair: HomeExample, colours: Sequence[str]) -> Picture:
    """The two images over their maps of one channel, on one colour scale: the paper's Figure 1a.

    ``colours`` are those of the known and the unknown dataset.
    """
    top = max(pair.known.maximum, pair.met.maximum)
    figure = go.Figure()
    for number, (example, span, colour) in enumerate(zip((pair.known, pair.met), _SPANS, colours, strict=True)):
        image, channel_map = 2 * number + 1, 2 * number + 2
        _add_image(figure, example, image, span)
        _add_map(figure, example, channel_map, span, top)
        # As in the score histograms the colour is on a square: as a colour of letters it is too pale to read.
        heading = f"<span style='color:{colour}'>■</span> <b>{('Known', 'Never seen')[number]}</b>"
        _write(figure, sum(span) / 2, (image, 1), f"{heading}<br>{example.shows}", 15)
        numbers = f"mean <b>{three_digits(example.mean)}</b><br>maximum <b>{three_digits(example.maximum)}</b>"
        _write(figure, sum(span) / 2, (channel_map, 0), numbers, 15)
    _write(figure, 0.5, (2, 0.5), "<b>Same<br>average.<br>Only one<br>has a peak.</b>", 18)
    figure.update_layout(height=PAIR_HEIGHT, margin={"l": 0, "r": 0, "t": 48, "b": 48}, showlegend=False)
    return Picture(figure, _pair_reading(pair), _pair_table(pair), "same_average_one_peak")


def _add_image(figure: go.Figure, example: Example, axis: int, span: tuple[float, float]) -> None:
    height, width = example.view.shape[:2]
    _add_axes(figure, axis, span, _IMAGE, (width, height))
    # A layout image alone would leave its axes undrawn.
    figure.add_scatter(x=[None], y=[None], xaxis=f"x{axis}", yaxis=f"y{axis}", hoverinfo="skip", showlegend=False)
    figure.add_layout_image(
        source=data_address(enlarged(example.view), size=1024),
        xref=f"x{axis}",
        yref=f"y{axis}",
        x=-0.5,
        y=-0.5,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )


def _add_map(figure: go.Figure, example: Example, axis: int, span: tuple[float, float], top: float) -> None:
    height, width = example.channel_map.shape
    _add_axes(figure, axis, span, _MAP, (width, height))
    figure.add_heatmap(
        z=example.channel_map,
        xaxis=f"x{axis}",
        yaxis=f"y{axis}",
        zmin=0,
        zmax=top,
        colorscale=sequential(),
        showscale=False,
        customdata=np.moveaxis(np.indices(example.channel_map.shape) + 1, 0, -1),
        hovertemplate="row %{customdata[0]}, column %{customdata[1]}<br>activation %{z:.3g}<extra></extra>",
    )


def _add_axes(
    figure: go.Figure, axis: int, across: tuple[float, float], up: tuple[float, float], cells: tuple[int, int]
) -> None:
    """Hidden axes of square cells; where the width is narrow the image and its map stay together in the middle."""
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    figure.update_layout(
        {
            f"xaxis{axis}": {**hidden, "domain": across, "range": [-0.5, cells[0] - 0.5], "anchor": f"y{axis}"},
            f"yaxis{axis}": {
                **hidden,
                "domain": up,
                "range": [cells[1] - 0.5, -0.5],
                "anchor": f"x{axis}",
                "scaleanchor": f"x{axis}",
                "constraintoward": "bottom" if up == _IMAGE else "top",
            },
        }
    )


def _write(figure: go.Figure, x: float, place: tuple[int, float], text: str, size: int) -> None:
    """Text centred at ``x`` of the width: above, beside or below an axis, at 1, ½ or 0 of its height."""
    axis, y = place
    figure.add_annotation(
        x=x,
        y=y,
        xref="paper",
        yref=f"y{axis if axis > 1 else ''} domain",
        text=text,
        showarrow=False,
        xanchor="center",
        yanchor={1: "bottom", 0.5: "middle", 0: "top"}[y],
        yshift={1: 4, 0.5: 0, 0: -4}[y],
        font={"size": size, "color": TEXT},
    )


def _pair_reading(pair: HomeExample) -> str:
    names = [f"the {example.shows or 'image'} ({example.title})" for example in (pair.known, pair.met)]
    means, peaks = zip(
        *((three_digits(one.mean), three_digits(one.maximum)) for one in (pair.known, pair.met)), strict=True
    )
    averages = f"Channel {pair.channel} averages {means[0]} on {names[0]} and {means[1]} on {names[1]}"
    return f"{averages}, but peaks at {peaks[0]} and {peaks[1]}."


def _pair_table(pair: HomeExample) -> pd.DataFrame:
    parts = []
    for role, example in (("ID", pair.known), ("OOD", pair.met)):
        rows, columns = (index.ravel() + 1 for index in np.indices(example.channel_map.shape))
        part = pd.DataFrame({"row": rows, "column": columns, "activation": example.channel_map.ravel()})
        parts.append(part.assign(image=role, dataset=example.dataset, channel=pair.channel))
    return pd.concat(parts, ignore_index=True)[["image", "dataset", "channel", "row", "column", "activation"]]


def study_histogram(
    scores: MethodScores,
    id_dataset: str,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    marks: Sequence[Example] = (),
) -> Picture:
    """The scores of a study, ID images upwards and OOD images downwards, OOD datasets stacked.

    Bars are shares, of the ID images above and of all OOD images below; ``marks`` are shown as small pictures at their
    NAP score, so they belong only into the histogram of NAP. The dashed line is the threshold.
    """
    bins = Bins.of([scores.id, *scores.ood.values()], BINS)
    pooled = len(scores.pooled)
    figure = go.Figure()
    tables = [_add_bars(figure, bins, id_dataset, scores.id, len(scores.id), titles, colours, upwards=True)]
    for name, part in scores.ood.items():
        tables.append(_add_bars(figure, bins, name, part, pooled, titles, colours, upwards=False))
    up = float(bins.counts(scores.id).max() / len(scores.id))
    down = float(bins.counts(scores.pooled).max() / pooled)
    _mark(figure, bins, marks, up, down)
    threshold = float(bins.drawn(np.array([scores.threshold()]))[0])
    figure.add_vline(x=threshold, line={"dash": "dash", "width": 2, "color": NEUTRAL})
    figure.update_layout(
        height=HISTOGRAM_HEIGHT,
        barmode="relative",
        bargap=0,
        margin={"l": 0, "r": 0, "t": 8, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        legend_itemclick=False,
        legend_itemdoubleclick=False,
    )
    figure.update_xaxes(title=f"{scores.title} score{' (log scale)' if bins.log else ''}", fixedrange=True)
    if bins.log:
        decades = np.arange(np.ceil(bins.edges[0]), np.floor(bins.edges[-1]) + 1)
        figure.update_xaxes(tickvals=decades, ticktext=[f"{10.0**decade:,g}" for decade in decades])
    figure.update_yaxes(
        title="◂ OOD · share · ID ▸",
        range=[-1.36 * down, 1.36 * up],  # leaves room for the marked images
        showticklabels=False,
        fixedrange=True,
        showgrid=False,
    )
    reading = _histogram_reading(scores, titles, id_dataset)
    return Picture(figure, reading, pd.concat(tables, ignore_index=True), f"study_{scores.method}")


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
        hovertemplate="%{customdata[0]}<br>%{customdata[1]} images<extra>" + titles[name] + "</extra>",
    )
    low, high = zip(*(bins.bounds(position) for position in range(len(bins))), strict=True)
    return pd.DataFrame({"dataset": name, "from": low, "to": high, "images": counts, "share": share})


def _mark(figure: go.Figure, bins: Bins, marks: Sequence[Example], up: float, down: float) -> None:
    width = 0.11 * (bins.edges[-1] - bins.edges[0])
    for example, height in zip(marks, (1.2 * up, -1.2 * down), strict=False):
        x = float(np.clip(bins.drawn(np.array([example.nap]))[0], bins.edges[0], bins.edges[-1]))
        figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=0.9 * height, line={"width": 2, "color": NEUTRAL})
        figure.add_layout_image(
            source=data_address(enlarged(example.view, 64)),
            xref="x",
            yref="y",
            x=x,
            y=height,
            sizex=width,
            sizey=0.3 * max(up, down),
            xanchor="center",
            yanchor="middle",
            sizing="contain",
            layer="above",
        )
        figure.add_scatter(
            x=[x],
            y=[height],
            mode="markers",
            marker={"size": 30, "opacity": 0},
            showlegend=False,
            hovertemplate=f"{example.shows or 'the image'} above: {three_digits(example.nap)}"
            f"<extra>{example.title}</extra>",
        )


def _histogram_reading(scores: MethodScores, titles: Mapping[str, str], id_dataset: str) -> str:
    rejected = {name: 1 - metrics.fpr_at_tpr(scores.id, part) for name, part in scores.ood.items()}
    total = float(np.mean(scores.pooled < scores.threshold()))
    start = f"At the score that 95\N{NO-BREAK SPACE}% of {titles[id_dataset]} reach (dashed), {scores.title} sets apart"
    if len(rejected) == 1:
        return f"{start} {percent(total)} of {titles[next(iter(rejected))]}."
    most, least = max(rejected, key=lambda name: rejected[name]), min(rejected, key=lambda name: rejected[name])
    if rejected[most] == rejected[least]:
        return f"{start} {percent(total)} of every OOD dataset."
    return (
        f"{start} {percent(total)} of the OOD images: {percent(rejected[most])} of {titles[most]}, "
        f"but {percent(rejected[least])} of {titles[least]}."
    )
