"""The catalogue of corruptions: what each does, and its published parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scale = Literal["auto", "imagenet", "cifar"]
Steps = tuple[tuple[float, ...], ...]

SMALL = 64
"""Views of up to so many pixels a side get CIFAR-10-C's parameters, where nobody says otherwise."""
PAPER = "Hendrycks and Dietterich, ICLR 2019"
PACKAGE = f"{PAPER}; for larger views as in imagecorruptions (Michaelis et al., 2019)"


@dataclass(frozen=True)
class CorruptionRecord:
    """One corruption.

    ``implementation`` is "module:name" of a function (batch, *parameters) → the corrupted batch (B, 3, H, W), as shares
    of 0 to 1.

    ``imagenet`` and ``cifar`` are the parameters of severities 1 to 5 in ImageNet-C (224 pixels) and CIFAR-10-C (32);
    ``meaning`` says in words what they are, in order. ``group`` is the paper's. Severity 0 is the image as it is.
    """

    name: str
    title: str
    group: Literal["noise", "blur", "weather", "digital"]
    meaning: str
    imagenet: Steps
    cifar: Steps
    implementation: str
    source: str = PAPER

    def parameters(self, side: int, severity: int, scale: Scale = "auto") -> tuple[float, ...]:
        """The parameters of ``implementation`` at a severity from 1 to 5 for views of ``side`` pixels: CIFAR-10-C's up
        to 64, or the list that ``scale`` names. Raises ValueError for another scale."""
        if scale not in ("auto", "imagenet", "cifar"):
            raise ValueError(f"the parameters are for “auto”, “imagenet” or “cifar”, not for “{scale}”")
        small = side <= SMALL if scale == "auto" else scale == "cifar"
        return (self.cifar if small else self.imagenet)[severity - 1]


def _one(*values: float) -> Steps:
    """Five values of a single parameter."""
    return tuple((value,) for value in values)


RECORDS: dict[str, CorruptionRecord] = {
    record.name: record
    for record in (
        CorruptionRecord(
            name="gaussian-noise",
            title="Gaussian noise",
            group="noise",
            meaning="standard deviation, as a share of full brightness",
            imagenet=_one(0.08, 0.12, 0.18, 0.26, 0.38),
            cifar=_one(0.04, 0.06, 0.08, 0.09, 0.10),
            implementation="nap_core.corruptions.noise:gaussian_noise",
        ),
        CorruptionRecord(
            name="shot-noise",
            title="Shot noise",
            group="noise",
            meaning="photons that full brightness stands for",
            imagenet=_one(60, 25, 12, 5, 3),
            cifar=_one(500, 250, 100, 75, 50),
            implementation="nap_core.corruptions.noise:shot_noise",
        ),
        CorruptionRecord(
            name="impulse-noise",
            title="Impulse noise",
            group="noise",
            meaning="share of the values that become black or white",
            imagenet=_one(0.03, 0.06, 0.09, 0.17, 0.27),
            cifar=_one(0.01, 0.02, 0.03, 0.05, 0.07),
            implementation="nap_core.corruptions.noise:impulse_noise",
        ),
        CorruptionRecord(
            name="defocus-blur",
            title="Defocus blur",
            group="blur",
            meaning="radius of the disk in pixels, and the deviation of the Gaussian that softens its edge",
            imagenet=((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
            cifar=((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
            implementation="nap_core.corruptions.blur:defocus_blur",
        ),
        CorruptionRecord(
            name="glass-blur",
            title="Frosted glass",
            group="blur",
            meaning="deviation of the Gaussian in pixels, how many pixels away values are taken from, and how often",
            imagenet=((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
            cifar=((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
            implementation="nap_core.corruptions.blur:glass_blur",
        ),
        CorruptionRecord(
            name="motion-blur",
            title="Motion blur",
            group="blur",
            meaning="half the length of the trail in pixels, and the deviation of its half Gaussian",
            imagenet=((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
            cifar=((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
            implementation="nap_core.corruptions.blur:motion_blur",
            source=PACKAGE,
        ),
        CorruptionRecord(
            name="zoom-blur",
            title="Zoom blur",
            group="blur",
            meaning="where the enlargements end, and their step",
            imagenet=((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
            cifar=((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
            implementation="nap_core.corruptions.blur:zoom_blur",
        ),
        CorruptionRecord(
            name="snow",
            title="Snow",
            group="weather",
            meaning="mean and deviation of the noise, how much it is magnified, the least that is a flake, half the "
            "length of the trail in pixels and the deviation of its half Gaussian, share of the picture not paled",
            imagenet=(
                (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
                (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
                (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
                (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
                (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
            ),
            cifar=(
                (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
                (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
                (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
                (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
                (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
            ),
            implementation="nap_core.corruptions.weather:snow",
            source=PACKAGE,
        ),
        CorruptionRecord(
            name="frost",
            title="Frost",
            group="weather",
            meaning="shares of the picture and of the frost, and of how many of its pixels in a row one is taken",
            imagenet=((1, 0.4, 1), (0.8, 0.6, 1), (0.7, 0.7, 1), (0.65, 0.7, 1), (0.6, 0.75, 1)),
            cifar=((1, 0.2, 5), (1, 0.3, 5), (0.9, 0.4, 5), (0.85, 0.4, 5), (0.75, 0.45, 5)),
            implementation="nap_core.corruptions.weather:frost",
        ),
        CorruptionRecord(
            name="fog",
            title="Fog",
            group="weather",
            meaning="height of the cloud as a share of full brightness, and how fast its detail falls off",
            imagenet=((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
            cifar=((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
            implementation="nap_core.corruptions.weather:fog",
        ),
        CorruptionRecord(
            name="brightness",
            title="More brightness",
            group="weather",
            meaning="what is added to the value of HSV colours, as a share of full brightness",
            imagenet=_one(0.1, 0.2, 0.3, 0.4, 0.5),
            cifar=_one(0.05, 0.1, 0.15, 0.2, 0.3),
            implementation="nap_core.corruptions.weather:brightness",
        ),
        CorruptionRecord(
            name="contrast",
            title="Less contrast",
            group="digital",
            meaning="share of the contrast that is left",
            imagenet=_one(0.4, 0.3, 0.2, 0.1, 0.05),
            cifar=_one(0.75, 0.5, 0.4, 0.3, 0.15),
            implementation="nap_core.corruptions.digital:contrast",
        ),
        CorruptionRecord(
            name="elastic",
            title="Elastic deformation",
            group="digital",
            meaning="reach of the noise that moves the pixels, deviation of the Gaussian that smooths it, and by how "
            "much three points are moved first, all as shares of the side",
            # ImageNet-C's own are pixels of 244 and make no sense at other sizes; imagecorruptions' go with the side.
            imagenet=tuple((250 * factor * 0.005, 0.01, 0) for factor in (0.05, 0.065, 0.085, 0.1, 0.12)),
            cifar=((0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)),
            implementation="nap_core.corruptions.digital:elastic",
            source=PACKAGE,
        ),
        CorruptionRecord(
            name="pixelate",
            title="Pixelation",
            group="digital",
            meaning="share of the pixels of a side that is left",
            imagenet=_one(0.6, 0.5, 0.4, 0.3, 0.25),
            cifar=_one(0.95, 0.9, 0.85, 0.75, 0.65),
            implementation="nap_core.corruptions.digital:pixelate",
        ),
        CorruptionRecord(
            name="jpeg",
            title="JPEG compression",
            group="digital",
            meaning="JPEG quality",
            imagenet=_one(25, 18, 15, 10, 7),
            cifar=_one(80, 65, 58, 50, 40),
            implementation="nap_core.corruptions.digital:jpeg",
        ),
    )
}
