"""Pseudo-OOD images of a study, on which w and the parameters of methods are searched without any OOD image.

The first ID images are distorted in 15 ways each and go through the network once. A search compares values by the AUROC
of the ID images against them (NAP paper, section 4.3 and Appendix H).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nap_core import corruptions, datasets, extraction
from nap_core.corruptions.pseudo_ood import PseudoOod, for_views
from nap_core.datasets import ImageDataset
from nap_core.errors import Hint, UserError
from nap_core.methods import EvaluationData, ImageSet
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

if TYPE_CHECKING:
    from nap_core.models import LoadedModel

IMAGES = 500
"""ID images that are distorted, fewer where the data have fewer: 7,500 pseudo-OOD images of them."""
SEED = 0
SEARCH = "A search on distorted images"


def distorted(model: LoadedModel, id_images: ImageDataset, images: int = IMAGES, seed: int = SEED) -> PseudoOod:
    """The first ``images`` of ``id_images`` as the network sees them, each corrupted in all 15 ways.

    The severities 1 to 5 take turns. The parameters are ImageNet-C's whatever the size of the views: CIFAR-10-C's are
    so mild that most of what they leave is still in-distribution.
    """
    return PseudoOod(id_images, model.transform, seed=seed, limit=images, each=True, scale="imagenet")


def pseudo_images(data: EvaluationData, seed: int = SEED) -> PseudoOod:
    """The pseudo-OOD images of ``data``: of as many ID images as it has, at most ``IMAGES``.

    Raises UserError where only the activations of the ID images are there.
    """
    if data.id.images is None:
        raise UserError(
            f"The images of {datasets.title(data.id_name)} are not shipped, so they cannot be distorted: nothing can "
            "be searched on them.",
            Hint.ID_IMAGES,
        )
    limit = min(IMAGES, len(data.id.activations))
    return distorted(data.context.network(SEARCH), data.id.images, limit, seed)


def extraction_plan(data: EvaluationData) -> extraction.ExtractionPlan:
    """The pseudo-OOD images through the network, in one step. Raises as ``pseudo_images`` does."""
    model = for_views(data.context.network(SEARCH))
    return extraction.ExtractionPlan([extraction.ExtractionStep((model,), pseudo_images(data))], data.context.device)


def extracted(data: EvaluationData, callbacks: RunCallbacks = NO_CALLBACKS) -> ImageSet:
    """The activations of the pseudo-OOD images, from a run of the ``extraction_plan``. Raises as it does."""
    # Without the images: no method runs the network over them again, so that such a method is not searched here.
    return ImageSet(extraction_plan(data).run(data.context.store, callbacks)[0])


def sources(data: EvaluationData, pseudo: ImageSet) -> ImageSet:
    """The ID images that ``pseudo``, as ``extracted`` gives it, was made of."""
    return ImageSet(data.id.activations.head(len(pseudo.activations) // len(corruptions.RECORDS)))
