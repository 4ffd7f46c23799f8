"""One channel in detail: its ratio on every dataset, the images that drive it, and what equal means hide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core import metrics
from nap_core.analysis.channels.kinds import MAPS, ChannelKind
from nap_core.analysis.channels.ranking import MatchedPeaks, SameMeanPair
from nap_core.figures.picture import Picture, percent, three_digits

ROW_HEIGHT = 52
BINS = 40


def ratio_distribution(
    channel: int,
    ratios: Mapping[str, NDArray[np.floating]],
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    marks: Mapping[str, float],
    kind: ChannelKind = MAPS,
) -> Picture:
    """How the ratio of one channel is spread, one row of bars a dataset; the first of ``ratios`` is the ID one.

    Bars are shares of a dataset's images, scaled so that each row's highest bar is as tall; a triangle points at the
    ratio of an image on the screen (``marks``, by dataset).
    """
    values = {name: np.asarray(ratio, dtype=np.float64) for name, ratio in ratios.items()}
    edges = np.histogram_bin_edges(np.concatenate(list(values.values())), bins=BINS)
    centres, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    figure, tables = go.Figure(), []
    for position, (name, ratio) in enumerate(values.items()):
        base = len(values) - 1 - position  # the first dataset is the top row
        counts = np.histogram(ratio, bins=edges)[0]
        share = counts / max(len(ratio), 1)
        figure.add_bar(
            x=centres,
            y=0.85 * counts / max(int(counts.max()), 1),
            base=base,
            width=width,
            marker={"color": colours[name], "line": {"width": 0}},
            customdata=np.column_stack([edges[:-1], edges[1:], 100 * share, counts]),
            hovertemplate=(
                "%{customdata[0]:.3g} to %{customdata[1]:.3g}<br>%{customdata[2]:.1f}\N{NO-BREAK SPACE}% "
                f"(%{{customdata[3]}} images)<extra>{titles[name]}</extra>"
            ),
        )
        if name in marks:
            figure.add_scatter(
                x=[marks[name]],
                y=[base + 0.93],
                mode="markers",
                marker={"symbol": "triangle-down", "size": 13, "color": colours[name]},
                hovertemplate=f"the image above: %{{x:.3g}}<extra>{titles[name]}</extra>",
            )
        tables.append(
            pd.DataFrame({"dataset": name, "from": edges[:-1], "to": edges[1:], "images": counts, "share": share})
        )
    figure.update_layout(
        height=90 + ROW_HEIGHT * len(values),
        margin={"l": 0, "r": 8, "t": 8, "b": 40},
        showlegend=False,
        bargap=0,
        barmode="overlay",
    )
    figure.update_xaxes(title=f"{kind.ratio} {kind.within(channel)}", fixedrange=True)
    figure.update_yaxes(
        tickvals=[len(values) - 1 - position + 0.3 for position in range(len(values))],
        ticktext=[titles[name] for name in values],
        automargin=True,
        fixedrange=True,
        showgrid=False,
        zeroline=False,
        range=[-0.05, len(values)],
    )
    reading = _ratio_reading(channel, values, titles, kind)
    return Picture(figure, reading, pd.concat(tables, ignore_index=True), f"{kind.one}_{channel}_ratio")


def _ratio_reading(
    channel: int, values: Mapping[str, NDArray[np.float64]], titles: Mapping[str, str], kind: ChannelKind
) -> str:
    known, *others = values
    areas = {name: metrics.auroc(values[known], values[name]) for name in others}
    most, least = max(areas, key=lambda name: areas[name]), min(areas, key=lambda name: areas[name])
    what = f"The {kind.value} peak {kind.within(channel)}" if kind.of_heads else f"The ratio of channel {channel}"
    start = f"{what} alone tells {titles[known]}"
    if most == least:
        against = titles[most] if len(areas) == 1 else "every OOD dataset"
        return f"{start} from {against} with an AUROC of {percent(areas[most])}; 50\N{NO-BREAK SPACE}% is chance."
    return (
        f"{start} from {titles[most]} with an AUROC of {percent(areas[most])} and from {titles[least]} with "
        f"{percent(areas[least])}; 50\N{NO-BREAK SPACE}% is chance."
    )


def drivers_sentence(title: str, maxima: Sequence[float], shows: Sequence[str]) -> str:
    """Which images of a dataset drive a channel most: their peaks, highest first, and what they show ("" unknown)."""
    if len(maxima) == 1:
        return f"**{title}**: its one image peaks at {three_digits(maxima[0])}."
    start = f"**{title}**: peaks from {three_digits(maxima[0])} to {three_digits(maxima[-1])}"
    named = Counter(name for name in shows if name)
    if not named:
        return f"{start}."
    name, count = named.most_common(1)[0]
    if count == 1:
        return f"{start}, each of another class."
    return f"{start}; {count} of the {len(maxima)} show “{name}”."


def pair_sentence(pair: SameMeanPair | None, channel: int, known: str, met: str) -> str:
    """What the pair found for ``channel`` shows; ``known`` and ``met`` say which images or datasets were compared."""
    if pair is None:
        return (
            f"In channel {channel} no image of {known} has the same mean as one of {met}, so there is no pair to show."
        )
    if pair.difference <= 0:
        return f"In channel {channel} no image of {known} peaks higher than one of {met} with the same mean."
    return (
        f"In channel {channel}, means of {three_digits(pair.id_mean)} and {three_digits(pair.ood_mean)}; maxima of "
        f"{three_digits(pair.id_maximum)} ({known}) and {three_digits(pair.ood_maximum)} ({met})."
    )


def matched_sentence(peaks: MatchedPeaks, known: str, met: str) -> str:
    """How typical such a pair is."""
    if not peaks.pairs:
        return ""
    pairs = "pair" if peaks.pairs == 1 else "pairs"
    return (
        f"It is the extreme case. Matched by mean, {known} has the higher peak in {percent(peaks.share)} of "
        f"{peaks.pairs:,} {pairs} with {met}."
    )
