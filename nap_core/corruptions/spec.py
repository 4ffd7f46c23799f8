"""The record type of the catalogue of corruptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scale = Literal["auto", "imagenet", "cifar"]
Steps = tuple[tuple[float, ...], ...]

SMALL = 64
"""Views of up to this many pixels a side get CIFAR-10-C's parameters with scale "auto"."""
SEVERITIES = (0, 1, 2, 3, 4, 5)
SEED = 20260102
REVISION = 1
"""Part of the keys of stored activations; raise it when the same seed gives other pixels."""
PAPER = "Hendrycks and Dietterich, ICLR 2019"
PACKAGE = f"{PAPER}; for larger views as in imagecorruptions (Michaelis et al., 2019)"


@dataclass(frozen=True)
class CorruptionRecord:
    """What the catalogue states of a corruption. Its function is ``nap_core.corruptions.GROUP.NAME``.

    Attributes:
        name: the name in addresses and on the command line; the function's name with hyphens.
        title: the name on the screen.
        group: the paper's group; the function's module.
        meaning: the parameters in words, in order.
        imagenet: the parameters of severities 1 to 5 in ImageNet-C (224 pixels).
        cifar: the parameters of severities 1 to 5 in CIFAR-10-C (32 pixels).
        source: where the parameters come from.
    """

    name: str
    title: str
    group: Literal["noise", "blur", "weather", "digital"]
    meaning: str
    imagenet: Steps
    cifar: Steps
    source: str = PAPER

    def parameters(self, side: int, severity: int, scale: Scale = "auto") -> tuple[float, ...]:
        """The function's parameters at a severity from 1 to 5 for views of ``side`` pixels.

        With scale "auto", CIFAR-10-C's up to 64 pixels and ImageNet-C's above. Raises ValueError for another scale.
        """
        if scale not in ("auto", "imagenet", "cifar"):
            raise ValueError(f"the parameters are for “auto”, “imagenet” or “cifar”, not for “{scale}”")
        small = side <= SMALL if scale == "auto" else scale == "cifar"
        return (self.cifar if small else self.imagenet)[severity - 1]
