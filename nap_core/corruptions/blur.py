"""Blur: defocus, frosted glass, motion, zoom."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nap_core.corruptions.batch import Batch, to_pixels
from nap_core.corruptions.filters import bordered, dragged, magnified, smoothed


def defocus_blur(batch: Batch, radius: float, softness: float) -> Tensor:
    """Every point becomes a disk; the border mirrors the picture."""
    kernel = disk(radius, softness)
    height, width = batch.size
    # Without the zeros around the disk; it is symmetric, so that convolution and OpenCV's correlation are one.
    reach = int(np.abs(np.argwhere(kernel)[:, 0] - len(kernel) // 2).max())
    middle = slice(len(kernel) // 2 - reach, len(kernel) // 2 + reach + 1)
    padded = bordered(batch.shares, reach, reach, "mirror")
    size = [_quick(side) for side in padded.shape[-2:]]  # by FFT, as the disk is up to 21 × 21
    spectrum = torch.fft.rfft2(padded, s=size) * torch.fft.rfft2(batch.placed(kernel[middle, middle]), s=size)
    blurred = torch.fft.irfft2(spectrum, s=size)
    return blurred[..., 2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]


def _quick(length: int) -> int:
    """The next length, none of whose prime factors is above 5: an FFT of it is quick."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


def disk(radius: float, softness: float) -> NDArray[np.float64]:
    """A disk of ``radius`` pixels whose sum is 1, its edge softened by a small Gaussian of deviation ``softness``."""
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
    """Pixels are taken from near by, ``rounds`` times, between two Gaussian blurs.

    The published code goes through the pixels from the last to the first and means to swap each with another, −reach
    to reach − 1 away; NumPy's views make of it that each takes the other's value, which may itself have been taken
    before. So it is done here, all at once: who takes from a later pixel gets what that one has already got.
    """
    height, width = batch.size
    blurred = to_pixels(smoothed(batch.shares, (deviation, deviation), 4, "edge")).flatten(1, 2)
    own = torch.arange(height * width, device=batch.device).view(height, width)
    moved = own[reach + 1 : height - reach + 1, reach + 1 : width - reach + 1]
    for _ in range(rounds):
        # Drawn for all pixels and as shares, so that one draw serves every reach and number of rounds.
        offsets = (batch.uniform(height, width, 2) * 2 * reach).long() - reach
        taken = own.expand(len(batch.views), -1, -1).clone()
        rows, columns = slice(reach + 1, height - reach + 1), slice(reach + 1, width - reach + 1)
        taken[:, rows, columns] = moved + (offsets[..., 0] * width + offsets[..., 1])[:, rows, columns]
        blurred = blurred.gather(1, _origins(taken.flatten(1))[..., None].expand(-1, -1, 3))
    shares = blurred.view(batch.views.shape).permute(0, 3, 1, 2).to(batch.dtype) / 255
    return smoothed(shares, (deviation, deviation), 4, "edge")


def _origins(taken: Tensor) -> Tensor:
    """Where each pixel's value came from, (B, H · W), when from the last to the first each takes that of ``taken``."""
    own = torch.arange(taken.shape[1], device=taken.device).expand_as(taken)
    # Chains of ever later pixels, each of which had taken before it was taken from; every turn doubles the stride.
    ends = torch.where(taken > own, taken, own)
    while True:
        further = ends.gather(1, ends)
        if torch.equal(further, ends):
            return taken.gather(1, ends)
        ends = further


def motion_blur(batch: Batch, radius: int, deviation: float) -> Tensor:
    """The picture is dragged along a random direction, at most 45° from the horizontal."""
    return dragged(batch.shares, radius, deviation, batch.uniform() * 90 - 45)


def zoom_blur(batch: Batch, end: float, step: float) -> Tensor:
    """The mean of the picture and its enlargements from 1 up to ``end`` by ``step``."""
    factors = np.arange(1, end, step)
    return (batch.shares + sum(magnified(batch.shares, factor) for factor in factors)) / (len(factors) + 1)
