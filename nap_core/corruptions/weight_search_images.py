"""The pseudo-OOD images on which w is searched, and what the store holds of them (NAP paper, Appendix H)."""

from __future__ import annotations

from nap_core.activations import Activations
from nap_core.corruptions.pseudo_ood import PseudoOod, for_views
from nap_core.datasets import ImageDataset
from nap_core.extraction import ExtractionPlan, ExtractionStep, Stored
from nap_core.methods import ImageSet, PseudoOODSet
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

IMAGES = 500
"""ID images that are corrupted, fewer where a study has fewer: 7,500 pseudo-OOD images of them."""
SEED = 0


def search_images(model: LoadedModel, known: ImageDataset, images: int = IMAGES, seed: int = SEED) -> PseudoOod:
    """The first ``images`` of ``known`` as the network sees them, each corrupted in all 15 ways.

    The severities 1 to 5 take turns. The parameters are ImageNet-C's whatever the size of the views: CIFAR-10-C's are
    so mild that most of what they leave is still in-distribution.
    """
    return PseudoOod(known, model.transform, seed=seed, limit=images, each=True, scale="imagenet")


def stored(model: LoadedModel, known: ImageDataset, images: int, store: Store) -> PseudoOODSet | None:
    """The first ``images`` of ``known`` and the pseudo-OOD images made of them; None while the store lacks any."""
    corrupted = search_images(model, known, images)
    pseudo = _read(store, for_views(model), corrupted, len(corrupted))
    first = _read(store, model, known, min(images, len(known)))
    # Without the images: a method that would run the network over them again has no w here.
    return PseudoOODSet(ImageSet(first), ImageSet(pseudo)) if first and pseudo else None


def extracted(
    model: LoadedModel,
    known: ImageDataset,
    images: int,
    store: Store | None = None,
    device: str | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> PseudoOODSet:
    """``stored``, after an extraction of what the store lacks. Raises ExtractionStopped on request."""
    steps = (
        ExtractionStep((model,), known, images),
        ExtractionStep((for_views(model),), search_images(model, known, images)),
    )
    id_part, pseudo = ExtractionPlan(steps, device).run(store, callbacks)
    return PseudoOODSet(ImageSet(id_part), ImageSet(pseudo))


def _read(store: Store, model: LoadedModel, images: ImageDataset, count: int) -> Activations | None:
    entry = Stored(store, model, images).chosen(count)
    return entry.read(count) if count and entry.rows >= count else None
