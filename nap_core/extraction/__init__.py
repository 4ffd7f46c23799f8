"""Images → Activations, in one forward pass per image; and full maps for the few images that are looked at.

Per image and channel of the penultimate map the pass keeps the maximum, the mean and the population variance over the
H × W neurons, and the logits. Every method that can be computed from these is computed from these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.extraction.devices import BATCH, available_devices, choose_device, describe_device
from nap_core.extraction.passes import SHARD_ROWS, Pass
from nap_core.extraction.runner import Runner
from nap_core.extraction.stored import Stored, store_key
from nap_core.models import LoadedModel, with_layer
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import ExtractionStopped, Progress

__all__ = [
    "BATCH",
    "SHARD_ROWS",
    "ExtractionStopped",
    "Progress",
    "Stored",
    "available_devices",
    "choose_device",
    "describe_device",
    "extract",
    "extract_layers",
    "inputs",
    "look",
    "maps",
    "store_key",
]


def extract(
    model: LoadedModel,
    dataset: ImageDataset,
    *,
    limit: int | None = None,
    store: Store | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    autocast: bool = False,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Activations:
    """The activations of the first ``limit`` images of ``dataset`` (all when None).

    What ``store`` already holds is not computed again; what is computed is added to it every 1,024 images and when the
    pass is stopped, and memory-mapped at the end: see ``stored`` for its precision. ``autocast`` computes in bfloat16.
    On a GPU that runs out of memory the batch is halved and the pass goes on. Raises ExtractionStopped when
    ``should_stop`` says so between two batches, UserError when not even one image fits on the device.
    """
    run = _pass((model,), dataset, limit, device, batch_size, autocast, progress, should_stop)
    return run.found(store)[0] if run.total else _empty(model)


def extract_layers(
    model: LoadedModel,
    dataset: ImageDataset,
    layers: Sequence[str],
    *,
    limit: int | None = None,
    store: Store | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> dict[str, Activations]:
    """``extract`` at several layers, by name: one forward pass an image serves them all.

    "" is where ``model`` is read already, any other name a layer of its anatomy. Each layer has the entry of the store
    that the model read there would use (``models.read_at``); an image goes through the network only where a layer lacks
    it. Raises as ``extract`` does, and UserError for a name that is no layer's.
    """
    sites = {layer: with_layer(model, layer) if layer else model for layer in layers}
    run = _pass(tuple(sites.values()), dataset, limit, device, batch_size, False, progress, should_stop)
    found = run.found(store) if run.total and sites else map(_empty, sites.values())
    return dict(zip(sites, found, strict=True))


def _pass(
    sites: tuple[LoadedModel, ...],
    dataset: ImageDataset,
    limit: int | None,
    device: str | None,
    batch_size: int | None,
    autocast: bool,
    progress: Callable[[Progress], None] | None,
    should_stop: Callable[[], bool] | None,
) -> Pass:
    total = len(dataset) if limit is None else min(limit, len(dataset))
    return Pass(sites, dataset, total, device, batch_size, autocast, progress, should_stop or _never)


def maps(model: LoadedModel, images: Sequence[Image.Image], *, device: str | None = None) -> NDArray[np.float32]:
    """The full penultimate maps of a few images: (B, C, H, W), post-ReLU, before pooling."""
    runner = Runner(model, choose_device(device), len(images), autocast=False)
    return runner.look(runner.views(images)).maps.cpu().numpy()


def look(
    model: LoadedModel, views: NDArray[np.uint8], *, device: str | None = None
) -> tuple[Activations, NDArray[np.float32]]:
    """Activations and full maps of a few views in one pass: what a page needs of an image that is looked at.

    ``views`` is (B, H, W, 3) uint8 as ``Transform.view`` gives it. The maps are (B, C, H, W), post-ReLU, before
    pooling; the labels are −1.
    """
    runner = Runner(model, choose_device(device), len(views), autocast=False)
    seen = runner.look(torch.tensor(views))
    return seen.reduced(np.full(len(views), -1, np.int64)), seen.maps.cpu().numpy()


def inputs(
    model: LoadedModel,
    dataset: ImageDataset,
    first: int,
    last: int,
    *,
    device: str | None = None,
    batch_size: int | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """What the network is fed of images ``first`` to ``last``: (B, 3, H, W) float32 on the device and labels (B,).

    For methods that need a pass of their own. Raises ExtractionStopped when ``should_stop`` says so.
    """
    runner = Runner(model, choose_device(device), batch_size, autocast=False)
    if first < last:
        for views, labels in runner.batches(dataset, first, last, should_stop or _never):
            yield runner.pixels(views), torch.tensor(labels)


def _never() -> bool:
    return False


def _empty(model: LoadedModel) -> Activations:
    side = model.transform.crop  # one black image tells the widths
    return look(model, np.zeros((1, side, side, 3), np.uint8), device="cpu")[0].head(0)
