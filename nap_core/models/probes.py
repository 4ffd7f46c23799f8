"""The few images that a network is examined with: seeded noise of different contrast and smoothness."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from nap_core.models.preprocessing import Transform

LARGEST = 256


@lru_cache(maxsize=4)
def images(side: int) -> tuple[Image.Image, ...]:
    """Noise of full contrast, four by four soft patches, noise of low contrast on a gradient: square images.

    The first is as large as ``side``, so that resizing leaves its contrast, but not larger than ``LARGEST`` pixels.
    """
    draw, size = np.random.default_rng(0), min(side, LARGEST)
    few = Image.fromarray(draw.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    patches = few.resize((64, 64), Image.Resampling.BICUBIC)
    faint = np.linspace(60, 180, 64)[:, None, None] + draw.normal(0, 12, (64, 64, 3))
    sharp = draw.integers(0, 256, (size, size, 3))
    arrays = (sharp, np.asarray(patches), faint)
    return tuple(Image.fromarray(np.clip(one, 0, 255).astype(np.uint8)) for one in arrays)


def pixels(network: nn.Module, transform: Transform) -> Tensor:
    """The images as the network is fed them, (3, C, crop, crop), on its device."""
    views = torch.from_numpy(np.stack([transform.view(image) for image in images(transform.resize)]))
    device = next((one.device for one in network.parameters()), torch.device("cpu"))
    return transform.normalise(views.permute(0, 3, 1, 2).to(device))
