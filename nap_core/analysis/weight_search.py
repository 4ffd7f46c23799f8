"""The search for w on a study, which needs no OOD image (NAP paper, section 4.3 and Appendix H).

The study's ID images are made worse by 15 corruptions each, these pseudo-OOD images go through the network once, and
the w of every combination is searched on what was stored of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nap_core import datasets, methods
from nap_core.analysis.evaluation import EvaluationData, weight_curve_cases
from nap_core.corruptions import weight_search_images
from nap_core.corruptions.pseudo_ood import PseudoOod, for_views
from nap_core.corruptions.weight_search_images import IMAGES, SEED
from nap_core.errors import Hint, UserError
from nap_core.extraction import Stored
from nap_core.methods import ImageSet, PseudoOODSet, RunCallbacks, combination
from nap_core.methods.combination import SearchedWeight, WeightCurve
from nap_core.methods.context import NO_CALLBACKS
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, StudyActivations

PSEUDO = "pseudo-ood"
"""What a curve calls them beside the catalogue names of datasets."""


def pseudo_images(study: Study, seed: int = SEED) -> PseudoOod:
    """What w is searched on in a study, see ``search_images``: as many of its ID images as it has, at most ``IMAGES``.

    Raises UserError for a reference bank, whose images are not shipped.
    """
    if not datasets.find(study.id_dataset).images_shipped:
        raise UserError(
            f"The images of {datasets.title(study.id_dataset)} are not shipped, so they cannot be distorted: w cannot "
            "be searched on them.",
            Hint.ID_IMAGES,
        )
    return weight_search_images.search_images(
        study.network(), datasets.load(study.id_dataset), min(IMAGES, study.images), seed
    )


def missing(study: Study, store: Store) -> int:
    """How many pseudo-OOD images are not in the store yet. Raises as ``pseudo_images`` does."""
    images = pseudo_images(study)
    return max(0, len(images) - Stored(store, for_views(study.network()), images).rows)


def extracted(
    study: Study, store: Store, device: str | None = None, callbacks: RunCallbacks = NO_CALLBACKS
) -> ImageSet:
    """The activations of the pseudo-OOD images; what the store holds is read, the rest is extracted into it.

    Raises as ``pseudo_images`` does, and ExtractionStopped when ``watch`` asks for that.
    """
    pseudo_images(study)  # says why, where there is nothing to distort
    model, known = study.network(), datasets.load(study.id_dataset)
    return weight_search_images.extracted(model, known, min(IMAGES, study.images), store, device, callbacks).pseudo


@dataclass(frozen=True)
class WeightSearch:
    """What a search found, beside what the study's OOD images say, which it did not see.

    ``pseudo`` is the curve over w on the pseudo-OOD images, ``true`` on the study's OOD datasets.
    """

    found: SearchedWeight
    pseudo: WeightCurve
    true: WeightCurve

    @property
    def oracle(self) -> float:
        """The w of the lowest FPR95 on average over the OOD datasets: what could be had by looking at them."""
        return self.true.best("fpr95")

    def lost(self, name: str | None = None) -> float:
        """By how much FPR95 at the w found lies above that at the best w, a share: of a dataset at its own best w, or
        of the average over all."""
        values = self.true.average("fpr95") if name is None else self.true.fpr95[self.true.datasets.index(name)]
        here = int(np.argmin(np.abs(self.true.w - self.found.w)))
        return float(values[here] - values.min())


def search(found: StudyActivations, pseudo: ImageSet, spec: str) -> WeightSearch:
    """The search for the w of the combination ``spec``: the study's ID images against ``pseudo``, made of as many.

    Raises UserError as ``methods.scored`` does: for what is no combination, and for a method that needs images.
    """
    return search_cases(EvaluationData.of(found), PseudoOODSet(ImageSet(found.id.head(IMAGES)), pseudo), spec)


def search_cases(data: EvaluationData, images: PseudoOODSet, spec: str) -> WeightSearch:
    """The search for the w of ``spec`` on ``images``, beside its curve on ``cases``. Raises as ``search`` does."""
    prior, other = methods.combination_parts(spec)
    found = methods.search(methods.parse(spec), images, data.context)
    pairs = (
        (methods.positive(other, part, data.context), methods.scored(prior, part, data.context).scores)
        for part in (images.known, images.pseudo)
    )
    (id_other, id_prior), (pseudo_other, pseudo_prior) = pairs
    return WeightSearch(
        found,
        combination.weight_curve(id_other, id_prior, {PSEUDO: pseudo_other}, {PSEUDO: pseudo_prior}),
        weight_curve_cases(data, spec),
    )
