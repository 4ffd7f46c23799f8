"""Filters that several corruptions share, on (B, C, H, W): padding, Gaussian blur, zoom, motion blur."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

Border = Literal["edge", "mirror", "mirror-with-edge"]
"""Padding of a row a b c: "edge" a a | a b c, "mirror" c b | a b c, "mirror-with-edge" b a | a b c."""


def bordered(x: Tensor, rows: int, columns: int, border: Border) -> Tensor:
    """``x`` padded by ``rows`` above and below and ``columns`` left and right, which may exceed its own size."""
    height, width = x.shape[-2:]
    down = _inside(torch.arange(-rows, height + rows, device=x.device), height, border)
    across = _inside(torch.arange(-columns, width + columns, device=x.device), width, border)
    return x.index_select(-2, down).index_select(-1, across)


def _inside(index: Tensor, count: int, border: Border) -> Tensor:
    if border == "edge" or count == 1:
        return index.clamp(0, count - 1)
    if border == "mirror":
        within = index.remainder(2 * count - 2)
        return torch.minimum(within, 2 * count - 2 - within)
    within = index.remainder(2 * count)
    return torch.minimum(within, 2 * count - 1 - within)


def smoothed(x: Tensor, deviations: tuple[float, float], truncate: float, border: Border) -> Tensor:
    """Gaussian blur with ``deviations`` (down, across) in pixels, truncated at ``truncate`` deviations, as in SciPy."""
    for axis, deviation in zip((-2, -1), deviations, strict=True):
        reach = int(truncate * deviation + 0.5)
        if reach == 0:
            continue
        weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * deviation**2))
        weights /= weights.sum()
        padded = bordered(x, *((reach, 0) if axis == -2 else (0, reach)), border)
        total = torch.zeros_like(x)
        for tap, weight in enumerate(weights):
            total.add_(padded.narrow(axis, tap, x.shape[axis]), alpha=float(weight))
        x = total
    return x


def magnified(x: Tensor, factor: float) -> Tensor:
    """The centre of ``x``, enlarged ``factor`` times by linear interpolation to the size of ``x``.

    The corner pixels of the crop map to the corner pixels of the result, as in SciPy's ``zoom``.
    """
    height, width = x.shape[-2:]
    rows, columns = math.ceil(height / factor), math.ceil(width / factor)
    top, left = (height - rows) // 2, (width - columns) // 2
    middle = x[..., top : top + rows, left : left + columns]
    enlarged = F.interpolate(
        middle, (round(rows * factor), round(columns * factor)), mode="bilinear", align_corners=True
    )
    top, left = (enlarged.shape[-2] - height) // 2, (enlarged.shape[-1] - width) // 2
    return enlarged[..., top : top + height, left : left + width]


def dragged(x: Tensor, radius: int, deviation: float, angles: Tensor) -> Tensor:
    """Motion blur in one direction along ``angles`` (B,) in degrees, one an image.

    ``2 · radius + 1`` whole-pixel steps with half-Gaussian weights of ``deviation`` pixels; edge padding. As in
    imagecorruptions; ImageNet-C used ImageMagick.
    """
    count, channels, height, width = x.shape
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * deviation**2))
    weights /= weights.sum()
    turned = torch.deg2rad(angles.cpu().double())[:, None]
    along = torch.from_numpy(steps).double()
    # Rounded as in the original: halves towards the start.
    down = torch.ceil(along * torch.sin(turned) - 0.5).long().to(x.device)
    across = torch.ceil(along * torch.cos(turned) - 0.5).long().to(x.device)
    rows = torch.arange(height, device=x.device)
    columns = torch.arange(width, device=x.device)
    flat = x.flatten(2)
    smeared = torch.zeros_like(flat)
    for step, weight in enumerate(weights):
        from_rows = (rows + down[:, step, None]).clamp(0, height - 1) * width
        from_columns = (columns + across[:, step, None]).clamp(0, width - 1)
        place = (from_rows[:, :, None] + from_columns[:, None, :]).view(count, 1, -1)
        smeared.add_(flat.gather(2, place.expand(-1, channels, -1)), alpha=float(weight))
    return smeared.view(x.shape)
