"""Noise images, made from a seed instead of stored.

The two sets follow Liang, Li and Srikant, "Enhancing the reliability of out-of-distribution image detection in neural
networks" (ODIN, ICLR 2018), section 4.2 and its published code: every RGB value of every pixel is drawn independently,
uniformly from [0, 1], or from a normal distribution with mean 0.5 and variance 1 clipped to [0, 1]. Here the values
are then rounded to 8 bits, as in an image file.

Both read the raw output of PCG64, which is stable between NumPy versions; NumPy's samplers are not.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from nap_core.datasets.images import ArrayImages, Pixels

COUNT = 500
SIDE = 32
_UNIFORM_SEED = 1
_GAUSSIAN_SEED = 2


def uniform(count: int = COUNT, side: int = SIDE) -> Pixels:
    """(count, side, side, 3) uint8, every value 0…255 equally likely: the bytes, low first, of PCG64(1)'s output."""
    size = count * side * side * 3
    raw = np.random.PCG64(_UNIFORM_SEED).random_raw(-(-size // 8)).astype("<u8")
    return raw.view(np.uint8)[:size].reshape(count, side, side, 3)


def gaussian(count: int = COUNT, side: int = SIDE) -> Pixels:
    """(count, side, side, 3) uint8: N(0.5, 1) clipped to [0, 1] and rounded to 256 levels, drawn from PCG64(2).

    Level k is taken where a uniform u lies in [Φ((k − ½)/255 − ½), Φ((k + ½)/255 − ½)): the inverse of the
    distribution function on the 256 levels, so that about 31 % of the values are 0 and as many are 255.
    """
    steps = [NormalDist(mu=0.5, sigma=1.0).cdf((k + 0.5) / 255) for k in range(255)]
    raw = np.random.PCG64(_GAUSSIAN_SEED).random_raw(count * side * side * 3)
    uniforms = np.ldexp((raw >> np.uint64(11)).astype(np.float64), -53)  # 53 bits, in [0, 1)
    return np.searchsorted(steps, uniforms, side="right").astype(np.uint8).reshape(count, side, side, 3)


def open_uniform(name: str, title: str) -> ArrayImages:
    """``COUNT`` images of uniform noise, without labels."""
    return _unlabelled(name, title, uniform())


def open_gaussian(name: str, title: str) -> ArrayImages:
    """``COUNT`` images of Gaussian noise, without labels."""
    return _unlabelled(name, title, gaussian())


def _unlabelled(name: str, title: str, pixels: Pixels) -> ArrayImages:
    return ArrayImages(name, title, (), np.full(len(pixels), -1), pixels, np.arange(len(pixels)))
