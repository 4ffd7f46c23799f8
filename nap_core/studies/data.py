"""The data of an evaluation, made of images: for studies, the command line and scripts alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.datasets.labels import labels_for
from nap_core.extraction import extract
from nap_core.methods.context import NO_CALLBACKS, EvaluationData, RunCallbacks, ScoringContext
from nap_core.methods.inputs import ImageSet


def evaluation_data(
    id_name: str,
    sources: Mapping[str, ImageDataset | Activations],
    context: ScoringContext,
    *,
    limit: int | None = None,
    batch_size: int | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> EvaluationData:
    """The activations of every dataset; what the store holds is read, the rest is extracted into it.

    Args:
        id_name: the name of the ID dataset, one of ``sources``.
        sources: the images of each dataset by its name, or precomputed activations in their place.
        context: the network, the store and the device, and what methods may use besides the activations.
        limit: how many images of each dataset, from the first on; None for all.
        batch_size: images of a batch; None for the device's default.
        callbacks: progress and cancellation.

    Returns:
        The data. The labels of the ID images are classes of the network (``labels.labels_for``), those of the OOD
        images their own.

    Raises:
        UserError: where the context has no network, and as ``extract`` does.
        ExtractionStopped: when the callbacks stop it; a second call goes on from there.
    """
    model = context.network("Extraction")
    parts = {}
    for name, source in sources.items():
        if isinstance(source, Activations):
            parts[name] = ImageSet(source if limit is None else source.head(limit))
            continue
        activations = extract(
            model,
            source,
            limit=limit,
            store=context.store,
            device=context.device,
            batch_size=batch_size,
            progress=callbacks.progress,
            should_stop=callbacks.should_stop,
        )
        if name == id_name:
            # The store keeps the labels that the images came with: whatever network reads them, it is one entry.
            activations = replace(activations, labels=labels_for(source, model.classes)[: len(activations)])
        parts[name] = ImageSet(activations, source)
    return EvaluationData(id_name, parts.pop(id_name), parts, context)
