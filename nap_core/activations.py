"""The activations of a set of images: what one forward pass keeps of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nap_core import nap

FloatArray = NDArray[np.floating]
BLOCK = 2**17
"""Numbers of each array in a block of rows: a megabyte in double precision, which stays in a processor's cache."""


@dataclass(frozen=True)
class Activations:
    """Statistics per image and channel of the penultimate feature map (after its ReLU, before global pooling).

    The arrays may be memory-mapped and must not be written to.

    Args:
        maximum: the maximum over the H × W neurons of each channel, (N, C).
        mean: their mean, (N, C).
        variance: their population variance, (N, C).
        logits: the output of the last linear layer, (N, K).
        labels: the class of each image, (N,) int64; −1 where it is unknown.
        features: the input of the last linear layer, (N, D), where that is not ``mean`` (a VGG, a Transformer).

    Raises:
        ValueError: the shapes do not agree.
    """

    maximum: FloatArray
    mean: FloatArray
    variance: FloatArray
    logits: FloatArray
    labels: NDArray[np.int64]
    features: FloatArray | None = None

    def __post_init__(self) -> None:
        if not (self.maximum.shape == self.mean.shape == self.variance.shape) or self.maximum.ndim != 2:
            raise ValueError(
                "maximum, mean and variance must share one (N, C) shape, not "
                f"{self.maximum.shape}, {self.mean.shape}, {self.variance.shape}"
            )
        if self.logits.ndim != 2 or not len(self.logits) == len(self.labels) == len(self.maximum):
            raise ValueError(
                f"{len(self.maximum)} images need as many logits and labels, not {self.logits.shape}, "
                f"{self.labels.shape}"
            )
        if self.features is not None and (self.features.ndim != 2 or len(self.features) != len(self.maximum)):
            raise ValueError(f"{len(self.maximum)} images need as many features, not {self.features.shape}")

    def __len__(self) -> int:
        return len(self.maximum)

    @property
    def channels(self) -> int:
        return int(self.maximum.shape[1])

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that are not None, by name."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: array for name, array in named if array is not None}

    @property
    def pooled(self) -> FloatArray:
        """The pooled features (N, D), which the last linear layer reads: ``features``, or ``mean`` without them."""
        return self.mean if self.features is None else self.features

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """The predicted class of each image, (N,)."""
        classes: NDArray[np.int64] = np.argmax(self.logits, axis=1)
        return classes

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """Whether all numbers of an image are finite, (N,). A maximum that is not makes the mean so, too."""
        arrays = (self.logits, self.mean, self.variance, *(() if self.features is None else (self.features,)))
        whole: NDArray[np.bool_] = np.logical_and.reduce([np.isfinite(array).min(axis=1) for array in arrays])
        return whole

    def ratio(self, epsilon: float = nap.EPSILON, channels: slice | Sequence[int] = slice(None)) -> FloatArray:
        """``nap.channel_ratio`` of each image and channel.

        Args:
            epsilon: see ``nap.channel_ratio``.
            channels: which channels, all by default.

        Returns:
            Ratios (N, C), in single precision at least.
        """
        maximum, mean = self.maximum[:, channels], self.mean[:, channels]
        precision = np.result_type(maximum.dtype, np.float32)
        return nap.channel_ratio(maximum.astype(precision), mean.astype(precision), epsilon)

    def blocks(self) -> Iterator[Activations]:
        """The images in order, a block of rows at a time, so that intermediate arrays take megabytes for any N.

        There is at least one block, which may be empty.
        """
        rows = max(1, BLOCK // max(self.channels, 1))
        for start in range(0, max(len(self), 1), rows):
            yield self.take(slice(start, start + rows))

    def by_rows(self, work: Callable[[Activations], NDArray[np.float64]]) -> NDArray[np.float64]:
        """A value of each image, computed block by block.

        Args:
            work: the values (n,) of a block of n images. The value of an image must not depend on the others.

        Returns:
            The values, (N,) float64.
        """
        return np.concatenate([work(block) for block in self.blocks()])

    def take(self, index: slice | Sequence[int] | NDArray[np.int64]) -> Activations:
        """Some of the images.

        Args:
            index: their rows, in the order wanted.

        Returns:
            Their activations; views of these arrays where ``index`` is a slice.
        """
        return Activations(**{name: array[index] for name, array in self.arrays.items()})

    def head(self, count: int) -> Activations:
        """The first images.

        Args:
            count: how many; all when there are fewer.

        Returns:
            Their activations, as views of these arrays.
        """
        return self.take(slice(count))

    @classmethod
    def concatenate(cls, parts: Sequence[Activations]) -> Activations:
        """The images of several activations, one after the other.

        Args:
            parts: at least one, of the same widths.

        Returns:
            All of their rows; a single part is returned as it is, still memory-mapped.
        """
        if len(parts) == 1:
            return parts[0]
        return cls(**{name: np.concatenate([part.arrays[name] for part in parts]) for name in parts[0].arrays})
