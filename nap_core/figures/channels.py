"""All channels at a glance: their AUROC, their activation on each class, and the classes of one channel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from nap_core.analysis.channels.class_activation import MOST_CHANNELS, ClassActivation, arranged, scaled, top_classes
from nap_core.analysis.channels.kinds import MAPS, ChannelKind
from nap_core.figures.layout import DOTTED, INVISIBLE, Style, axis, base_layout, marks, note, share_axis
from nap_core.figures.palette import ID_COLOUR, IMAGE_COLOUR, NEUTRAL, sequential
from nap_core.figures.picture import Picture
from nap_core.figures.text import counted, percent, signed, three_digits

HEIGHT, ROW_HEIGHT = 420, 20
MOST_BARS = 15
NEAR = 0.05  # an AUROC this close to one half is called chance

Values = NDArray[np.float64]


def ranking_table(aurocs: Values, id_maxima: Values, ood_maxima: Values, kind: ChannelKind = MAPS) -> pd.DataFrame:
    """A row a channel, the best separating first.

    Args:
        aurocs: The AUROC of each channel, a share, (C,).
        id_maxima: The average maximum of each channel on ID images, (C,).
        ood_maxima: The same on OOD images, (C,).
        kind: Feature maps or attention heads.

    Returns:
        The columns ``rank``, ``channel``, ``name``, ``auroc``, ``id_maximum`` and ``ood_maximum``.
    """
    order = np.argsort(-aurocs, kind="stable")
    names = [kind.name(int(channel)) for channel in order]
    table = pd.DataFrame({"rank": np.arange(1, len(order) + 1), "channel": order, "name": names})
    return table.assign(auroc=aurocs[order], id_maximum=id_maxima[order], ood_maximum=ood_maxima[order])


def ranking_picture(table: pd.DataFrame, chosen: int, against: str, kind: ChannelKind = MAPS) -> Picture:
    """Every channel of a ``ranking_table`` as a point: its average maximum on ID images, and its AUROC.

    Args:
        table: The ``ranking_table`` of at least one channel.
        chosen: The channel that gets a ring.
        against: The title of the OOD data.
        kind: Feature maps or attention heads.

    Returns:
        The figure; the customdata of a point begins with its channel.
    """
    hover = "<b>%{customdata[1]}</b>, rank %{customdata[3]}<br>AUROC %{y:.1%}"
    hover += f"<br>average maximum: %{{x:.3g}} on ID, %{{customdata[2]:.3g}} on {against}<extra></extra>"
    pale: Style = {"marker": {"opacity": 0.65}}
    marker = {"size": 9 if len(table) <= 512 else 6, "color": ID_COLOUR, "opacity": 0.65}
    points = marks(table["id_maximum"], table["auroc"], marker, None, hover, selected=pale, unselected=pale)
    points["customdata"] = table[["channel", "name", "ood_maximum", "rank"]].to_numpy()
    one = table[table["channel"] == chosen]
    circle = {"size": 18, "symbol": "circle-open", "color": IMAGE_COLOUR, "line": {"width": 3}}
    low, high = min(float(table["auroc"].min()), 0.5), max(float(table["auroc"].max()), 0.5)
    room = 0.12 * (high - low) + 0.01  # for the name above the best
    xaxis = axis(f"average maximum on ID images ({kind.value})", zoom=True, zeroline=False)
    yaxis = share_axis(f"AUROC of {kind.ratio} alone", zoom=True, zeroline=False, range=[low - room / 2, high + room])
    layout = base_layout(HEIGHT, (34, 16, 46, 60), xaxis=xaxis, yaxis=yaxis, plot_bgcolor=INVISIBLE)
    figure = go.Figure([points, marks(one["id_maximum"], one["auroc"], circle)], layout)
    figure.add_hline(y=0.5, line=DOTTED)
    named = pd.concat([table.head(1), one]).drop_duplicates("channel")
    for channel, x, y in named[["channel", "id_maximum", "auroc"]].to_numpy().tolist():
        figure.add_annotation(note(kind.short(int(channel)), x, y, yshift=16))
    return Picture(figure, ranking_reading(table, against, kind), table, f"{kind.many}_ranked")


def ranking_reading(table: pd.DataFrame, against: str, kind: ChannelKind = MAPS) -> str:
    """How many channels separate ID from OOD, and which does best.

    Args:
        table: The ``ranking_table`` of at least one channel.
        against: The title of the OOD data.
        kind: Feature maps or attention heads.

    Returns:
        A sentence; a channel separates where its AUROC is more than ``NEAR`` from one half.
    """
    areas = table["auroc"]
    above, below = int((areas > 0.5 + NEAR).sum()), int((areas < 0.5 - NEAR).sum())
    best = table.iloc[0]
    reverse = f", {below:,} the other way round (higher OOD peaks)" if below else ""
    return (
        f"{above:,} of {len(table):,} {kind.many} separate ID images from {against}{reverse}, the rest hardly; "
        f"{best['name']} does best, with an AUROC of {percent(float(best['auroc']))} alone."
    )


def use_picture(
    use: ClassActivation, what: str, chosen: int, aurocs: Values, kind: ChannelKind = MAPS, most: int = MOST_CHANNELS
) -> Picture:
    """Classes × channels: the brightness of a cell is the activation on a class, as a share of the strongest class.

    Args:
        use: The activation of each channel on each class, (classes, C).
        what: The name of the values of ``use``, for the hover text.
        chosen: The channel that is marked and always drawn.
        aurocs: The AUROC of each channel, a share, (C,): beyond ``most`` channels, those with the highest are drawn.
        kind: Feature maps or attention heads.
        most: The most channels that are drawn.

    Returns:
        The figure; its table holds one row a class, a column a channel.
    """
    shown = top_classes(use)
    best = np.sort(np.argsort(-aurocs, kind="stable")[:most])
    columns = best if chosen in best else np.append(best[:-1], chosen)
    part = ClassActivation(shown.classes, shown.names, shown.images, shown.values[:, columns], shown.predicted)
    rows, order = arranged(part)
    channels = columns[order]
    shares, values = scaled(part)[np.ix_(rows, order)], part.values[np.ix_(rows, order)]
    names = [part.names[row] for row in rows]
    labels = [kind.name(int(channel)) for channel in channels]
    hover = f"%{{y}}, %{{text}}<br>{what} %{{customdata[0]:.3g}}, %{{z:.0%}} of its highest class<extra></extra>"
    bar = {"title": {"text": "of its<br>highest<br>class"}, "tickformat": ".0%", "thickness": 12}
    data = np.dstack([values, np.broadcast_to(channels, values.shape)])
    heat = {"type": "heatmap", "z": shares.astype(np.float32), "y": names, "zmax": 1, "colorscale": sequential()}
    heat |= {"customdata": data, "text": [labels] * len(names), "hovertemplate": hover, "colorbar": bar}
    heat["zmin"] = math.floor(10 * float(shares.min(initial=1.0))) / 10  # ratios of classes differ by little
    place = int(np.flatnonzero(channels == chosen)[0])
    mark = note(f"▲ {kind.short(chosen)}", place, 0, xref="x", yref="paper", yanchor="top", font_color=IMAGE_COLOUR)
    title = f"{kind.many}, by the class with their highest activation"
    axes = {"xaxis": axis(title, 26, showticklabels=False, showgrid=False), "annotations": [mark]}
    axes["yaxis"] = axis(autorange="reversed", automargin=True, showgrid=False)
    figure = go.Figure([heat], base_layout(110 + max(ROW_HEIGHT * len(names), 160), (34, 8, 56, 8), **axes))
    table = pd.DataFrame(values, index=names, columns=[f"{kind.one} {channel}" for channel in channels])
    table.insert(0, "images", part.images[rows])
    return Picture(figure, use_reading(use, kind), table.rename_axis("class").reset_index(), f"classes_{kind.many}")


def use_reading(use: ClassActivation, kind: ChannelKind = MAPS) -> str:
    """How class-specific the channels are.

    Args:
        use: The activation of each channel on each class, (classes, C).
        kind: Feature maps or attention heads.

    Returns:
        A sentence: the median lead of the strongest class over the second, and the class strongest in most channels.
    """
    if len(use.names) < 2:
        return f"All images are of one class, {use.names[0]}, so classes cannot be compared."
    two = np.sort(use.values, axis=0)[-2:]
    active = two[1] > 0
    lead = float(np.median(two[1][active] / np.maximum(two[0][active], 1e-9))) if active.any() else 1.0
    driven = np.bincount(use.values.argmax(axis=0), minlength=len(use.names))
    most = int(driven.argmax())
    return (
        f"In half of the {kind.many} the strongest class is at least ×\N{NO-BREAK SPACE}{lead:.2f} as strong as the "
        f"second; {use.names[most]} is the strongest in {driven[most]:,} of {use.values.shape[1]:,}, more than any "
        "other class."
    )


def class_picture(
    use: ClassActivation, what: str, channel: int, weights: NDArray[np.floating] | None, kind: ChannelKind = MAPS
) -> Picture:
    """The classes with the highest activation of one channel, and beside them the weights of the last layer, if any.

    Args:
        use: The activation of each channel on each class, (classes, C).
        what: The name of the values of ``use``, for the axis and the hover text.
        channel: The index of the channel.
        weights: W[:, channel], (all classes,), where the logits are linear in the pooled features; else None.
        kind: Feature maps or attention heads.

    Returns:
        The figure, the strongest class on top, at most ``MOST_BARS`` of them; its table holds one row a class.
    """
    shown = use.take(use.ranked(channel)[:MOST_BARS])
    values, names = shown.values[:, channel], list(shown.names)
    own = None if weights is None else np.asarray(weights, np.float64)[shown.classes]
    figure = make_subplots(1, 1 if own is None else 2, shared_yaxes=True, horizontal_spacing=0.04)
    hover = f"%{{y}}: {what} %{{x:.3g}} (%{{customdata}} images)<extra></extra>"
    bars = {"y": names, "orientation": "h"}
    data = {"customdata": shown.images, "hovertemplate": hover}
    figure.add_bar(x=values, marker_color=ID_COLOUR, **bars, **data, row=1, col=1)
    figure.update_xaxes(axis(what, 4, nticks=4), row=1, col=1)
    if own is not None:
        hover = "weight for %{y}: %{x:+.3f}<extra></extra>"
        figure.add_bar(x=own, marker_color=NEUTRAL, hovertemplate=hover, **bars, row=1, col=2)
        figure.update_xaxes(axis("its weight for the class", 4, zeroline=None, nticks=4), row=1, col=2)
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True, showgrid=False)
    look = {"showlegend": False, "bargap": 0.25, "plot_bgcolor": INVISIBLE}
    figure.update_layout(base_layout(80 + 22 * len(names), (8, 8, 44, 8), **look))
    columns = {"class": names, "images": shown.images, what: values}
    table = pd.DataFrame(columns if own is None else {**columns, "weight": own})
    return Picture(figure, _class_reading(use, channel, weights, kind), table, f"{kind.one}_{channel}_classes")


def _class_reading(use: ClassActivation, channel: int, weights: NDArray[np.floating] | None, kind: ChannelKind) -> str:
    rows = use.ranked(channel)
    name, top, average = use.names[rows[0]], use.values[rows[0], channel], use.values[:, channel].mean()
    if average <= 0:
        return f"No class activates {kind.name(channel)}."
    images = counted(int(use.images[rows[0]]), "image")
    start = (
        f"{kind.name(channel).capitalize()} is strongest on {name} ({images}): {three_digits(float(top))} on average"
    )
    if len(rows) > 1:
        start += f", ×\N{NO-BREAK SPACE}{top / average:.2f} the average class"
    if weights is None:
        return f"{start}."
    agreement = use.agreement(channel, weights)
    if math.isnan(agreement):
        return f"{start}."
    side = "favour" if agreement > 0.3 else "oppose" if agreement < -0.3 else "hardly favour"
    correlation = f"weights and averages correlate by {signed(agreement, '+.2f')} (Spearman)"
    return f"{start}. Its weights {side} the classes that activate it: {correlation}."


def chosen_of(points: Sequence[dict[str, object]]) -> int | None:
    """The channel that is selected in ``ranking_picture``.

    Args:
        points: The selected points as Streamlit gives them, with "curve_number" and "customdata".

    Returns:
        The channel of the first point that is a channel's; None where there is none.
    """
    for point in points:
        data = point.get("customdata")
        if point.get("curve_number") == 0 and isinstance(data, (list, tuple, dict)):
            return int(data[0] if not isinstance(data, dict) else data["0"])
    return None
