"""One image among ID images: the rank of its scores, the verdict that follows, and the channels that decide it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nap_core import datasets, extraction, methods, metrics, models
from nap_core.activations import Activations
from nap_core.analysis.channels.kinds import MAPS, ChannelKind
from nap_core.datasets.uploaded_images import TINY
from nap_core.errors import UserError
from nap_core.extraction import precomputed
from nap_core.methods import EvaluationData, ImageSet, Method, ScoringContext
from nap_core.methods.refusals import own_pass_needs
from nap_core.models import Variant
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

Verdict = Literal["like", "edge", "unlike"]
KNOWN_IMAGES = 1000
UNLIKE, EDGE = 0.01, 0.10


@dataclass(frozen=True)
class ImageVerdict:
    """A score among those of the ID images under the same method, and the verdict that follows.

    The verdict rests on how many ID images score as low as this one. With
    p = (1 + number of ID images with a score ≤ this one) / (N + 1), the conformal p-value of the claim that the
    image is one of them (Bates et al., "Testing for outliers with conformal p-values", 2023, equation 2):

    - "unlike": p ≤ 0.01. At most one ID image in a hundred scores as low; it takes N ≥ 99 to say so.
    - "like": p > 0.10 and the score reaches the threshold (the score that 95 % of ID images reach).
    - "edge": all that lies between. The threshold is within it, so both sides of it are at the edge.

    "like" says that the method gives no evidence against the image, not that the network is right about it; a score
    above that of every ID image is "like" as well, because methods count only low scores against an image.

    Attributes:
        method: The method, by name.
        w: The weight of a combination; None for other methods.
        score: The score of the image; higher is more in-distribution.
        id_scores: The scores of the ID images, (N,). Without any, ``threshold`` and ``verdict`` raise ValueError.
    """

    method: str
    w: float | None
    score: float
    id_scores: NDArray[np.float64]

    @property
    def title(self) -> str:
        return methods.title(self.method)

    @property
    def threshold(self) -> float:
        """The score that 95 % of the ID images reach."""
        return metrics.threshold_at_tpr(self.id_scores)

    @property
    def reaches_threshold(self) -> bool:
        return self.score >= self.threshold

    @property
    def above(self) -> float:
        """The share of ID images that score lower than this one."""
        return float(np.mean(self.id_scores < self.score))

    @property
    def below(self) -> float:
        """The share of ID images that score higher than this one."""
        return float(np.mean(self.id_scores > self.score))

    @property
    def percentile(self) -> float:
        """The share of ID images that score lower, equals counted half, 0 to 1."""
        return self.above + (1 - self.above - self.below) / 2

    @property
    def p_value(self) -> float:
        """(1 + number of ID images that score as low or lower) / (N + 1)."""
        return float(1 + np.sum(self.id_scores <= self.score)) / (len(self.id_scores) + 1)

    @property
    def verdict(self) -> Verdict:
        if self.p_value <= UNLIKE:
            return "unlike"
        return "like" if self.p_value > EDGE and self.reaches_threshold else "edge"


def known_activations(
    wanted: str | Variant,
    store: Store,
    id_dataset: str | None = None,
    *,
    device: str | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> Activations:
    """Activations of up to ``KNOWN_IMAGES`` images in the distribution of a model that it was not trained on.

    Args:
        wanted: Catalogue name of the model, or a variant of it.
        store: Where activations are kept.
        id_dataset: Catalogue name of the dataset; None takes the model's own ID dataset.
        device: "cpu", "cuda" …; None for the best there is.
        callbacks: Progress and cancellation of the extraction, which takes place the first time.

    Returns:
        The first rows of a reference bank, or the activations of the first images.

    Raises:
        UserError: There is no ID dataset, or it or the model cannot be loaded.
        ExtractionStopped: On request.
    """
    model = models.load(wanted)
    record = models.find(model.name)
    id_dataset = id_dataset or record.id_dataset
    if id_dataset is None:
        raise UserError(f"{record.title} names no ID dataset, so the image has nothing to be compared with.")
    if datasets.find(id_dataset).role == "precomputed":
        return precomputed.load(id_dataset, model).head(KNOWN_IMAGES)
    dataset = datasets.load(id_dataset)
    return extraction.extract(model, dataset, limit=KNOWN_IMAGES, store=store, device=device, callbacks=callbacks)


def model_for_tiny_images(model: str) -> str | None:
    """A model for images of at most ``TINY`` pixels a side, where a model takes larger ones.

    Args:
        model: The name of the model in use.

    Returns:
        The first model of the catalogue whose crop is at most ``TINY``; None where that of ``model`` is too, or
        ``model`` is one of the user's own, whose usual images are not in the catalogue.
    """
    if model not in models.RECORDS:
        return None
    sides = {name: models.ARCHITECTURES[record.architecture].transform.crop for name, record in models.RECORDS.items()}
    if sides[model] <= TINY:
        return None
    return next((name for name, side in sides.items() if side <= TINY), None)


def refusal(method: Method) -> UserError | None:
    """Why a method cannot score a single image.

    Args:
        method: The method.

    Returns:
        The error to show or raise; None where the method can.
    """
    if not method.own_pass:
        return None
    return UserError(f"{method.title} cannot place a single image: it needs {own_pass_needs(method)}.")


def id_scores(
    data: EvaluationData, specs: Sequence[str] = methods.STANDARD, weights: Mapping[str, float] | None = None
) -> dict[str, NDArray[np.float64]]:
    """The scores of the ID images under several methods.

    Args:
        data: The images and what methods may use besides them.
        specs: The methods, by name.
        weights: Combination → its w, 0 to 1; the others take their published w.

    Returns:
        Method → the scores of the ID images, (N,).

    Raises:
        UserError: A method cannot score a single image, or the context lacks what it needs.
    """
    scores = {}
    for spec in specs:
        if error := refusal(methods.parse(spec)):
            raise error
        scores[spec] = methods.score(spec, data.id, data.context, w=(weights or {}).get(spec))
    return scores


def place(
    images: Activations | ImageSet,
    id_scores: Mapping[str, NDArray[np.float64]],
    context: ScoringContext,
    weights: Mapping[str, float] | None = None,
) -> list[dict[str, ImageVerdict]]:
    """The verdicts on images among the scores of the ID images.

    Args:
        images: The images, n of them.
        id_scores: Method → the scores of the ID images, (N,), computed with the same context and weights.
        context: What the methods may use besides the activations.
        weights: Combination → its w, 0 to 1; the others take their published w.

    Returns:
        Method → verdict, one mapping an image, (n,).

    Raises:
        UserError: As ``methods.scored`` does.
    """
    part = images if isinstance(images, ImageSet) else ImageSet(images)
    verdicts: list[dict[str, ImageVerdict]] = [{} for _ in range(len(part.activations))]
    for method, scores in id_scores.items():
        w = (weights or {}).get(method, methods.default_w(method, context))
        for row, score in enumerate(methods.score(method, part, context, w=w)):
            verdicts[row][method] = ImageVerdict(method, w, float(score), scores)
    return verdicts


@dataclass(frozen=True)
class NapContribution:
    """What one channel adds to the difference between an image's S_NAP and that of the average ID image.

    The gains of all C channels add up to S_NAP of the image minus the average S_NAP of the ID images. Of a Transformer
    they do not: its S_NAP is the highest attention of the mean over the heads, and no sum of theirs.

    Attributes:
        channel: The channel, or the head of a Transformer.
        term: The image's (max / (mean + 1))² in the channel; the head's highest attention.
        usual: The average term of the ID images.
        above: The share of ID images with a lower term.
        gain: (term − usual) / C; term − usual for a head.
    """

    channel: int
    term: float
    usual: float
    above: float
    gain: float


def nap_contributions(
    image: Activations, known_terms: NDArray[np.float64], count: int = 6, kind: ChannelKind = MAPS
) -> tuple[list[NapContribution], list[NapContribution]]:
    """The channels with the largest positive and negative gains, the largest magnitude first.

    A channel counts for the image when its gain is positive, against it when negative; a Transformer's mean over the
    heads, which is NAP, stands before the heads.

    Args:
        image: One image, C channels.
        known_terms: The terms of the ID images, (N, C), as ``kind.terms`` gives them.
        count: The most channels on either side.
        kind: Feature maps or attention heads.

    Returns:
        The channels for the image, and those against it.

    Raises:
        ValueError: ``image`` does not hold exactly one image, or there is no ID image.
    """
    if len(image) != 1 or not len(known_terms):
        raise ValueError(f"one image and some known ones are needed, not {len(image)} and {len(known_terms)}")
    terms, usual = kind.terms(image)[0], known_terms.mean(axis=0)
    gains = (terms - usual) / (1 if kind.of_heads else len(terms))
    most, least = kind.ranked(gains), kind.ranked(-gains)

    def contribution(channel: int) -> NapContribution:
        above = float(np.mean(known_terms[:, channel] < terms[channel]))
        return NapContribution(int(channel), float(terms[channel]), float(usual[channel]), above, float(gains[channel]))

    raising = [contribution(channel) for channel in most if gains[channel] > 0][:count]
    lowering = [contribution(channel) for channel in least if gains[channel] < 0][:count]
    return raising, lowering
