"""Preprocessing: image of any size → uint8 view of the crop → normalised network input."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

MAX_SIDE = 4096
SMALL = 64
WHITE = 255
WIDEST = 0.5
"""The largest standard deviation of pixels between 0 and 1."""
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}

_GEOMETRY = re.compile(r"([0-9]{1,5})/([0-9]{1,5})(?:/([a-z]+))?")


@dataclass(frozen=True)
class Transform:
    """Resize the short side, crop the centre, then (x / 255 − mean) / std per channel.

    Resize and crop run on the CPU and give uint8 pixels (``view``); normalisation runs on the network's device
    (``normalise``).

    Attributes:
        resize: short side after the resize, in pixels.
        crop: side of the centre crop, in pixels.
        mean: mean of the R, G and B values, between 0 and 1.
        std: standard deviation of the R, G and B values, on the same scale.
        interpolation: "bilinear" or "bicubic".
        channels: 3, or 1 for a network that is fed grey images: their luma (ITU-R 601), with the first mean and
            standard deviation.
    """

    resize: int
    crop: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bilinear"
    channels: int = 3

    def checked(self) -> Transform:
        """Validate the values.

        Returns:
            The transform itself.

        Raises:
            UserError: the crop is larger than the resized image, a size is out of range, a standard deviation is not
                positive, mean or standard deviation are in units of 0 … 255, or the interpolation is unknown.
        """
        if not 1 <= self.crop <= self.resize <= MAX_SIDE:
            raise UserError(
                f"The crop needs at least 1 pixel and no more than the short side, and that at most {MAX_SIDE:,}."
            )
        if self.channels not in (1, 3):
            raise UserError(f"Images have 3 channels, or 1 where they are fed as grey, and not {self.channels}.")
        if min(len(self.mean), len(self.std)) < self.channels:
            raise UserError("Mean and standard deviation need a number for each channel.")
        if not all(map(math.isfinite, (*self.mean, *self.std))) or min(self.std) <= 0:
            raise UserError("Mean and standard deviation must be numbers, the latter above 0.")
        if offered := self.divided():
            given = f"Mean ({in_words(self.mean)}) and standard deviation ({in_words(self.std)})"
            raise UserError(
                f"{given} are in units of 0 … 255, and pixels run from 0 to 1 here. Divide by 255: mean "
                f"{in_words(offered.mean)}, standard deviation {in_words(offered.std)}."
            )
        if self.interpolation not in FILTERS:
            raise UserError(f"The interpolation must be one of {', '.join(FILTERS)}.")
        return self

    def divided(self) -> Transform | None:
        """The transform with mean and standard deviation divided by 255, where they are in units of 0 … 255.

        Of pixels between 0 and 1 neither is above 1, and the standard deviation is not above 0.5.

        Returns:
            The transform for pixels between 0 and 1; None where it is one already.
        """
        if max(self.mean) <= 1 and max(self.std) <= 1:
            return None
        mean = self.mean if max(self.mean) <= 1 else _divided(self.mean)
        return replace(self, mean=mean, std=_divided(self.std) if max(self.std) > WIDEST else self.std)

    @property
    def geometry(self) -> str:
        """Resize, crop and interpolation as text, the format of ``changed``: "256/224/bilinear"."""
        return f"{self.resize}/{self.crop}/{self.interpolation}"

    def changed(self, geometry: str) -> Transform:
        """Replace resize, crop and interpolation; mean and standard deviation belong to the weights and stay.

        Args:
            geometry: "256/224/bicubic", or "256/224" to keep the interpolation.

        Returns:
            The new transform, validated.

        Raises:
            UserError: the text has another format, or a value is invalid.
        """
        match = _GEOMETRY.fullmatch(geometry)
        if not match:
            raise UserError(
                f"“{geometry}” is no preprocessing. Write short side, crop and interpolation as 256/224/bicubic."
            )
        resize, crop, interpolation = match.groups()
        return replace(
            self, resize=int(resize), crop=int(crop), interpolation=interpolation or self.interpolation
        ).checked()

    def as_the_paper(self) -> Transform:
        """This transform with the NAP paper's geometry: 32/32 for crops up to 64 pixels, 256/224 for larger ones."""
        return self.changed("32/32/bilinear" if self.crop <= SMALL else "256/224/bilinear")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after the resize, as in torchvision: the long side is truncated to whole pixels."""
        # Multiply before dividing: 32 / 49 · 98 is 63.99… in floating point.
        long = int(self.resize * max(width, height) / min(width, height))
        return (self.resize, long) if width <= height else (long, self.resize)

    def view(self, image: Image.Image) -> NDArray[np.uint8]:
        """Resize and crop an image of any size → (crop, crop, 3) uint8 RGB, grey for a network with one channel."""
        image = image.convert("RGB")
        if image.size != (size := self.size(*image.size)):
            image = image.resize(size, FILTERS[self.interpolation])
        left, top = round((image.width - self.crop) / 2), round((image.height - self.crop) / 2)
        if image.size != (self.crop, self.crop):
            image = image.crop((left, top, left + self.crop, top + self.crop))
        if self.channels == 1:
            image = image.convert("L").convert("RGB")
        return np.asarray(image)

    def normalise(self, views: Tensor) -> Tensor:
        """Views (B, 3, H, W) uint8 on any device → float32 network input (B, channels, H, W), channels last."""
        pixels = views[:, : self.channels].float() / 255
        mean, std = (pixels.new_tensor(values).view(1, -1, 1, 1) for values in (self.fed_mean, self.fed_std))
        # The same as memory_format=torch.channels_last, without torch: a record holds a transform.
        return ((pixels - mean) / std).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)

    @property
    def fed_mean(self) -> tuple[float, ...]:
        """The mean of each channel that the network is fed."""
        return self.mean[: self.channels]

    @property
    def fed_std(self) -> tuple[float, ...]:
        """The standard deviation of each channel that the network is fed."""
        return self.std[: self.channels]

    def describe(self) -> str:
        """One line for a page or a manifest; part of store keys, so that equal lines mean equal transforms."""
        mean, std = (", ".join(map(repr, values)) for values in (self.fed_mean, self.fed_std))
        resized = f"short side to {self.resize} ({self.interpolation}), centre crop {self.crop}"
        grey = "grey, " if self.channels == 1 else ""
        return f"{resized}, {grey}mean ({mean}), std ({std})"


def in_words(values: tuple[float, ...]) -> str:
    """ "0.485, 0.456, 0.406": four digits of each."""
    return ", ".join(f"{value:.4g}" for value in values)


def _divided(values: tuple[float, float, float]) -> tuple[float, float, float]:
    # Without the rounding errors of a division: 123.675 / 255 is 0.485.
    return cast("tuple[float, float, float]", tuple(round(value / WHITE, 6) for value in values))
