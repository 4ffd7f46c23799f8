"""The search for w on a study, which needs no OOD image (NAP paper, section 4.3 and Appendix H).

The study's ID images are made worse by 15 corruptions each, these pseudo-OOD images go through the network once, and
the w of every combination is searched on what was stored of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nap_core import combination, datasets, methods
from nap_core.combination import SearchedWeight, WeightCurve
from nap_core.errors import UserError
from nap_core.evaluation import Cases, weight_curve
from nap_core.extraction import Stored, extract
from nap_core.methods import Part, Watch
from nap_core.methods.ground import SILENT
from nap_core.pseudo_ood import PseudoOod, fed_views
from nap_core.store import Store
from nap_core.study import Study, StudyActivations

IMAGES = 500
"""ID images that are corrupted, fewer where a study has fewer: 7,500 pseudo-OOD images of them."""
SEED = 0
PSEUDO = "pseudo-ood"
"""What a curve calls them beside the catalogue names of datasets."""


def pseudo_images(study: Study, seed: int = SEED) -> PseudoOod:
    """The first ``IMAGES`` ID images of the study as its network sees them, each corrupted in all 15 ways.

    The severities 1 to 5 take turns. The parameters are ImageNet-C's whatever the size of the views: CIFAR-10-C's are
    so mild that most of what they leave is still in-distribution. Raises UserError for a reference bank, whose images
    are not shipped.
    """
    if not datasets.find(study.id_dataset).images_shipped:
        raise UserError(
            f"The images of {datasets.title(study.id_dataset)} are not shipped, so they cannot be distorted: w cannot "
            "be searched on them. Pick an ID dataset with images in “Change the study”."
        )
    known, transform = datasets.load(study.id_dataset), study.network().transform
    return PseudoOod(known, transform, seed=seed, limit=min(IMAGES, study.images), each=True, scale="imagenet")


def missing(study: Study, store: Store) -> int:
    """How many pseudo-OOD images are not in the store yet. Raises as ``pseudo_images`` does."""
    images = pseudo_images(study)
    return max(0, len(images) - Stored(store, fed_views(study.network()), images).rows)


def extracted(study: Study, store: Store, device: str | None = None, watch: Watch = SILENT) -> Part:
    """The activations of the pseudo-OOD images; what the store holds is read, the rest is extracted into it.

    Raises as ``pseudo_images`` does, and ExtractionStopped when ``watch`` asks for that.
    """
    images = pseudo_images(study)
    # Without the images: a method that would run the network over them again has no w here.
    return Part(
        extract(
            fed_views(study.network()),
            images,
            store=store,
            device=device,
            progress=watch.progress,
            should_stop=watch.should_stop,
        )
    )


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


def search(found: StudyActivations | Cases, pseudo: Part, spec: str) -> WeightSearch:
    """The search for the w of the combination ``spec``: the study's ID images against ``pseudo``, made of as many.

    Raises UserError as ``methods.scored`` does: for what is no combination, and for a method that needs images.
    """
    prior, other = methods.combination_parts(spec)
    cases = Cases.of(found)
    known = Part(cases.id.activations.head(IMAGES), cases.id.images)
    id_other, pseudo_other = (methods.positive(other, part, cases.ground) for part in (known, pseudo))
    id_prior, pseudo_prior = (methods.scored(prior, part, cases.ground).scores for part in (known, pseudo))
    return WeightSearch(
        combination.search_weight(id_other, id_prior, pseudo_other, pseudo_prior),
        combination.weight_curve(id_other, id_prior, {PSEUDO: pseudo_other}, {PSEUDO: pseudo_prior}),
        weight_curve(found, spec),
    )
