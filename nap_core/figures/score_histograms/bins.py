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
    """Bins of equal width on the drawn axis, which is the score or its decimal logarithm.

    The first and the last bin also hold every score beyond them.

    Attributes:
        edges: The edges of the B bins on the drawn axis, ascending, (B + 1,).
        log: Whether the drawn axis is the decimal logarithm of the score.
    """

    edges: NDArray[np.float64]
    log: bool

    @classmethod
    def of(cls, groups: Sequence[NDArray[np.float64]], count: int = BINS) -> Bins:
        """Bins over the range that holds all but a share ``TAIL`` at either end of every group.

        They are on a logarithmic axis where all scores in the range are positive, span more than ``DECADES`` powers of
        ten and would be crowded at the low end of a linear axis.

        Args:
            groups: The scores of at least one group of images, (n,) each with n ≥ 1.
            count: The number of bins, B.

        Returns:
            The bins, the same for all groups.
        """
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
        """The position of scores on the drawn axis.

        Args:
            scores: Scores, (N,).

        Returns:
            Positions, (N,); on a logarithmic axis, scores below its low end lie at that end.
        """
        return np.log10(np.maximum(scores, 10.0 ** self.edges[0])) if self.log else scores

    def index(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """The bin of every score; a bin holds its lower edge.

        Args:
            scores: Scores, (N,).

        Returns:
            Positions of bins, (N,), 0 to B − 1.
        """
        index = np.searchsorted(self.edges, self.drawn(scores), side="right") - 1
        return np.clip(index, 0, len(self) - 1)

    def counts(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """The number of scores in each bin.

        Args:
            scores: Scores, (N,).

        Returns:
            Counts, (B,), with the sum N.
        """
        return np.bincount(self.index(scores), minlength=len(self))

    def bounds(self, position: int) -> tuple[float, float]:
        """The scores at which a bin begins and ends.

        Args:
            position: The position of the bin, 0 to B − 1.

        Returns:
            The lower and the upper bound as scores, not logarithms; −∞ below the first bin, +∞ above the last.
        """
        first, last = self.edges[position], self.edges[position + 1]
        return (
            float("-inf") if position == 0 else float(10.0**first if self.log else first),
            float("inf") if position == len(self) - 1 else float(10.0**last if self.log else last),
        )

    def words(self, position: int) -> str:
        """The bounds of a bin in words.

        Args:
            position: The position of the bin, 0 to B − 1.

        Returns:
            "1.20 to 1.31", "below 1.20" for the first bin, "1.31 and above" for the last.
        """
        low, high = self.bounds(position)
        if low == float("-inf"):
            return f"below {three_digits(high)}"
        return (
            f"{three_digits(low)} and above" if high == float("inf") else f"{three_digits(low)} to {three_digits(high)}"
        )


def bins_of(scores: MethodScores) -> Bins:
    """The bins of a method: the same for all datasets, so that the panels of its row compare.

    Args:
        scores: The scores of the method on all datasets, at least one image each.

    Returns:
        ``BINS`` bins over the scores of all datasets.
    """
    return Bins.of([scores.id, *scores.ood.values()])


@dataclass(frozen=True)
class Placed:
    """An image in a bin.

    Attributes:
        dataset: Catalogue name of its dataset.
        row: Its index in the dataset.
        score: Its score.
        wrong: Whether it lies on the wrong side of the threshold: an ID image below it, an OOD image at or above it.
    """

    dataset: str
    row: int
    score: float
    wrong: bool


def images_in_bin(
    scores: MethodScores, position: int, id_dataset: str, ood_datasets: Sequence[str], tpr: float = metrics.TPR
) -> tuple[list[Placed], list[Placed]]:
    """The ID images and the images of some OOD datasets in one bin, the most misplaced first.

    Args:
        scores: The scores of the method on all datasets.
        position: The position of the bin in ``bins_of(scores)``.
        id_dataset: Catalogue name of the ID dataset.
        ood_datasets: Catalogue names of the OOD datasets.
        tpr: The share of ID images that the threshold accepts, above 0 and at most 1.

    Returns:
        The ID images, lowest score first, and the OOD images, highest first; equal scores in the order of the dataset.

    Raises:
        ValueError: ``tpr`` lies outside (0, 1], or an ID score is not finite.
    """
    bins, threshold = bins_of(scores), scores.threshold(tpr)

    def inside(name: str, values: NDArray[np.float64], is_id: bool) -> list[Placed]:
        rows = np.flatnonzero(bins.index(values) == position)
        return [Placed(name, int(row), float(values[row]), bool((values[row] < threshold) == is_id)) for row in rows]

    id_images = inside(id_dataset, scores.id, True)
    ood_images = [item for name in ood_datasets for item in inside(name, scores.ood[name], False)]
    return sorted(id_images, key=lambda item: item.score), sorted(ood_images, key=lambda item: -item.score)
