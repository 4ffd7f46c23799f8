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
    """A score among ``id_scores`` (N,), of ID images under the same method. Raises ValueError where there are none.

    The verdict rests on how many ID images score as low as this one. With
    p = (1 + number of ID images with a score ≤ this one) / (N + 1), the conformal p-value of the claim that the
    image is one of them (Bates et al., "Testing for outliers with conformal p-values", 2023, equation 2):

    - "unlike": p ≤ 0.01. At most one ID image in a hundred scores as low; it takes N ≥ 99 to say so.
    - "like": p > 0.10 and the score reaches the threshold (the score that 95 % of ID images reach).
    - "edge": all that lies between. The threshold is within it, so both sides of it are at the edge.

    "like" says that the method gives no evidence against the image, not that the network is right about it; a score
    above that of every ID image is "like" as well, because methods count only low scores against an image.
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
    """Activations of up to 1,000 images in the distribution of the model ``wanted`` that it was not trained on.

    Those of ``id_dataset``, else of the model's own ID dataset: a reference bank, or images that are extracted into
    ``store`` the first time. Raises UserError when there is neither.
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
    """The first model of the catalogue that looks at no more than ``images.TINY`` pixels, when ``model`` looks at more.

    None where ``model`` is itself such a network or one of the user's own, whose usual images are not in the catalogue.
    """
    if model not in models.RECORDS:
        return None
    sides = {name: models.ARCHITECTURES[record.architecture].transform.crop for name, record in models.RECORDS.items()}
    if sides[model] <= TINY:
        return None
    return next((name for name, side in sides.items() if side <= TINY), None)


def refusal(method: Method) -> UserError | None:
    """Why a method cannot score a single image, None where it can."""
    if not method.own_pass:
        return None
    return UserError(f"{method.title} cannot place a single image: it needs {own_pass_needs(method)}.")


def id_scores(
    data: EvaluationData, specs: Sequence[str] = methods.STANDARD, weights: Mapping[str, float] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Method → the scores (N,) of the ID images; ``weights`` gives a combination its w, else it takes its published
    one. Raises as ``methods.scored`` does."""
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
    """Method → verdict for each of ``images``, among the scores that ``id_scores`` gives for the same context and
    ``weights``."""
    part = images if isinstance(images, ImageSet) else ImageSet(images)
    verdicts: list[dict[str, ImageVerdict]] = [{} for _ in range(len(part.activations))]
    for method, scores in id_scores.items():
        w = (weights or {}).get(method, methods.default_w(method, context))
        for row, score in enumerate(methods.score(method, part, context, w=w)):
            verdicts[row][method] = ImageVerdict(method, w, float(score), scores)
    return verdicts


@dataclass(frozen=True)
class NapContribution:
    """What one channel adds to how far an image's S_NAP lies from that of the average ID image.

    ``term`` is the image's (max / (mean + 1))² in the channel, ``usual`` its average over the ID images, ``above``
    the share of ID images with a lower term, and ``gain`` = (term − usual) / C: the gains of all C channels add up
    to S_NAP of the image minus the average S_NAP of the ID images.

    Of a Transformer, ``term`` is the head's highest attention and ``gain`` = term − usual: S_NAP is that of the mean
    over the heads, and no sum of theirs.
    """

    channel: int
    term: float
    usual: float
    above: float
    gain: float


def nap_contributions(
    image: Activations, known_terms: NDArray[np.float64], count: int = 6, kind: ChannelKind = MAPS
) -> tuple[list[NapContribution], list[NapContribution]]:
    """The channels with the largest positive and negative gains, the largest magnitude first, up to ``count`` of each.

    ``image`` holds one image, ``known_terms`` is (N, C) as ``kind.terms`` gives it for the ID images. A channel
    counts for the image when its gain is positive, against it when negative; a Transformer's mean over the heads, which
    is NAP, stands before the heads. Raises ValueError when ``image`` does not hold exactly one image or no ID image
    is given.
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
