"""All channels at a glance: which tell ID from OOD, which classes use which, and what drives one of them."""

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
from nap_core.figures.palette import ID_COLOUR, IMAGE_COLOUR, NEUTRAL, sequential
from nap_core.figures.picture import Picture, percent, three_digits

HEIGHT, ROW_HEIGHT = 420, 20
MOST_BARS = 15
NEAR = 0.05  # an AUROC this close to one half is called chance

Values = NDArray[np.float64]


def ranking_table(aurocs: Values, known: Values, met: Values, kind: ChannelKind = MAPS) -> pd.DataFrame:
    """A row a channel, the best separating first: ``rank``, ``channel``, ``name``, ``auroc`` (a share) and the average
    maximum on ID and OOD images, ``id_maximum`` and ``ood_maximum``. All arguments are (C,)."""
    order = np.argsort(-aurocs, kind="stable")
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(order) + 1),
            "channel": order,
            "name": [kind.name(int(channel)) for channel in order],
            "auroc": aurocs[order],
            "id_maximum": known[order],
            "ood_maximum": met[order],
        }
    )


def ranking_picture(table: pd.DataFrame, chosen: int, against: str, kind: ChannelKind = MAPS) -> Picture:
    """Every channel of a ``ranking_table`` as a point: how strongly it answers to ID images, and its AUROC.

    ``chosen`` wears a ring; ``against`` says from what ID is told. A point's ``customdata`` begins with its channel.
    """
    hover = "<b>%{customdata[1]}</b>, rank %{customdata[3]}<br>AUROC %{y:.1%}"
    hover += f"<br>average maximum: %{{x:.3g}} on ID, %{{customdata[2]:.3g}} on {against}<extra></extra>"
    figure = go.Figure(
        go.Scatter(
            x=table["id_maximum"],
            y=table["auroc"],
            mode="markers",
            marker={"size": 9 if len(table) <= 512 else 6, "color": ID_COLOUR, "opacity": 0.65},
            selected={"marker": {"opacity": 0.65}},
            unselected={"marker": {"opacity": 0.65}},
            customdata=table[["channel", "name", "ood_maximum", "rank"]].to_numpy(),
            hovertemplate=hover,
            showlegend=False,
        )
    )
    figure.add_hline(y=0.5, line={"color": NEUTRAL, "width": 1.5, "dash": "dot"})
    one = table[table["channel"] == chosen]
    named = pd.concat([table.head(1), one]).drop_duplicates("channel")
    figure.add_trace(
        go.Scatter(
            x=one["id_maximum"],
            y=one["auroc"],
            mode="markers",
            marker={"size": 18, "symbol": "circle-open", "color": IMAGE_COLOUR, "line": {"width": 3}},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for channel, x, y in named[["channel", "id_maximum", "auroc"]].to_numpy().tolist():
        figure.add_annotation(x=x, y=y, text=kind.short(int(channel)), showarrow=False, yshift=16)
    figure.update_xaxes(title=f"average maximum on ID images ({kind.value})", zeroline=False)
    low, high = min(float(table["auroc"].min()), 0.5), max(float(table["auroc"].max()), 0.5)
    room = 0.12 * (high - low) + 0.01  # for the name above the best
    figure.update_yaxes(
        title=f"AUROC of {kind.ratio} alone", tickformat=".0%", zeroline=False, range=[low - room / 2, high + room]
    )
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 60, "r": 16, "t": 34, "b": 46},
        hovermode="closest",
        dragmode=False,
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return Picture(figure, ranking_reading(table, against, kind), table, f"{kind.many}_ranked")


def ranking_reading(table: pd.DataFrame, against: str, kind: ChannelKind = MAPS) -> str:
    """How many channels tell ID from OOD at all, and which does best, in a sentence."""
    areas = table["auroc"]
    above, below = int((areas > 0.5 + NEAR).sum()), int((areas < 0.5 - NEAR).sum())
    best = table.iloc[0]
    reverse = f", {below:,} the other way round (their OOD peaks stand out more)" if below else ""
    return (
        f"{above:,} of {len(table):,} {kind.many} tell ID images from {against}{reverse}, the rest hardly; "
        f"{best['name']} does best, with an AUROC of {percent(float(best['auroc']))} alone."
    )


def use_picture(
    use: ClassActivation, what: str, chosen: int, aurocs: Values, kind: ChannelKind = MAPS, most: int = MOST_CHANNELS
) -> Picture:
    """Classes × channels: how bright a cell is says how strong a channel answers to a class, as a share of its
    strongest class. ``what`` names the value. Of very many, the classes and channels that stand out most are drawn.
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
    figure = go.Figure(
        go.Heatmap(
            z=shares.astype(np.float32),
            y=names,
            zmin=math.floor(10 * float(shares.min(initial=1.0))) / 10,  # ratios of classes differ by little
            zmax=1,
            colorscale=sequential(),
            customdata=np.dstack([values, np.broadcast_to(channels, values.shape)]),
            text=[labels] * len(names),
            hovertemplate=(
                f"%{{y}}, %{{text}}<br>{what} %{{customdata[0]:.3g}}, %{{z:.0%}} of its highest class<extra></extra>"
            ),
            colorbar={"title": {"text": "of its<br>highest<br>class"}, "tickformat": ".0%", "thickness": 12},
        )
    )
    place = int(np.flatnonzero(channels == chosen)[0])
    figure.add_annotation(
        x=place, xref="x", y=0, yref="paper", yanchor="top", text=f"▲ {kind.short(chosen)}", showarrow=False,
        font={"color": IMAGE_COLOUR},
    )  # fmt: skip
    title = {"text": f"{kind.many}, by the class that drives them most", "standoff": 26}
    figure.update_xaxes(title=title, showticklabels=False, showgrid=False, fixedrange=True)
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True, showgrid=False)
    figure.update_layout(
        height=110 + max(ROW_HEIGHT * len(names), 160), margin={"l": 8, "r": 8, "t": 34, "b": 56}, dragmode=False
    )
    table = pd.DataFrame(values, index=names, columns=[f"{kind.one} {channel}" for channel in channels])
    table.insert(0, "images", part.images[rows])
    return Picture(figure, use_reading(use, kind), table.rename_axis("class").reset_index(), f"classes_{kind.many}")


def use_reading(use: ClassActivation, kind: ChannelKind = MAPS) -> str:
    """How special the channels are: which class drives the most of them, and by how much the first beats the second."""
    if len(use.names) < 2:
        return f"All images are of one class, {use.names[0]}, so classes cannot be compared."
    two = np.sort(use.values, axis=0)[-2:]
    lively = two[1] > 0
    lead = float(np.median(two[1][lively] / np.maximum(two[0][lively], 1e-9))) if lively.any() else 1.0
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
    """The classes that drive one channel, the strongest on top, and beside them the head's weight for each, if any.

    ``weights`` (all classes,) are W[:, channel] where the head reads the channels' means. Of many classes the first.
    """
    rows = use.ranked(channel)[:MOST_BARS]
    shown = use.take(rows)
    values = shown.values[:, channel]
    speaks = None if weights is None else np.asarray(weights, np.float64)[shown.classes]
    names = list(shown.names)
    figure = make_subplots(
        1, 1 if speaks is None else 2, shared_yaxes=True, horizontal_spacing=0.04, column_widths=None
    )
    figure.add_bar(
        x=values, y=names, orientation="h", marker={"color": ID_COLOUR}, customdata=shown.images,
        hovertemplate=f"%{{y}}: {what} %{{x:.3g}} (%{{customdata}} images)<extra></extra>", row=1, col=1,
    )  # fmt: skip
    figure.update_xaxes(title={"text": what, "standoff": 4}, zeroline=False, nticks=4, row=1, col=1)
    if speaks is not None:
        figure.add_bar(
            x=speaks, y=names, orientation="h", marker={"color": NEUTRAL},
            hovertemplate="weight for %{y}: %{x:+.3f}<extra></extra>", row=1, col=2,
        )  # fmt: skip
        figure.update_xaxes(title={"text": "its weight for the class", "standoff": 4}, nticks=4, row=1, col=2)
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True, showgrid=False)
    figure.update_xaxes(fixedrange=True)
    figure.update_layout(
        height=80 + 22 * len(names), margin={"l": 8, "r": 8, "t": 8, "b": 44}, showlegend=False, dragmode=False,
        bargap=0.25, plot_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    columns = {"class": names, "images": shown.images, what: values}
    table = pd.DataFrame(columns if speaks is None else {**columns, "weight": speaks})
    return Picture(figure, _class_reading(use, channel, weights, kind), table, f"{kind.one}_{channel}_classes")


def _class_reading(use: ClassActivation, channel: int, weights: NDArray[np.floating] | None, kind: ChannelKind) -> str:
    rows = use.ranked(channel)
    name, top, average = use.names[rows[0]], use.values[rows[0], channel], use.values[:, channel].mean()
    if average <= 0:
        return f"No class drives {kind.name(channel)}."
    count = int(use.images[rows[0]])
    images = "1 image" if count == 1 else f"{count:,} images"
    start = f"{name} ({images}) drives {kind.name(channel)} most: {three_digits(float(top))} on average"
    if len(rows) > 1:
        start += f", ×\N{NO-BREAK SPACE}{top / average:.2f} the average class"
    if weights is None:
        return f"{start}."
    agreement = use.agreement(channel, weights)
    if math.isnan(agreement):
        return f"{start}."
    told = "speaks for the classes that drive it" if agreement > 0.3 else "hardly speaks for the classes that drive it"
    if agreement < -0.3:
        told = "speaks against the classes that drive it"
    return f"{start}. It {told}: its weights and these averages correlate by {_signed(agreement)} (Spearman)."


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def chosen_of(points: Sequence[dict[str, object]]) -> int | None:
    """The channel of the point that a selection event of ``ranking_picture`` names; None for none."""
    for point in points:
        data = point.get("customdata")
        if point.get("curve_number") == 0 and isinstance(data, (list, tuple, dict)):
            return int(data[0] if not isinstance(data, dict) else data["0"])
    return None
