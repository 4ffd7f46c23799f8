"""The 15 corruptions of Hendrycks and Dietterich, ICLR 2019, with their published parameters."""

from __future__ import annotations

from nap_core.corruptions.spec import PACKAGE, CorruptionRecord, Steps


def _single(*values: float) -> Steps:
    """Five values of a single parameter."""
    return tuple((value,) for value in values)


ENTRIES = (
    CorruptionRecord(
        name="gaussian-noise",
        title="Gaussian noise",
        group="noise",
        meaning="standard deviation, as a share of full brightness",
        imagenet=_single(0.08, 0.12, 0.18, 0.26, 0.38),
        cifar=_single(0.04, 0.06, 0.08, 0.09, 0.10),
    ),
    CorruptionRecord(
        name="shot-noise",
        title="Shot noise",
        group="noise",
        meaning="photons that full brightness stands for",
        imagenet=_single(60, 25, 12, 5, 3),
        cifar=_single(500, 250, 100, 75, 50),
    ),
    CorruptionRecord(
        name="impulse-noise",
        title="Impulse noise",
        group="noise",
        meaning="share of the values that become black or white",
        imagenet=_single(0.03, 0.06, 0.09, 0.17, 0.27),
        cifar=_single(0.01, 0.02, 0.03, 0.05, 0.07),
    ),
    CorruptionRecord(
        name="defocus-blur",
        title="Defocus blur",
        group="blur",
        meaning="radius of the disk in pixels, and the deviation of the Gaussian that softens its edge",
        imagenet=((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        cifar=((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    ),
    CorruptionRecord(
        name="glass-blur",
        title="Frosted glass",
        group="blur",
        meaning="deviation of the Gaussian in pixels, how many pixels away values are taken from, and how often",
        imagenet=((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        cifar=((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    ),
    CorruptionRecord(
        name="motion-blur",
        title="Motion blur",
        group="blur",
        meaning="half the length of the trail in pixels, and the deviation of its half Gaussian",
        imagenet=((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        cifar=((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        source=PACKAGE,
    ),
    CorruptionRecord(
        name="zoom-blur",
        title="Zoom blur",
        group="blur",
        meaning="where the enlargements end, and their step",
        imagenet=((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
        cifar=((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
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
        source=PACKAGE,
    ),
    CorruptionRecord(
        name="frost",
        title="Frost",
        group="weather",
        meaning="shares of the picture and of the frost, and of how many of its pixels in a row one is taken",
        imagenet=((1, 0.4, 1), (0.8, 0.6, 1), (0.7, 0.7, 1), (0.65, 0.7, 1), (0.6, 0.75, 1)),
        cifar=((1, 0.2, 5), (1, 0.3, 5), (0.9, 0.4, 5), (0.85, 0.4, 5), (0.75, 0.45, 5)),
    ),
    CorruptionRecord(
        name="fog",
        title="Fog",
        group="weather",
        meaning="height of the cloud as a share of full brightness, and how fast its detail falls off",
        imagenet=((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        cifar=((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
    ),
    CorruptionRecord(
        name="brightness",
        title="More brightness",
        group="weather",
        meaning="what is added to the value of HSV colours, as a share of full brightness",
        imagenet=_single(0.1, 0.2, 0.3, 0.4, 0.5),
        cifar=_single(0.05, 0.1, 0.15, 0.2, 0.3),
    ),
    CorruptionRecord(
        name="contrast",
        title="Less contrast",
        group="digital",
        meaning="share of the contrast that is left",
        imagenet=_single(0.4, 0.3, 0.2, 0.1, 0.05),
        cifar=_single(0.75, 0.5, 0.4, 0.3, 0.15),
    ),
    CorruptionRecord(
        name="elastic",
        title="Elastic deformation",
        group="digital",
        meaning="reach of the noise that moves the pixels, deviation of the Gaussian that smooths it, and by how "
        "much three points are moved first, all as shares of the side",
        # ImageNet-C's are in pixels of 244 × 244 images; imagecorruptions' scale with the side.
        imagenet=tuple((250 * factor * 0.005, 0.01, 0) for factor in (0.05, 0.065, 0.085, 0.1, 0.12)),
        cifar=((0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)),
        source=PACKAGE,
    ),
    CorruptionRecord(
        name="pixelate",
        title="Pixelation",
        group="digital",
        meaning="share of the pixels of a side that is left",
        imagenet=_single(0.6, 0.5, 0.4, 0.3, 0.25),
        cifar=_single(0.95, 0.9, 0.85, 0.75, 0.65),
    ),
    CorruptionRecord(
        name="jpeg",
        title="JPEG compression",
        group="digital",
        meaning="JPEG quality",
        imagenet=_single(25, 18, 15, 10, 7),
        cifar=_single(80, 65, 58, 50, 40),
    ),
)
