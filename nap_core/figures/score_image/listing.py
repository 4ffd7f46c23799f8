"""Several images as one table, for the screen and for a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from nap_core.figures.score_image.words import WORDS
from nap_core.figures.text import counted

if TYPE_CHECKING:
    from nap_core.analysis.single_image import ImageVerdict


@dataclass(frozen=True)
class ListedImage:
    """One image of the table.

    Attributes:
        file: The name of its file.
        thumbnail: A small picture as a ``data:`` address.
        width: Its width in pixels.
        height: Its height in pixels.
        predicted: The predicted class.
        probability: The softmax probability of that class, 0 to 1.
        placements: Method → its verdict on the image.
    """

    file: str
    thumbnail: str
    width: int
    height: int
    predicted: str
    probability: float
    placements: Mapping[str, ImageVerdict]


def screen_table(images: Sequence[ListedImage], lead: str) -> pd.DataFrame:
    """The table of images for the screen.

    Args:
        images: The images in the order of the rows.
        lead: The method whose verdict is shown, a key of every image's ``placements``.

    Returns:
        One row an image: thumbnail, file, verdict in words, predicted class, its probability in percent, and a column a
        method with the image's percentile among the ID images, 0 to 100.
    """
    rows = []
    for image in images:
        row: dict[str, object] = {
            "image": image.thumbnail,
            "file": image.file,
            "verdict": WORDS[image.placements[lead].verdict],
        }
        row |= {"prediction": image.predicted, "probability": 100 * image.probability}
        rows.append(row | {place.title: 100 * place.percentile for place in image.placements.values()})
    return pd.DataFrame(rows)


def file_table(images: Sequence[ListedImage]) -> pd.DataFrame:
    """The table of images for a file, with every number.

    Args:
        images: The images in the order of the rows.

    Returns:
        One row an image: file, width and height in pixels, predicted class, its probability (a share), and for each
        method its score, threshold, percentile (0 to 100) and verdict.
    """
    rows = []
    for image in images:
        row: dict[str, object] = {"file": image.file, "width": image.width, "height": image.height}
        row |= {"class": image.predicted, "probability": image.probability}
        for method, place in image.placements.items():
            row |= {f"{method}_score": place.score, f"{method}_threshold": place.threshold}
            row |= {f"{method}_percentile": 100 * place.percentile, f"{method}_verdict": place.verdict}
        rows.append(row)
    return pd.DataFrame(rows)


def listing_reading(images: Sequence[ListedImage], lead: str, trained_on: str) -> str:
    """The number of images with each verdict.

    Args:
        images: The images, at least one.
        lead: The method whose verdicts are counted, a key of every image's ``placements``.
        trained_on: The training data of the network, as the second sentence names it.

    Returns:
        Two sentences in Markdown.
    """
    title = images[0].placements[lead].title
    counts = {words: sum(image.placements[lead].verdict == kind for image in images) for kind, words in WORDS.items()}
    verdicts = ", ".join(f"**{count}** {words}" for words, count in counts.items() if count)
    return f"{counted(len(images), 'image')} by {title}: {verdicts}. The network was trained on {trained_on}."
