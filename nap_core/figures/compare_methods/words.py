"""Captions that the figures of this page share, and the caption of two methods whose verdicts differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nap_core import metrics
from nap_core.figures.text import counted, out_of, percent

if TYPE_CHECKING:
    from nap_core.analysis.comparison import Disagreement
    from nap_core.analysis.evaluation import MethodScores


def against_words(against: Sequence[str], titles: Mapping[str, str]) -> str:
    """ "MNIST", "both OOD datasets together", "all 5 OOD datasets together".

    Args:
        against: Catalogue names of the OOD datasets, at least one.
        titles: Catalogue name → title of the datasets.

    Returns:
        The phrase that follows "against".
    """
    return titles[against[0]] if len(against) == 1 else f"{out_of(len(against), len(against))} together"


def ood_positive_caption(scores: MethodScores, against: str) -> str:
    """FPR95 of one method in the two meanings that the field gives it.

    Args:
        scores: The scores of the method on one OOD dataset or several.
        against: The phrase that names these, see ``against_words``.

    Returns:
        A sentence; shares are means over the datasets.
    """
    kept, rejected = (
        float(np.mean([fpr(scores.id, values) for values in scores.ood.values()]))
        for fpr in (metrics.fpr_at_tpr, metrics.fpr_ood_positive)
    )
    return (
        f"FPR95 here takes ID images as the positive class, as the papers do: {percent(kept)} against {against}. "
        f"OpenOOD and pytorch-ood take OOD images: {percent(rejected)} of the ID images are rejected with 95 % of the "
        "OOD images."
    )


def disagreement_reading(difference: Disagreement, a: str, b: str) -> str:
    """On how many images the verdicts of two methods differ, and which of them is right more often.

    Args:
        difference: The images whose verdicts differ.
        a: The title of the first method.
        b: The title of the second method.

    Returns:
        A sentence.
    """
    count, images = difference.count, difference.images
    if not count:
        where = "the one image" if images == 1 else f"all {images:,} images"
        return f"{a} and {b} give the same verdict on {where}."
    start = f"{a} and {b} give different verdicts on {count:,} of {counted(images, 'image')}"
    right_a, right_b = difference.right_a, difference.right_b
    if count == 1:
        return f"{start}, and {a if right_a else b} is right."
    if right_a == right_b:
        return f"{start}; each is right on {right_a:,} of them."
    winner, right = (a, right_a) if right_a > right_b else (b, right_b)
    return f"{start}; {winner} is right on {'all' if right == count else f'{right:,}'} of them."
