"""The bins of a score histogram, and which images each of them holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nap_core import metrics
from nap_core.figures.text import three_digits

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores

BINS = 40
TAIL = 0.005  # the share of a dataset that may lie beyond either end of the axis; the outermost bins count it
# Positive scores are binned by their logarithm where they span more than two powers of ten and, on a plain axis, the
# middle of every dataset would be crowded into its first fifth.
DECADES, CROWDED = 2.0, 0.2


@dataclass(frozen=True)
class Bins:
    """Bins of equal width on the drawn axis: on the score, or on its decimal logarithm where ``log``.

    ``edges`` is (B + 1,), on the drawn axis. The first and the last bin also hold every score beyond them.
    """

    edges: NDArray[np.float64]
    log: bool

    @classmethod
    def of(cls, groups: Sequence[NDArray[np.float64]], count: int = BINS) -> Bins:
        """``count`` bins over the range that holds all but ``TAIL`` at either end of every group, (n,) each, n ≥ 1."""
        low = min(float(np.quantile(group, TAIL, method="lower")) for group in groups)
        high = max(float(np.quantile(group, 1 - TAIL, method="higher")) for group in groups)
        middle = max(float(np.median(group)) for group in groups)
        log = low > 0 and high > low * 10**DECADES and middle < low + CROWDED * (high - low)
        if log:
            low, high = float(np.log10(low)), float(np.log10(high))
        if high - low <= 1e-9 * max(1.0, abs(low)):  # constant scores: one bar in the middle
            margin = 0.5 * max(1.0, abs(low))
            low, high = low - margin, high + margin
        return cls(np.linspace(low, high, count + 1), log)

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def centres(self) -> NDArray[np.float64]:
        """(B,), on the drawn axis."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    @property
    def width(self) -> float:
        """Of one bin, on the drawn axis."""
        return float(self.edges[1] - self.edges[0])

    def drawn(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where scores lie on the drawn axis, (N,); a score without a logarithm lies at its low end."""
        return np.log10(np.maximum(scores, 10.0 ** self.edges[0])) if self.log else scores

    def index(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """The bin of every score, (N,): a bin holds its lower edge."""
        index = np.searchsorted(self.edges, self.drawn(scores), side="right") - 1
        return np.clip(index, 0, len(self) - 1)

    def counts(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """How many scores each bin holds, (B,)."""
        return np.bincount(self.index(scores), minlength=len(self))

    def bounds(self, position: int) -> tuple[float, float]:
        """The scores a bin begins and ends at; −∞ and +∞ at the outermost."""
        first, last = self.edges[position], self.edges[position + 1]
        return (
            float("-inf") if position == 0 else float(10.0**first if self.log else first),
            float("inf") if position == len(self) - 1 else float(10.0**last if self.log else last),
        )

    def words(self, position: int) -> str:
        """The bounds of a bin in words: "1.2 to 1.31", "below 1.2", "1.31 and above"."""
        low, high = self.bounds(position)
        if low == float("-inf"):
            return f"below {three_digits(high)}"
        return (
            f"{three_digits(low)} and above" if high == float("inf") else f"{three_digits(low)} to {three_digits(high)}"
        )


def bins_of(scores: MethodScores) -> Bins:
    """The bins of a method: the same for all datasets, so that the panels of its row compare."""
    return Bins.of([scores.id, *scores.ood.values()])


@dataclass(frozen=True)
class Placed:
    """An image by its dataset and row, its score, and whether it falls on the wrong side of the threshold."""

    dataset: str
    row: int
    score: float
    wrong: bool


def images_in_bin(
    scores: MethodScores, position: int, id_dataset: str, ood_datasets: Sequence[str], tpr: float = metrics.TPR
) -> tuple[list[Placed], list[Placed]]:
    """The ID images and the images of ``ood_datasets`` in one bin, the most misplaced first.

    ID images come lowest score first, OOD images highest first; equal scores in the order of the dataset.
    """
    bins, threshold = bins_of(scores), scores.threshold(tpr)

    def inside(name: str, values: NDArray[np.float64], is_id: bool) -> list[Placed]:
        rows = np.flatnonzero(bins.index(values) == position)
        return [Placed(name, int(row), float(values[row]), bool((values[row] < threshold) == is_id)) for row in rows]

    id_images = inside(id_dataset, scores.id, True)
    ood_images = [item for name in ood_datasets for item in inside(name, scores.ood[name], False)]
    return sorted(id_images, key=lambda item: item.score), sorted(ood_images, key=lambda item: -item.score)
