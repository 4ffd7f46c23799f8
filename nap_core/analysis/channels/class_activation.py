"""How classes use channels: the value of each channel of the penultimate map on the ID images of each class.

The paper's reason for the prior is that a channel detects a pattern of some classes (section 1, Figure 8): here it is
seen which classes drive which channel, and whether the head's weights favour the same classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.stats import spearmanr

from nap_core.activations import Activations, FloatArray

MOST_CLASSES, MOST_CHANNELS = 40, 512
"""What a picture has room for; of more, those that stand out most are shown."""

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ClassActivation:
    """The values of C channels on the K classes that occur.

    Attributes:
        classes: The network's number of each class, (K,).
        names: The name of each class.
        images: The number of images of each class, (K,).
        values: The average value over the images of a class, (K, C).
        predicted: The number of images without a label, whose class is the network's prediction.
    """

    classes: NDArray[np.int64]
    names: tuple[str, ...]
    images: NDArray[np.int64]
    values: Values
    predicted: int

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> ClassActivation:
        """Some of the classes.

        Args:
            rows: Their rows, in the order wanted.

        Returns:
            The same values of these classes alone; ``predicted`` is unchanged.
        """
        names = tuple(self.names[row] for row in rows)
        return replace(
            self, classes=self.classes[rows], names=names, images=self.images[rows], values=self.values[rows]
        )

    def ranked(self, channel: int) -> NDArray[np.int64]:
        """The classes by what they contribute to a channel.

        Args:
            channel: The channel.

        Returns:
            Rows from the class with the largest value to the one with the smallest, (K,).
        """
        return np.argsort(-self.values[:, channel], kind="stable")

    def agreement(self, channel: int, weights: FloatArray) -> float:
        """Spearman's correlation between the values of a channel and the head's weights for it, over the classes.

        Args:
            channel: The channel.
            weights: The head's weights for this channel, one a class of the network.

        Returns:
            ρ, -1 to 1; NaN for fewer than three classes and where one side is constant.
        """
        ours, theirs = self.values[:, channel], np.asarray(weights)[self.classes]
        if len(ours) < 3 or np.ptp(ours) == 0 or np.ptp(theirs) == 0:
            return float("nan")
        return float(spearmanr(ours, theirs).statistic)


def class_use(
    id_activations: Activations, classes: Sequence[str], values: Callable[[Activations], FloatArray] = Activations.ratio
) -> ClassActivation:
    """The average of each channel's value over the images of each class that occurs.

    The class of an image is its label, or the predicted class where there is no label.

    Args:
        id_activations: The ID images, N rows.
        classes: The names of the network's classes.
        values: The values of a block of n images, (n, C); by default max / (mean + 1).

    Returns:
        The averages, (K, C), by class number.
    """
    unlabelled = id_activations.labels < 0
    labels = np.where(unlabelled, id_activations.predictions, id_activations.labels)
    numbers, rows, counts = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(numbers), id_activations.channels))
    start = 0
    for block in id_activations.blocks():
        here = rows[start : start + len(block)]
        order = np.argsort(here, kind="stable")
        present, first = np.unique(here[order], return_index=True)
        sums[present] += np.add.reduceat(np.asarray(values(block), np.float64)[order], first, axis=0)
        start += len(block)
    names = tuple(classes[label] if label < len(classes) else f"class {label}" for label in numbers)
    return ClassActivation(numbers, names, counts, sums / counts[:, None], int(unlabelled.sum()))


def top_classes(use: ClassActivation, most: int = MOST_CLASSES) -> ClassActivation:
    """The classes whose values are farthest from those of the average class.

    Args:
        use: The channels' values on K classes.
        most: The most classes.

    Returns:
        These classes in their order; all of them where there are no more than ``most``.
    """
    if len(use.names) <= most:
        return use
    apart = np.linalg.norm(use.values - use.values.mean(axis=0), axis=1)
    return use.take(np.sort(np.argsort(-apart, kind="stable")[:most]))


def arranged(use: ClassActivation) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """An order of the classes and one of the channels in which the picture of ``use`` can be read.

    Classes that use channels alike stand side by side (average linkage on the Euclidean distance of their
    ``scaled`` values); channels follow the class with their highest value, within it the more special one first.

    Args:
        use: The channels' values on K classes.

    Returns:
        The rows of ``use``, (K,), and its columns, (C,), in that order.
    """
    shares = scaled(use)
    rows = np.arange(len(use.names))
    if len(rows) > 2:
        centred = shares - shares.mean(axis=0)
        rows = leaves_list(linkage(centred, "average", metric="euclidean", optimal_ordering=True)).astype(np.int64)
    place = np.argsort(rows)[shares.argmax(axis=0)]
    special = shares.mean(axis=0)  # the others' share of the highest class: small for a channel of one class
    return rows, np.lexsort((special, place))


def scaled(use: ClassActivation) -> Values:
    """Each channel's values as shares of its highest class's.

    Args:
        use: The channels' values on K classes.

    Returns:
        Shares, (K, C), 0 to 1; 0 for a silent channel.
    """
    top = use.values.max(axis=0)
    shares: Values = np.divide(use.values, top, out=np.zeros_like(use.values), where=top > 0)
    return shares
