"""A dataset, or a few images, → activations or maps, in one call each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.extraction.forward_pass import ForwardPass, choose_device
from nap_core.extraction.plan import ExtractionPlan, ExtractionStep
from nap_core.models import LoadedModel, with_layer
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks


def extract(
    model: LoadedModel,
    dataset: ImageDataset,
    *,
    limit: int | None = None,
    store: Store | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    autocast: bool = False,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> Activations:
    """The activations of one dataset: an ``ExtractionPlan`` of one step.

    Args:
        model: The network, with the layer at which it is read and its preprocessing.
        dataset: The images.
        limit: How many of them, from the first on. None for all.
        store: See ``ExtractionPlan.run``.
        device: See ``ExtractionPlan``.
        batch_size: See ``ExtractionPlan``.
        autocast: See ``ExtractionPlan``.
        callbacks: See ``ExtractionPlan.run``.

    Returns:
        Activations of N images: maximum, mean and variance (N, C), logits (N, K), labels (N,).

    Raises:
        ExtractionStopped: See ``ExtractionPlan.run``.
        UserError: See ``ExtractionPlan.run``.
    """
    plan = ExtractionPlan((ExtractionStep((model,), dataset, limit),), device, batch_size, autocast)
    return plan.run(store, callbacks)[0]


def extract_layers(
    model: LoadedModel,
    dataset: ImageDataset,
    layers: Sequence[str],
    *,
    limit: int | None = None,
    store: Store | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> dict[str, Activations]:
    """``extract`` at several layers: one forward pass an image serves them all.

    Args:
        model: The network.
        dataset: The images.
        layers: Dotted names of modules, see ``sites_of``.
        limit: How many images, from the first on. None for all.
        store: Each layer has the entry that ``extract`` uses for the model read there (``models.with_layer``). An image
            goes through the network only where a layer lacks it.
        device: See ``ExtractionPlan``.
        batch_size: See ``ExtractionPlan``.
        callbacks: See ``ExtractionPlan.run``.

    Returns:
        Activations by layer.

    Raises:
        ExtractionStopped: See ``ExtractionPlan.run``.
        UserError: See ``ExtractionPlan.run``; also for a name that is no layer's.
    """
    sites = sites_of(model, layers)
    plan = ExtractionPlan((ExtractionStep(tuple(sites.values()), dataset, limit),), device, batch_size)
    return dict(zip(sites, plan.run(store, callbacks), strict=True))


def sites_of(model: LoadedModel, layers: Sequence[str]) -> dict[str, LoadedModel]:
    """The model read at each of ``layers``, each name once; "" is where it is read already.

    Raises UserError for a name that is no layer's.
    """
    return {layer: with_layer(model, layer) if layer else model for layer in layers}


def maps(model: LoadedModel, images: Sequence[Image.Image], *, device: str | None = None) -> NDArray[np.float32]:
    """The full penultimate maps of a few images.

    Args:
        model: the network.
        images: B images in RGB.
        device: "cpu", "cuda" …; None for the best there is.

    Returns:
        Maps (B, C, H, W) float32, post-ReLU, before pooling.
    """
    forward_pass = ForwardPass(model, choose_device(device), len(images), autocast=False)
    return forward_pass.look(forward_pass.views(images)).maps.cpu().numpy()


def look(
    model: LoadedModel, views: NDArray[np.uint8], *, device: str | None = None
) -> tuple[Activations, NDArray[np.float32]]:
    """Activations and full maps of a few views in one pass.

    Args:
        model: the network.
        views: (B, H, W, 3) uint8, as ``Transform.view`` gives them.
        device: "cpu", "cuda" …; None for the best there is.

    Returns:
        Activations with labels of −1, and maps (B, C, H, W) float32, post-ReLU, before pooling.
    """
    forward_pass = ForwardPass(model, choose_device(device), len(views), autocast=False)
    seen = forward_pass.look(torch.tensor(views))
    return seen.reduced(np.full(len(views), -1, np.int64)), seen.maps.cpu().numpy()


def inputs(
    model: LoadedModel,
    dataset: ImageDataset,
    first: int,
    last: int,
    *,
    device: str | None = None,
    batch_size: int | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> Iterator[tuple[Tensor, Tensor]]:
    """The network's inputs batch by batch, for methods that run the network themselves.

    Args:
        model: the network.
        dataset: the images.
        first: the first image.
        last: the image after the last one.
        device: "cpu", "cuda" …; None for the best there is.
        batch_size: images of a batch; None for the device's default.
        callbacks: cancellation; ``progress`` is not called.

    Yields:
        Pixels (B, 3, H, W) float32 on the device, and labels (B,).

    Raises:
        ExtractionStopped: when the callbacks stop it, between two batches.
    """
    forward_pass = ForwardPass(model, choose_device(device), batch_size, autocast=False)
    if first < last:
        for views, labels in forward_pass.batches(dataset, first, last, callbacks):
            yield forward_pass.pixels(views), torch.tensor(labels)
