"""What a placement says, in words that claim no more than it does."""

from __future__ import annotations

from collections.abc import Sequence

from nap_core.analysis.single_image import ImageVerdict, Verdict
from nap_core.figures.picture import percent, three_digits

WORDS: dict[Verdict, str] = {"like": "like what it knows", "edge": "at the edge", "unlike": "unlike what it knows"}
_OPENINGS: dict[Verdict, str] = {
    "like": "Like what {trained_on} taught this network",
    "edge": "At the edge of what {trained_on} taught this network",
    "unlike": "Unlike anything {trained_on} taught this network",
}


_READ_BY_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>$:~|#"})


def plain(text: str) -> str:
    """``text``, a file's name for example, so that Markdown shows it as it is."""
    return text.translate(_READ_BY_MARKDOWN)


def opening(placement: ImageVerdict, trained_on: str) -> str:
    """The verdict in words: "Unlike anything CIFAR-10 taught this network"."""
    return _OPENINGS[placement.verdict].format(trained_on=trained_on)


def grounds(placement: ImageVerdict) -> str:
    """What the verdict rests on: "NAP 0.31, lower than 99.2 % of known images"."""
    score = f"{placement.title} {three_digits(placement.score)}"
    threshold = three_digits(placement.threshold)
    if placement.verdict == "edge":
        side = "but it reaches" if placement.reaches_threshold else "and it misses"
        return f"{score}, {standing(placement)}, {side} the threshold of {threshold}"
    if placement.verdict == "like" and placement.above == 1:
        return f"{score}, {standing(placement)}; the method holds only low scores against an image"
    return f"{score}, {standing(placement)}"


def standing(placement: ImageVerdict) -> str:
    """Where the score stands, from the side that matters: "lower than 99.2 % of known images"."""
    if placement.verdict == "like":
        if placement.above == 0 and placement.below == 0:
            return "equal to that of every known image"
        return f"higher than {_share(placement.above, len(placement.known))} known images"
    return f"lower than {_share(placement.below, len(placement.known))} known images"


def _share(share: float, count: int) -> str:
    """A share of ``count`` images; "all" and "none" only where it is so."""
    if share in (0, 1):
        return f"all {count:,}" if share else f"none of the {count:,}"
    return f"{percent(min(max(share, 0.001), 0.999))} of"


def agreement(lead: ImageVerdict, others: Sequence[ImageVerdict]) -> str:
    """What the other methods say beside the leading one; empty when there are none."""
    if not others:
        return ""
    same = [other.title for other in others if other.verdict == lead.verdict]
    parts = []
    if len(same) == len(others):
        return f"{join(same)} {'say' if len(same) > 1 else 'says'} the same."
    for verdict, words in WORDS.items():
        if verdict != lead.verdict and (named := [other.title for other in others if other.verdict == verdict]):
            parts.append(f"{join(named)} {'say' if len(named) > 1 else 'says'}: {words}")
    if same:
        parts.append(f"{join(same)} {'agree' if len(same) > 1 else 'agrees'} with {lead.title}")
    return "; ".join(parts) + "."


def join(names: Sequence[str]) -> str:
    """ "NAP", "NAP and MSP", "NAP, MSP and Energy"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
