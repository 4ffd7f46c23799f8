"""A channel's ratio at a glance."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import numpy as np

from nap_core.activations import FloatArray
from nap_core.figures.max_vs_mean.axes import density
from nap_core.figures.palette import NEUTRAL


def sparkline(
    ratios: Mapping[str, FloatArray], colours: Mapping[str, str], span: tuple[float, float], bins: int = 24
) -> str:
    """The distribution of a channel's ratio on each dataset as a small picture; that of the ID dataset is filled.

    The curves have the same area. The height is set by the ID dataset and cuts off bars over twice its highest: a
    channel that is inactive on OOD images has all of them in one.

    Args:
        ratios: Catalogue name → the ratio of each image, (N,), the ID dataset first.
        colours: Catalogue name → colour of the datasets.
        span: The least and the largest ratio of the x axis, those of the other channels' sparklines; values beyond it
            are counted in the outer bins.
        bins: The number of bins over ``span``.

    Returns:
        A ``data:`` address of an SVG of 96 × 96 units.
    """
    side, base = 96, 90
    edges = np.linspace(*span, bins + 1)
    heights = {name: density(np.clip(ratio, *span), edges) for name, ratio in ratios.items()}
    id_height = float(next(iter(heights.values())).max())
    top = min(2 * id_height, max(float(height.max()) for height in heights.values())) or 1.0
    width = (side - 8) / bins
    shapes = []
    for position, (name, height) in enumerate(heights.items()):
        steps = " ".join(
            f"{4 + width * (step + shift):.1f},{base - 82 * min(value / top, 1):.1f}"
            for step, value in enumerate(height)
            for shift in (0, 1)
        )
        path = f"4,{base} {steps} {side - 4},{base}"
        fill = f'fill="{colours[name]}" fill-opacity="0.35"' if position == 0 else 'fill="none"'
        shapes.append(f'<polyline points="{path}" {fill} stroke="{colours[name]}" stroke-width="1.5"/>')
    shapes.append(f'<line x1="4" x2="{side - 4}" y1="{base}" y2="{base}" stroke="{NEUTRAL}"/>')
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">{"".join(shapes)}</svg>'
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
