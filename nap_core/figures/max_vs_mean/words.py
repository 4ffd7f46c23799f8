"""The captions of the scatter of maximum over mean, made from its data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nap_core.analysis.channels.kinds import MAPS, ChannelKind
from nap_core.analysis.channels.separability import peak_factor
from nap_core.figures.max_vs_mean.axes import ends
from nap_core.figures.text import counted, join, three_digits

if TYPE_CHECKING:
    from nap_core.activations import FloatArray
    from nap_core.analysis.channels.max_mean_points import Picked, Points
    from nap_core.analysis.channels.separability import PeakCurve

ALIKE = 1.05  # factors between 1 / ALIKE and ALIKE are called "about as high"
CLIPPED = 0.005  # the share of points at the very largest maximum from which it must be a ceiling


def reading(curves: Mapping[str, PeakCurve], titles: Mapping[str, str], channel: int | None = None) -> str:
    """How high the ID peaks stand against those of each OOD dataset at the same mean (NAP paper, Figure 1b).

    Where OOD peaks are as high or higher, the prior fails.

    Args:
        curves: Catalogue name → the median maximum over the mean, the ID dataset first, then at least one OOD dataset.
        titles: Catalogue name → title of the datasets.
        channel: The channel that the curves are restricted to; None for all.

    Returns:
        A sentence with the ``peak_factor`` of each OOD dataset; datasets with too few points are named without one.
    """
    id_dataset, *others = curves
    factors = {name: peak_factor(curves[id_dataset], curves[name]) for name in others}
    ranked = sorted((name for name in others if not math.isnan(factors[name])), key=lambda name: -factors[name])
    unmatched = [titles[name] for name in others if math.isnan(factors[name])]
    start = "At the same mean" if channel is None else f"In channel {channel}, at the same mean"
    if not ranked:
        return f"{start}, there are too few points to compare {titles[id_dataset]} with {join(unmatched, 'or')}."

    def against(low: float, high: float) -> str:
        named = [name for name in ranked if low < factors[name] <= high]
        return join([f"{titles[name]} (×\N{NO-BREAK SPACE}{factors[name]:.2f})" for name in named])

    higher, alike, lower = against(ALIKE, math.inf), against(1 / ALIKE, ALIKE), against(0, 1 / ALIKE)
    parts = [f"higher than on {higher}"] if higher else []
    if alike:
        parts.append(f"{'and ' if parts and not lower else ''}about as high as on {alike}")
    if lower:
        parts.append(f"{'but ' if parts else ''}lower than on {lower}, where a peak is no sign of an ID image")
    few = f"there are too few points to compare it with {join(unmatched, 'or')}"
    return f"{start}, peaks on {titles[id_dataset]} are {', '.join(parts)}{f'; {few}' if unmatched else ''}."


def heads_reading(scores: Mapping[str, FloatArray], titles: Mapping[str, str]) -> str:
    """How high the attention of a Transformer peaks, of the mean over its heads.

    Args:
        scores: Catalogue name → the highest attention of each image, (N,), the ID dataset first.
        titles: Catalogue name → title of the datasets.

    Returns:
        A sentence with the median of each dataset.
    """
    first, *others = ((titles[name], float(np.median(values))) for name, values in scores.items())
    medians = join([f"{three_digits(median)} on {title}" for title, median in others])
    return (
        f"Half of the images of {first[0]} have a highest attention, of the mean over the heads, above "
        f"{three_digits(first[1])}; that median is {medians}."
    )


def drawn_words(parts: Sequence[Points], most: int, kind: ChannelKind = MAPS) -> str:
    """How many points there are, how many are left out, drawn, beyond the axes or clipped.

    Many equal largest maxima mean that the activations are clipped, as by ReLU6; peaks cannot be higher there.

    Args:
        parts: All points of each dataset, before sampling.
        most: The number of points beyond which a sample is drawn.
        kind: Feature maps or attention heads.

    Returns:
        Two or three sentences under the figure.
    """
    total, left_out = sum(map(len, parts)), sum(part.left_out for part in parts)
    right, top = ends(parts)
    beyond = sum(int(np.count_nonzero((part.mean > right) | (part.maximum > top))) for part in parts)
    images, every = sum(part.images for part in parts), sum(part.all_images for part in parts)
    whose = "each image" if images == every else f"{images:,} of {every:,} images, the first of each dataset"
    each = f"each head of {whose} and one for the mean over heads" if kind.of_heads else f"each channel of {whose}"
    words = f"{counted(total, 'point')}, one for {each}"
    if left_out:
        words += f"; {left_out:,} with a mean up to the threshold left out"
    if total > most:
        words += f"; a fixed random sample of {most:,} is drawn, everything else counts all"
    if beyond:
        words += f"; {beyond:,} beyond the axes, which the button “Autoscale” shows"
    ceiling = max((float(part.maximum.max()) for part in parts if len(part)), default=0.0)
    clipped = sum(int(np.count_nonzero(part.maximum == ceiling)) for part in parts)
    if clipped > max(1, CLIPPED * total):
        words += f"; {clipped:,} stand at {ceiling:,g}, where the network cuts activations off"
    lines = "" if kind.of_heads else " Thick lines: the median maximum at each mean."
    return f"{words}.{lines} In the corner: the score of whole images."


def tally(images: Sequence[Picked], titles: Mapping[str, str]) -> str:
    """How many points and images are selected, and of which datasets.

    Args:
        images: The images with selected points.
        titles: Catalogue name → title of the datasets.

    Returns:
        A sentence in Markdown, the datasets with most points first; another sentence for no image.
    """
    if not images:
        return "No point lies inside what was drawn."
    counts: dict[str, int] = {}
    for image in images:
        counts[image.dataset] = counts.get(image.dataset, 0) + len(image.channels)
    shares = [f"{count:,} of {titles[name]}" for name, count in sorted(counts.items(), key=lambda entry: -entry[1])]
    points = sum(counts.values())
    whose = f"{counted(points, 'point')} from {counted(len(images), 'image')}"
    return f"**{whose}**: {join(shares)}."
