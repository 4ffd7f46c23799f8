"""An image made worse step by step: the corruptions of ImageNet-C and CIFAR-10-C, from mild to severe.

Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019.
The parameters are those that made the published datasets (github.com/hendrycks/robustness, ImageNet-C/create_c); there
is one list for 224 × 224 pixels and one for 32 × 32. ``RECORDS`` is the catalogue: a corruption more is a function and
a record more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core.errors import UserError

Pixels = NDArray[np.uint8]
Steps = tuple[tuple[float, ...], ...]
SEVERITIES = (0, 1, 2, 3, 4, 5)
SEED = 20260102
PAPER = "Hendrycks and Dietterich, ICLR 2019"


@dataclass(frozen=True)
class CorruptionRecord:
    """One corruption: ``apply(view, *parameters)``, view and result (H, W, 3) uint8, and what it is given.

    ``imagenet`` and ``cifar`` are the parameters of severities 1 to 5 in ImageNet-C (224 pixels) and CIFAR-10-C (32);
    ``meaning`` says in words what they are. ``group`` is the paper's. Severity 0 is the image as it is.
    """

    name: str
    title: str
    group: Literal["noise", "blur", "weather", "digital"]
    meaning: str
    imagenet: Steps
    cifar: Steps
    apply: Callable[..., Pixels]
    source: str = PAPER

    def parameters(self, side: int, severity: int) -> tuple[float, ...]:
        """What ``apply`` is given at a severity from 1 to 5 for views of ``side`` pixels: CIFAR-10-C's up to 64."""
        return (self.cifar if side <= 64 else self.imagenet)[severity - 1]


def corrupt(name: str, view: Pixels, severity: int) -> Pixels:
    """``view`` (H, W, 3) uint8, as the network sees it, after a corruption of the catalogue: same shape and type.

    Noise is drawn from a fixed seed, the same at every severity, so that from step to step only its strength changes.
    Raises UserError for an unknown corruption, ValueError for a severity other than 0 to 5.
    """
    if name not in RECORDS:
        raise UserError(f"There is no corruption called “{name}”. There are: {', '.join(RECORDS)}.")
    if severity not in SEVERITIES:
        raise ValueError(f"severities run from 0 to 5, not to {severity}")
    if severity == 0:
        return view.copy()
    record = RECORDS[name]
    return record.apply(view, *record.parameters(min(view.shape[:2]), severity))


def strip(name: str, view: Pixels) -> Pixels:
    """``view`` at all severities from 0 to 5, (6, H, W, 3). Raises UserError for an unknown corruption."""
    return np.stack([corrupt(name, view, severity) for severity in SEVERITIES])


def _to_pixels(shares: NDArray[np.float64]) -> Pixels:
    """Values of 0 to 1, clipped there, as uint8; cut, not rounded, as in the published datasets."""
    return (np.clip(shares, 0, 1) * 255).astype(np.uint8)


def _gaussian_noise(view: Pixels, deviation: float) -> Pixels:
    drawn = np.random.Generator(np.random.PCG64(SEED)).standard_normal(view.shape)
    return _to_pixels(view / 255 + deviation * drawn)


def _defocus_blur(view: Pixels, radius: float, softness: float) -> Pixels:
    kernel = _disk(radius, softness)
    reach = len(kernel) // 2
    height, width = view.shape[:2]
    padded = np.pad(view / 255, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    # The kernel is symmetric, so that convolution and OpenCV's correlation are one; by FFT, as it is up to 21 × 21.
    size = padded.shape[:2]
    spectrum = np.fft.rfft2(padded, axes=(0, 1)) * np.fft.rfft2(kernel, s=size)[..., None]
    blurred = np.fft.irfft2(spectrum, s=size, axes=(0, 1))
    # FFT noise of 1e-16 must not push a value that is exactly k / 255 below it, where it would be cut to k − 1.
    return _to_pixels(blurred[2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width] + 1e-9)


def _disk(radius: float, softness: float) -> NDArray[np.float64]:
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


def _contrast(view: Pixels, factor: float) -> Pixels:
    shares = view / 255
    means = shares.mean(axis=(0, 1), keepdims=True)
    return _to_pixels((shares - means) * factor + means)


def _pixelate(view: Pixels, factor: float) -> Pixels:
    height, width = view.shape[:2]
    coarse = Image.fromarray(view).resize((int(width * factor), int(height * factor)), Image.Resampling.BOX)
    return np.asarray(coarse.resize((width, height), Image.Resampling.BOX)).copy()


def _jpeg(view: Pixels, quality: float) -> Pixels:
    buffer = BytesIO()
    Image.fromarray(view).save(buffer, "JPEG", quality=int(quality))
    with Image.open(buffer, formats=("JPEG",)) as picture:
        return np.asarray(picture.convert("RGB")).copy()


RECORDS: dict[str, CorruptionRecord] = {
    record.name: record
    for record in (
        CorruptionRecord(
            name="gaussian-noise",
            title="Gaussian noise",
            group="noise",
            meaning="standard deviation, as a share of full brightness",
            imagenet=((0.08,), (0.12,), (0.18,), (0.26,), (0.38,)),
            cifar=((0.04,), (0.06,), (0.08,), (0.09,), (0.10,)),
            apply=_gaussian_noise,
        ),
        CorruptionRecord(
            name="defocus-blur",
            title="Defocus blur",
            group="blur",
            meaning="radius of the disk in pixels, and the deviation of the Gaussian that softens its edge",
            imagenet=((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
            cifar=((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
            apply=_defocus_blur,
        ),
        CorruptionRecord(
            name="contrast",
            title="Less contrast",
            group="digital",
            meaning="share of the contrast that is left",
            imagenet=((0.4,), (0.3,), (0.2,), (0.1,), (0.05,)),
            cifar=((0.75,), (0.5,), (0.4,), (0.3,), (0.15,)),
            apply=_contrast,
        ),
        CorruptionRecord(
            name="pixelate",
            title="Pixelation",
            group="digital",
            meaning="share of the pixels of a side that is left",
            imagenet=((0.6,), (0.5,), (0.4,), (0.3,), (0.25,)),
            cifar=((0.95,), (0.9,), (0.85,), (0.75,), (0.65,)),
            apply=_pixelate,
        ),
        CorruptionRecord(
            name="jpeg",
            title="JPEG compression",
            group="digital",
            meaning="JPEG quality",
            imagenet=((25,), (18,), (15,), (10,), (7,)),
            cifar=((80,), (65,), (58,), (50,), (40,)),
            apply=_jpeg,
        ),
    )
}
