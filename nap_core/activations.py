"""What one forward pass keeps of a set of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


@dataclass(frozen=True)
class Activations:
    """Per-image, per-channel statistics of the penultimate map (post-ReLU, before global pooling), and the logits.

    ``maximum``, ``mean`` and ``variance`` (population variance over the H × W neurons) are (N, C) float arrays,
    ``logits`` is (N, K), ``labels`` is (N,) int64 with −1 where the class is unknown. The arrays may be memory-mapped
    and are not to be written to. Raises ValueError when the shapes do not agree.
    """

    maximum: FloatArray
    mean: FloatArray
    variance: FloatArray
    logits: FloatArray
    labels: NDArray[np.int64]

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

    def __len__(self) -> int:
        return len(self.maximum)

    @property
    def channels(self) -> int:
        return int(self.maximum.shape[1])

    @property
    def predictions(self) -> NDArray[np.int64]:
        """The predicted class of each image, (N,)."""
        classes: NDArray[np.int64] = np.argmax(self.logits, axis=1)
        return classes

    def ratio(self, epsilon: float = 1.0) -> FloatArray:
        """max / (mean + ε) per image and channel, (N, C); see ``nap_core.nap`` for the score made from it."""
        return self.maximum / (self.mean + epsilon)

    def take(self, index: slice | Sequence[int] | NDArray[np.int64]) -> Activations:
        """The images at ``index``, in that order."""
        return Activations(*(getattr(self, field.name)[index] for field in fields(self)))

    def head(self, count: int) -> Activations:
        """The first ``count`` images, or all when there are fewer."""
        return self.take(slice(count))

    @classmethod
    def concatenate(cls, parts: Sequence[Activations]) -> Activations:
        """The parts one after the other; a single part is returned as it is, still memory-mapped."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))
