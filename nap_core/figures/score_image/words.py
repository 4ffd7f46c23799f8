"""The verdict on one image in words that claim no more than it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nap_core.figures.text import join, percent, three_digits

if TYPE_CHECKING:
    from nap_core.analysis.single_image import ImageVerdict, Verdict

WORDS: dict[Verdict, str] = {"like": "like the ID images", "edge": "at the edge", "unlike": "unlike the ID images"}
_OPENINGS: dict[Verdict, str] = {
    "like": "Like the images of {trained_on}",
    "edge": "At the edge of {trained_on}",
    "unlike": "Unlike the images of {trained_on}",
}


_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>$:~|#"})


def plain(text: str) -> str:
    """Text with Markdown's signs escaped, so that it is shown unchanged.

    Args:
        text: Any text, a file's name for example.

    Returns:
        The text with a backslash before each sign that Markdown interprets.
    """
    return text.translate(_MARKDOWN)


def opening(placement: ImageVerdict, trained_on: str) -> str:
    """The verdict in words.

    Args:
        placement: The image's score among those of the ID images, under one method.
        trained_on: The training data of the network, as the words name it.

    Returns:
        "Unlike the images of CIFAR-10", without a full stop.
    """
    return _OPENINGS[placement.verdict].format(trained_on=trained_on)


def grounds(placement: ImageVerdict) -> str:
    """The score behind the verdict, with its rank among the ID images.

    Args:
        placement: The image's score among those of the ID images, under one method.

    Returns:
        "NAP 0.310, lower than 99.2 % of ID images", without a full stop; at the edge, also the side of the threshold.
    """
    score = f"{placement.title} {three_digits(placement.score)}"
    threshold = three_digits(placement.threshold)
    if placement.verdict == "edge":
        side = "but it reaches" if placement.reaches_threshold else "and it misses"
        return f"{score}, {standing(placement)}, {side} the threshold of {threshold}"
    if placement.verdict == "like" and placement.above == 1:
        return f"{score}, {standing(placement)}; under this method only low scores are evidence against an image"
    return f"{score}, {standing(placement)}"


def standing(placement: ImageVerdict) -> str:
    """The rank of the score among the ID images.

    Args:
        placement: The image's score among those of the ID images, under one method.

    Returns:
        "higher than 41.2 % of ID images" for the verdict "like", else "lower than 99.2 % of ID images".
    """
    if placement.verdict == "like":
        if placement.above == 0 and placement.below == 0:
            return "equal to that of every ID image"
        return f"higher than {_share(placement.above, len(placement.id_scores))} ID images"
    return f"lower than {_share(placement.below, len(placement.id_scores))} ID images"


def _share(share: float, count: int) -> str:
    """A share of ``count`` images; "all" and "none" only where it is so."""
    if share in (0, 1):
        return f"all {count:,}" if share else f"none of the {count:,}"
    return f"{percent(min(max(share, 0.001), 0.999))} of"


def agreement(lead: ImageVerdict, others: Sequence[ImageVerdict]) -> str:
    """The verdicts of the other methods beside the leading one.

    Args:
        lead: The verdict of the leading method.
        others: The verdicts of the other methods on the same image.

    Returns:
        One sentence; empty where there are no others.
    """
    if not others:
        return ""
    same = [other.title for other in others if other.verdict == lead.verdict]
    if len(same) == len(others):
        return f"{join(same)} {'give' if len(same) > 1 else 'gives'} the same verdict."
    parts = []
    for verdict, words in WORDS.items():
        if verdict != lead.verdict and (named := [other.title for other in others if other.verdict == verdict]):
            parts.append(f"{join(named)}: {words}")
    if same:
        parts.append(f"{join(same)} {'agree' if len(same) > 1 else 'agrees'} with {lead.title}")
    return "; ".join(parts) + "."
