"""Weather: snow, frost, fog, brightness."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from nap_core.corruptions.batch import Batch
from nap_core.corruptions.filters import dragged, magnified
from nap_core.storage.bundled_assets import ASSETS

FROST = ASSETS / "corruptions"
_FROSTS = ("frost1", "frost2", "frost2", "frost4", "frost5", "frost6")
"""The six published photographs; the second and the third are the same."""
_LUMA = (0.299, 0.587, 0.114)


def snow(
    batch: Batch, mean: float, deviation: float, zoom: float, least: float, radius: int, trail: float, kept: float
) -> Tensor:
    """Normal noise above ``least``, enlarged and motion-blurred, is added to a paler image.

    A share ``kept`` of the image is mixed with a paler version; the flakes are added twice, the second time rotated by
    180°.
    """
    flakes = magnified(mean + deviation * batch.normal(1, *batch.size), zoom)
    flakes = torch.where(flakes < least, 0, flakes).clamp(0, 1)
    flakes = dragged(flakes, radius, trail, batch.uniform() * 90 - 135)
    flakes = (flakes * 255).round() / 255
    grey = (batch.shares * batch.shares.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)
    paler = torch.maximum(batch.shares, grey * 1.5 + 0.5)
    return kept * batch.shares + (1 - kept) * paler + flakes + flakes.flip((-2, -1))


def frost(batch: Batch, kept: float, strength: float, every: int) -> Tensor:
    """A share ``kept`` of the image plus a share ``strength`` of a random crop of a random photograph of frost.

    The photograph is downscaled by taking one pixel of ``every`` in both directions.
    """
    height, width = batch.size
    parts = []
    for which, down, across in batch.uniform(3).tolist():
        picture = _frost(_FROSTS[int(which * len(_FROSTS))], every, height, width)
        top, left = int(down * (picture.shape[1] - height + 1)), int(across * (picture.shape[2] - width + 1))
        parts.append(picture[:, top : top + height, left : left + width].to(batch.dtype) / 255)
    return kept * batch.shares + strength * torch.stack(parts).to(batch.device)


def _frost(name: str, every: int, height: int, width: int) -> Tensor:
    """A photograph of frost, (3, h, w), 0 … 255; if smaller than height × width, enlarged to 1.1 times that."""
    small = _picture(name)[:, every // 2 :: every, every // 2 :: every]
    short = max(height / small.shape[1], width / small.shape[2])
    return small if short <= 1 else _enlarged(name, every, short * 1.1)


@lru_cache(maxsize=len(_FROSTS))
def _picture(name: str) -> Tensor:
    with Image.open(FROST / f"{name}.webp", formats=("WEBP",)) as picture:
        return torch.tensor(np.asarray(picture.convert("RGB"))).permute(2, 0, 1)


@lru_cache(maxsize=len(_FROSTS))
def _enlarged(name: str, every: int, factor: float) -> Tensor:
    small = _picture(name)[:, every // 2 :: every, every // 2 :: every]
    size = tuple(int(np.ceil(side * factor)) for side in small.shape[1:])
    return F.interpolate(small[None].float(), size, mode="bicubic", align_corners=False)[0].clamp(0, 255)


def fog(batch: Batch, strength: float, decay: float) -> Tensor:
    """Adds a cloud of height ``strength`` and rescales so that the largest value stays."""
    height, width = batch.size
    side = 1 << (max(height, width, 3) - 1).bit_length()
    cloud = _plasma(batch, side, decay)[:, None, :height, :width]
    brightest = batch.shares.amax((1, 2, 3), keepdim=True)
    return (batch.shares + strength * cloud) * brightest / (brightest + strength)


def _plasma(batch: Batch, side: int, decay: float) -> Tensor:
    """(B, side, side) from 0 to 1 by the diamond-square algorithm on a torus; ``side`` is a power of two.

    Each finer grid is the mean of its four neighbours on the coarser one plus noise, which decreases by ``decay``
    squared a step (the original applies it both to scale and to range).
    """
    heights = batch.shares.new_zeros(len(batch.views), side, side)
    step, rough = side, 100.0

    def middle(total: Tensor) -> Tensor:
        return total / 4 + rough**2 * (2 * batch.uniform(*total.shape[1:]) - 1)

    while step >= 2:
        half = step // 2
        corners = heights[:, ::step, ::step]
        pairs = corners + corners.roll(-1, 1)
        heights[:, half::step, half::step] = middle(pairs + pairs.roll(-1, 2))
        centres = heights[:, half::step, half::step]
        heights[:, ::step, half::step] = middle(centres + centres.roll(1, 1) + corners + corners.roll(-1, 2))
        heights[:, half::step, ::step] = middle(centres + centres.roll(1, 2) + corners + corners.roll(-1, 1))
        step, rough = half, rough / decay
    heights -= heights.amin((1, 2), keepdim=True)
    return heights / heights.amax((1, 2), keepdim=True)


def brightness(batch: Batch, more: float) -> Tensor:
    """Raises the value of HSV colours by ``more``; hue and saturation stay."""
    value = batch.shares.amax(1, keepdim=True)
    raised = (value + more).clamp(0, 1)
    return torch.where(value > 0, batch.shares * (raised / value.clamp(min=1 / 255)), raised)
