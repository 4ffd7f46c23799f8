"""A batch of views with one stream of random numbers for each image."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
"""In levels of 0 to 255: a value that is this little below a whole level, by rounding errors, counts as that level."""


def stream(seed: int, name: str) -> np.random.Generator:
    """The random numbers of corruption ``name`` for an image with ``seed`` (0 to 2⁶⁴ − 1): Philox, keyed on both."""
    corruption = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.Generator(np.random.Philox(key=np.array([seed, corruption], dtype=np.uint64)))


@dataclass(frozen=True, eq=False)
class Batch:
    """``views`` (B, H, W, 3) uint8 on the device to compute on, and B ``streams``.

    Computes in float64, in which the order of a sum never changes a level; in float32 on Apple's GPUs, which lack
    float64.
    """

    views: Tensor
    streams: Sequence[np.random.Generator]

    @property
    def device(self) -> torch.device:
        return self.views.device

    @property
    def dtype(self) -> torch.dtype:
        return torch.float32 if self.device.type == "mps" else torch.float64

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.views.shape[1]), int(self.views.shape[2])

    @cached_property
    def shares(self) -> Tensor:
        """The pixels as shares of full brightness, (B, 3, H, W), 0 to 1, read-only."""
        return self.views.permute(0, 3, 1, 2).to(self.dtype).contiguous() / 255

    def normal(self, *shape: int) -> Tensor:
        """(B, *shape) draws from N(0, 1)."""
        return self.placed(np.stack([one.standard_normal(shape) for one in self.streams]))

    def uniform(self, *shape: int) -> Tensor:
        """(B, *shape) draws from [0, 1)."""
        drawn = self.placed(np.stack([one.random(shape) for one in self.streams]))
        return drawn.clamp(max=1 - torch.finfo(self.dtype).eps / 2)  # float32 would round to 1

    def placed(self, values: NDArray[np.float64]) -> Tensor:
        """``values`` on the device, in ``dtype``."""
        return torch.from_numpy(values).to(self.dtype).to(self.device)


def to_pixels(shares: Tensor) -> Tensor:
    """Shares (B, 3, H, W), clipped to 0 … 1 → (B, H, W, 3) uint8, truncated as in the published datasets."""
    levels = (shares.clamp(0, 1) * 255 + _TOLERANCE[shares.dtype]).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous()
