"""Several images as one table, for the screen and for a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from nap_core.analysis.single_image import ImageVerdict
from nap_core.figures.score_image.words import WORDS


@dataclass(frozen=True)
class ListedImage:
    """One image of the table: its file, a small picture as a ``data:`` address, its size, class and placements."""

    file: str
    thumbnail: str
    width: int
    height: int
    predicted: str
    probability: float
    placements: Mapping[str, ImageVerdict]


def screen_table(images: Sequence[ListedImage], lead: str) -> pd.DataFrame:
    """A row an image: thumbnail, file, verdict of the method ``lead``, class, probability, percentiles (0–100)."""
    return pd.DataFrame(
        [
            {
                "image": image.thumbnail,
                "file": image.file,
                "verdict": WORDS[image.placements[lead].verdict],
                "taken for": image.predicted,
                "probability": 100 * image.probability,
                **{place.title: 100 * place.percentile for place in image.placements.values()},
            }
            for image in images
        ]
    )


def file_table(images: Sequence[ListedImage]) -> pd.DataFrame:
    """A row an image with every number: score, threshold, percentile (0 to 100) and verdict of each method."""
    return pd.DataFrame(
        [
            {
                "file": image.file,
                "width": image.width,
                "height": image.height,
                "class": image.predicted,
                "probability": image.probability,
                **{
                    f"{method}_{name}": value
                    for method, place in image.placements.items()
                    for name, value in (
                        ("score", place.score),
                        ("threshold", place.threshold),
                        ("percentile", 100 * place.percentile),
                        ("verdict", place.verdict),
                    )
                },
            }
            for image in images
        ]
    )


def listing_reading(images: Sequence[ListedImage], lead: str, trained_on: str) -> str:
    """How many images got which verdict of the method ``lead``; ``images`` is not empty."""
    title = images[0].placements[lead].title
    counts = {words: sum(image.placements[lead].verdict == kind for image in images) for kind, words in WORDS.items()}
    said = ", ".join(f"**{count}** {words}" for words, count in counts.items() if count)
    total = f"{len(images):,} image" + ("s" if len(images) > 1 else "")
    return f"Of {total}, {title} finds {said}; what the network knows is {trained_on}."
