"""Whether the ID accuracy shows that something before the methods is wrong: labels, preprocessing or classes.

Methods are compared on ID images that the network is taken to recognise. Where it does not, every figure is about the
mistake, and nothing else in a results table shows it.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from nap_core.methods import EvaluationData

ERRORS = 3
"""Standard errors by which an accuracy may differ from the record's by chance …"""
MARGIN = 0.05
"""… and what is allowed beyond that: another decoder, another version of the test set."""
TIMES_CHANCE = 3
"""Below this multiple of chance an accuracy counts as near it, where there are ten classes or more."""
SHARE_ABOVE_CHANCE = 2 / 9
"""… and below this share of the way from chance to 100 % where there are fewer; both are 30 % for ten classes."""

_CAUSES = (
    "labels that are not the network's classes in its order, another preprocessing than the network was trained with, "
    "or images of other classes"
)
_HIGHER = "images that the network was trained on, or labels that were made by it"


def accuracy_warning(data: EvaluationData) -> str | None:
    """What is suspicious about the ID accuracy, with its numbers and the likely causes, in one sentence.

    Args:
        data: the ID images with their labels; the network's record gives the accuracy to compare with.

    Returns:
        The sentence; None where the accuracy is plausible, where too few images have a label to tell, and where the
        labels are unknown.
    """
    model, activations = data.context.model, data.id.activations
    labelled = activations.labels >= 0
    known, classes = int(labelled.sum()), int(activations.logits.shape[1])
    if not known or classes < 2:
        return None
    right = int((activations.predictions == activations.labels)[labelled].sum())
    share, chance = right / known, 1 / classes
    expected = model.record_accuracy if model else None
    if expected is not None:
        allowed = ERRORS * math.sqrt(expected * (1 - expected) / known) + MARGIN
        if abs(share - expected) <= allowed:
            return None
    low, high = _interval(right, known)
    interval = f"95 % interval {100 * low:.1f} to {_percent(high)}"
    said = f"ID accuracy is {_percent(share)} ({right:,} of {known:,} labelled images, {interval})"
    if (low <= chance or share < _near_chance(classes)) and high < (1 + chance) / 2:
        return f"{said}, near the {_percent(chance)} of chance for {classes:,} classes; likely causes: {_CAUSES}."
    if expected is None:
        return None
    side, causes = ("below", _CAUSES) if share < expected else ("above", _HIGHER)
    return f"{said}, far {side} the {_percent(expected)} of the network's record; likely causes: {causes}."


def _near_chance(classes: int) -> float:
    """The accuracy below which it counts as near chance, a share."""
    return min(TIMES_CHANCE / classes, 1 / classes + SHARE_ABOVE_CHANCE * (1 - 1 / classes))


def _interval(right: int, known: int) -> tuple[float, float]:
    """The 95 % interval of an accuracy (Clopper and Pearson), shares."""
    interval = stats.binomtest(right, known).proportion_ci(0.95)
    return float(np.clip(interval.low, 0, 1)), float(np.clip(interval.high, 0, 1))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
