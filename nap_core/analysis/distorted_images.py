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
from nap_core.methods.inputs import finite
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

if TYPE_CHECKING:
    from nap_core.models import LoadedModel

IMAGES = 500
"""ID images that are distorted, fewer where the data have fewer: 7,500 pseudo-OOD images of them."""
SEED = 0
SEARCH = "A search on distorted images"


def distorted(model: LoadedModel, id_images: ImageDataset, images: int = IMAGES, seed: int = SEED) -> PseudoOod:
    """The first ID images as the network sees them, each corrupted in all 15 ways.

    The severities 1 to 5 take turns. The parameters are ImageNet-C's whatever the size of the views: CIFAR-10-C's are
    so mild that most of what they leave is still in-distribution.

    Args:
        model: The loaded model, which gives the preprocessing.
        id_images: The ID images.
        images: The number of ID images taken, from the first on.
        seed: The seed of the corruptions.

    Returns:
        The pseudo-OOD images as a dataset, 15 an ID image.
    """
    return PseudoOod(id_images, model.transform, seed=seed, limit=images, each=True, scale="imagenet")


def pseudo_images(data: EvaluationData, seed: int = SEED) -> PseudoOod:
    """The pseudo-OOD images of a study: of as many ID images as it has, at most ``IMAGES``.

    Args:
        data: The images and what methods may use besides them.
        seed: The seed of the corruptions.

    Returns:
        The pseudo-OOD images as a dataset.

    Raises:
        UserError: Only the activations of the ID images are there, or the context has no network.
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
    """The pseudo-OOD images through the network.

    Args:
        data: The images and what methods may use besides them.

    Returns:
        A plan of one step.

    Raises:
        UserError: As ``pseudo_images`` does.
    """
    model = for_views(data.context.network(SEARCH))
    return extraction.ExtractionPlan([extraction.ExtractionStep((model,), pseudo_images(data))], data.context.device)


def extracted(data: EvaluationData, callbacks: RunCallbacks = NO_CALLBACKS) -> ImageSet:
    """The activations of the pseudo-OOD images, from a run of the ``extraction_plan``.

    Args:
        data: The images and what methods may use besides them.
        callbacks: Progress and cancellation.

    Returns:
        The pseudo-OOD images, 15 rows an ID image, without the pictures.

    Raises:
        UserError: As ``pseudo_images`` does.
        ExtractionStopped: On request.
    """
    # Without the images: no method runs the network over them again, so that such a method is not searched here.
    return finite(ImageSet(extraction_plan(data).run(data.context.store, callbacks)[0]))


def sources(data: EvaluationData, pseudo: ImageSet) -> ImageSet:
    """The ID images that ``pseudo``, as ``extracted`` gives it, was made of."""
    return ImageSet(data.id.activations.head(len(pseudo.activations) // len(corruptions.RECORDS)))
