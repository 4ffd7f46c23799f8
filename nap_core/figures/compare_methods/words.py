"""Captions that the figures of this page share, and the caption of two methods whose verdicts differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nap_core.figures.text import counted, out_of

if TYPE_CHECKING:
    from nap_core.analysis.comparison import Disagreement


def against_words(against: Sequence[str], titles: Mapping[str, str]) -> str:
    """ "MNIST", "both OOD datasets together", "all 5 OOD datasets together".

    Args:
        against: Catalogue names of the OOD datasets, at least one.
        titles: Catalogue name → title of the datasets.

    Returns:
        The phrase that follows "against".
    """
    return titles[against[0]] if len(against) == 1 else f"{out_of(len(against), len(against))} together"


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
