"""Images → Activations, in one forward pass per image; and full maps for the few images that are looked at.

Per image and channel of the penultimate map the pass keeps the maximum, the mean and the population variance over the
H × W neurons, and the logits. Every method that can be computed from these is computed from these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.extraction.forward_pass import BATCH, ForwardPass, available_devices, choose_device, describe_device
from nap_core.extraction.plan import ExtractionPlan, ExtractionStep, extract, extract_layers, sites_of
from nap_core.extraction.stored import SHARD_ROWS, Stored, store_key
from nap_core.models import LoadedModel
from nap_core.storage.progress import NO_CALLBACKS, ExtractionStopped, Progress, RunCallbacks

__all__ = [
    "BATCH",
    "NO_CALLBACKS",
    "SHARD_ROWS",
    "ExtractionPlan",
    "ExtractionStep",
    "ExtractionStopped",
    "Progress",
    "RunCallbacks",
    "Stored",
    "available_devices",
    "choose_device",
    "describe_device",
    "extract",
    "extract_layers",
    "inputs",
    "look",
    "maps",
    "sites_of",
    "store_key",
]


def maps(model: LoadedModel, images: Sequence[Image.Image], *, device: str | None = None) -> NDArray[np.float32]:
    """The full penultimate maps of a few images: (B, C, H, W), post-ReLU, before pooling."""
    forward_pass = ForwardPass(model, choose_device(device), len(images), autocast=False)
    return forward_pass.look(forward_pass.views(images)).maps.cpu().numpy()


def look(
    model: LoadedModel, views: NDArray[np.uint8], *, device: str | None = None
) -> tuple[Activations, NDArray[np.float32]]:
    """Activations and full maps of a few views in one pass: what a page needs of an image that is looked at.

    ``views`` is (B, H, W, 3) uint8 as ``Transform.view`` gives it. The maps are (B, C, H, W), post-ReLU, before
    pooling; the labels are −1.
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
    """The network's inputs for images ``first`` to ``last``: (B, 3, H, W) float32 on the device and labels (B,).

    For methods that run the network themselves. Raises ExtractionStopped between two batches; ``callbacks.progress`` is
    not called.
    """
    forward_pass = ForwardPass(model, choose_device(device), batch_size, autocast=False)
    if first < last:
        for views, labels in forward_pass.batches(dataset, first, last, callbacks):
            yield forward_pass.pixels(views), torch.tensor(labels)
