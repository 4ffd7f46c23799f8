"""Blur: defocus, frosted glass, motion, zoom."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nap_core.corruptions.batch import Batch, to_pixels
from nap_core.corruptions.filters import bordered, dragged, magnified, smoothed


def defocus_blur(batch: Batch, radius: float, softness: float) -> Tensor:
    """Convolution with a disk; mirror padding."""
    kernel = disk(radius, softness)
    height, width = batch.size
    # Without the zeros around the disk. It is symmetric: convolution equals OpenCV's correlation.
    reach = int(np.abs(np.argwhere(kernel)[:, 0] - len(kernel) // 2).max())
    middle = slice(len(kernel) // 2 - reach, len(kernel) // 2 + reach + 1)
    padded = bordered(batch.shares, reach, reach, "mirror")
    size = [_fast_length(side) for side in padded.shape[-2:]]  # by FFT, as the disk is up to 21 × 21
    spectrum = torch.fft.rfft2(padded, s=size) * torch.fft.rfft2(batch.placed(kernel[middle, middle]), s=size)
    blurred = torch.fft.irfft2(spectrum, s=size)
    return blurred[..., 2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]


def _fast_length(length: int) -> int:
    """The next length without prime factors above 5, for a fast FFT."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


def disk(radius: float, softness: float) -> NDArray[np.float64]:
    """A disk of ``radius`` pixels with sum 1, blurred by a small Gaussian of deviation ``softness``."""
    reach, taps = (8, 1) if radius <= 8 else (int(radius), 2)
    steps = np.arange(-reach, reach + 1)
    disk = (steps[:, None] ** 2 + steps**2 <= radius**2).astype(np.float64)
    gauss = np.exp(-(np.arange(-taps, taps + 1) ** 2) / (2 * softness**2))
    gauss /= gauss.sum()
    padded = np.pad(disk / disk.sum(), taps, mode="reflect")
    for axis in (0, 1):
        padded = np.apply_along_axis(np.convolve, axis, padded, gauss, "valid")
    return padded


def glass_blur(batch: Batch, deviation: float, reach: int, rounds: int) -> Tensor:
    """Pixels are replaced by nearby ones, ``rounds`` times, between two Gaussian blurs.

    The published code visits the pixels from last to first and intends to swap each with one −reach to reach − 1 away.
    Because of NumPy's views, each pixel instead copies the other's current value, which may have been replaced before.
    This function computes the same result for all pixels at once.
    """
    height, width = batch.size
    blurred = to_pixels(smoothed(batch.shares, (deviation, deviation), 4, "edge")).flatten(1, 2)
    own = torch.arange(height * width, device=batch.device).view(height, width)
    moved = own[reach + 1 : height - reach + 1, reach + 1 : width - reach + 1]
    for _ in range(rounds):
        # Drawn for all pixels and as shares, so that the draws do not depend on reach and rounds.
        offsets = (batch.uniform(height, width, 2) * 2 * reach).long() - reach
        taken = own.expand(len(batch.views), -1, -1).clone()
        rows, columns = slice(reach + 1, height - reach + 1), slice(reach + 1, width - reach + 1)
        taken[:, rows, columns] = moved + (offsets[..., 0] * width + offsets[..., 1])[:, rows, columns]
        blurred = blurred.gather(1, _origins(taken.flatten(1))[..., None].expand(-1, -1, 3))
    shares = blurred.view(batch.views.shape).permute(0, 3, 1, 2).to(batch.dtype) / 255
    return smoothed(shares, (deviation, deviation), 4, "edge")


def _origins(taken: Tensor) -> Tensor:
    """The origin of each pixel's value, (B, H · W), if from last to first each pixel copies that of ``taken``."""
    own = torch.arange(taken.shape[1], device=taken.device).expand_as(taken)
    # Follows chains of copies from later pixels; every iteration doubles the stride.
    ends = torch.where(taken > own, taken, own)
    while True:
        further = ends.gather(1, ends)
        if torch.equal(further, ends):
            return taken.gather(1, ends)
        ends = further


def motion_blur(batch: Batch, radius: int, deviation: float) -> Tensor:
    """Motion blur in a random direction, at most 45° from the horizontal."""
    return dragged(batch.shares, radius, deviation, batch.uniform() * 90 - 45)


def zoom_blur(batch: Batch, end: float, step: float) -> Tensor:
    """The mean of the picture and its enlargements from 1 up to ``end`` by ``step``."""
    factors = np.arange(1, end, step)
    return (batch.shares + sum(magnified(batch.shares, factor) for factor in factors)) / (len(factors) + 1)
