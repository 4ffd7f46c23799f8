"""Words that the figures of this page share, and what is said of two methods that disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nap_core.analysis.comparison import Disagreement


def join(names: Sequence[str]) -> str:
    """ "MSP", "MSP and NAP", "MSP, Energy and NAP"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def against_words(against: Sequence[str], titles: Mapping[str, str]) -> str:
    """ "MNIST", "both OOD datasets together", "all 5 OOD datasets together"."""
    many = "both" if len(against) == 2 else f"all {len(against)}"
    return titles[against[0]] if len(against) == 1 else f"{many} OOD datasets together"


def disagreement_reading(found: Disagreement, a: str, b: str) -> str:
    """On how many images two methods' verdicts part, and which of them is right more often."""
    if not found.count:
        return f"{a} and {b} give the same verdict on {_all(found.images)}."
    images = f"{found.count:,} of {found.images:,} image{'s' if found.images > 1 else ''}"
    start = f"{a} and {b} give different verdicts on {images}"
    if found.count == 1:
        return f"{start}, and {a if found.right_a else b} is right."
    if found.right_a == found.right_b:
        return f"{start}; each is right on {found.right_a:,} of them."
    winner, right = (a, found.right_a) if found.right_a > found.right_b else (b, found.right_b)
    share = "all" if right == found.count else f"{right:,}"
    return f"{start}; {winner} is right on {share} of them."


def _all(count: int) -> str:
    return "the one image" if count == 1 else f"all {count:,} images"
