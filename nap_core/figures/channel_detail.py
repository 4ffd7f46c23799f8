"""One channel in detail: its ratio on every dataset, its strongest images, and images of equal means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from nap_core import metrics
from nap_core.analysis.channels.kinds import MAPS, ChannelKind
from nap_core.figures.layout import Style, axis, base_layout, marks
from nap_core.figures.picture import Picture
from nap_core.figures.text import counted, percent, three_digits

if TYPE_CHECKING:
    from nap_core.analysis.channels.ranking import MatchedPeaks, SameMeanPair

ROW_HEIGHT = 52
BINS = 40


def ratio_distribution(
    channel: int,
    ratios: Mapping[str, NDArray[np.floating]],
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    marked: Mapping[str, float],
    kind: ChannelKind = MAPS,
) -> Picture:
    """The distribution of one channel's ratio, one row of bars a dataset, scaled to equal heights.

    Args:
        channel: The index of the channel, for the titles and the caption.
        ratios: Catalogue name → the ratio of each image, (N,), the ID dataset first, then at least one OOD dataset.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.
        marked: Catalogue name → the ratio of an image on the screen, marked by a triangle.
        kind: Feature maps or attention heads.

    Returns:
        The figure; its table holds one row a bar, the shares of a dataset's images.

    Raises:
        ValueError: There is no OOD dataset, a dataset has no image, or a ratio is not finite.
    """
    values = {name: np.asarray(ratio, dtype=np.float64) for name, ratio in ratios.items()}
    edges = np.histogram_bin_edges(np.concatenate(list(values.values())), bins=BINS)
    centres, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    figure, tables = go.Figure(), []
    rows = list(range(len(values) - 1, -1, -1))  # the first dataset is the top row
    for base, (name, ratio) in zip(rows, values.items(), strict=True):
        counts = np.histogram(ratio, bins=edges)[0]
        share = counts / max(len(ratio), 1)
        data = np.column_stack([edges[:-1], edges[1:], 100 * share, counts])
        hover = "%{customdata[0]:.3g} to %{customdata[1]:.3g}<br>%{customdata[2]:.1f}\N{NO-BREAK SPACE}% "
        hover += f"(%{{customdata[3]}} images)<extra>{titles[name]}</extra>"
        heights = 0.85 * counts / max(int(counts.max()), 1)
        bars = {"base": base, "width": width, "marker": {"color": colours[name], "line": {"width": 0}}}
        figure.add_bar(x=centres, y=heights, customdata=data, hovertemplate=hover, **bars)
        if name in marked:
            triangle = {"symbol": "triangle-down", "size": 13, "color": colours[name]}
            hover = f"the image above: %{{x:.3g}}<extra>{titles[name]}</extra>"
            figure.add_trace(marks([marked[name]], [base + 0.93], triangle, None, hover))
        columns = {"from": edges[:-1], "to": edges[1:], "images": counts, "share": share}
        tables.append(pd.DataFrame({"dataset": name, **columns}))
    sides: Style = {"tickvals": [row + 0.3 for row in rows], "ticktext": [titles[name] for name in values]}
    axes = {"xaxis": axis(f"{kind.ratio} {kind.within(channel)}", zeroline=None)}
    axes["yaxis"] = axis(automargin=True, showgrid=False, range=[-0.05, len(values)], **sides)
    look = {"showlegend": False, "bargap": 0, "barmode": "overlay"}
    figure.update_layout(base_layout(90 + ROW_HEIGHT * len(values), (8, 8, 40, 0), **look, **axes))
    caption = _ratio_reading(channel, values, titles, kind)
    return Picture(figure, caption, pd.concat(tables, ignore_index=True), f"{kind.one}_{channel}_ratio")


def _ratio_reading(
    channel: int, values: Mapping[str, NDArray[np.float64]], titles: Mapping[str, str], kind: ChannelKind
) -> str:
    id_dataset, *others = values
    areas = {name: metrics.auroc(values[id_dataset], values[name]) for name in others}
    most, least = max(areas, key=areas.__getitem__), min(areas, key=areas.__getitem__)
    what = f"The {kind.value} peak {kind.within(channel)}" if kind.of_heads else f"The ratio of channel {channel}"
    against = titles[most] if most != least or len(areas) == 1 else "every OOD dataset"
    start = f"{what} alone separates {titles[id_dataset]} from {against} with an AUROC of {percent(areas[most])}"
    second = "" if most == least else f" and from {titles[least]} with {percent(areas[least])}"
    return f"{start}{second}; 50\N{NO-BREAK SPACE}% is chance."


def drivers_sentence(title: str, maxima: Sequence[float], shows: Sequence[str]) -> str:
    """The images of a dataset with the highest activation of a channel.

    Args:
        title: The title of the dataset, the first words of the sentence.
        maxima: The maxima of the images in this channel, the highest first; at least one.
        shows: The class of each image, "" where it is unknown.

    Returns:
        A sentence in Markdown.
    """
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


def pair_sentence(pair: SameMeanPair | None, channel: int, id_title: str, ood_title: str) -> str:
    """The two maxima of an ID and an OOD image with the same mean in a channel (Figures 1a and 8 of the NAP paper).

    Args:
        pair: The pair of ``ranking.same_mean_pair``; None where no two means agree.
        channel: The index of the channel.
        id_title: The title of the ID dataset.
        ood_title: The title of the OOD data.

    Returns:
        A sentence, also for no pair and for a pair whose ID image does not peak higher.
    """
    if pair is None:
        return f"In channel {channel} no image of {id_title} has the same mean as one of {ood_title}: no pair to show."
    if pair.difference <= 0:
        return f"In channel {channel} no image of {id_title} peaks higher than one of {ood_title} with the same mean."
    return (
        f"In channel {channel}, means of {three_digits(pair.id_mean)} and {three_digits(pair.ood_mean)}; maxima of "
        f"{three_digits(pair.id_maximum)} ({id_title}) and {three_digits(pair.ood_maximum)} ({ood_title})."
    )


def matched_sentence(peaks: MatchedPeaks, id_title: str, ood_title: str) -> str:
    """The share of images matched by their mean in which the ID image has the higher peak.

    Args:
        peaks: The result of ``ranking.matched_peaks`` in the channel of the pair.
        id_title: The title of the ID dataset.
        ood_title: The title of the OOD data.

    Returns:
        Two sentences that follow ``pair_sentence``, the share in percent; "" where nothing matched.
    """
    if not peaks.pairs:
        return ""
    return (
        f"It is the extreme case. Matched by mean, {id_title} has the higher peak in {percent(peaks.share)} of "
        f"{counted(peaks.pairs, 'pair')} with {ood_title}."
    )
