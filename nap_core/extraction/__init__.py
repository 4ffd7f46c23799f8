"""Images → Activations, in one forward pass per image; and full maps for the few images that are looked at.

Per image and channel of the penultimate map the pass keeps the maximum, the mean and the population variance over the
H × W neurons, and the logits. Every method that can be computed from these is computed from these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.extraction.devices import BATCH, available_devices, choose_device, describe_device
from nap_core.extraction.runner import Runner
from nap_core.models import LoadedModel
from nap_core.progress import ExtractionStopped, Progress
from nap_core.store import Entry, Store, StoreKey

__all__ = [
    "BATCH",
    "SHARD_ROWS",
    "ExtractionStopped",
    "Progress",
    "available_devices",
    "choose_device",
    "describe_device",
    "extract",
    "inputs",
    "look",
    "maps",
    "store_key",
]

SHARD_ROWS = 1024


def store_key(model: LoadedModel, dataset: ImageDataset, autocast: bool = False) -> StoreKey:
    """What determines the activations of ``dataset`` under ``model``."""
    precision = "bfloat16 autocast" if autocast else "float32"
    return StoreKey(
        weights=model.weights_sha256,
        layer=f"{model.architecture.name}: {model.tap}, computed in {precision}",
        transform=model.transform.describe(),
        dataset=dataset.fingerprint,
        dtype="float32",
    )


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
    pass is stopped. ``autocast`` computes in bfloat16. On a GPU that runs out of memory the batch is halved and the
    pass goes on. Raises ExtractionStopped when ``should_stop`` says so between two batches, UserError when not even one
    image fits on the device.
    """
    total = len(dataset) if limit is None else min(limit, len(dataset))
    entry = (
        store.entry(store_key(model, dataset, autocast), title=f"{model.title} · {dataset.title}") if store else None
    )
    parts = [entry.read(total)] if entry and entry.rows else []
    have = len(parts[0]) if parts else 0
    if have < total:
        runner = Runner(model, choose_device(device), batch_size, autocast)
        sink = _Sink(entry, have)
        started = time.perf_counter()
        try:
            for batch in runner.run(dataset, have, total, should_stop or _never):
                sink.add(batch)
                done = have + sink.rows
                if progress:
                    speed = sink.rows / (time.perf_counter() - started)
                    progress(Progress(dataset.title, done, total, speed, (total - done) / speed))
        finally:
            sink.flush()
        parts += sink.parts
    return Activations.concatenate(parts) if parts else _empty(model)


def maps(model: LoadedModel, images: Sequence[Image.Image], *, device: str | None = None) -> NDArray[np.float32]:
    """The full penultimate maps of a few images: (B, C, H, W), post-ReLU, before pooling."""
    runner = Runner(model, choose_device(device), len(images), autocast=False)
    found: NDArray[np.float32] = runner.forward(runner.views(images)).maps.cpu().numpy()
    return found


def look(
    model: LoadedModel, views: NDArray[np.uint8], *, device: str | None = None
) -> tuple[Activations, NDArray[np.float32]]:
    """Activations and full maps of a few views in one pass: what a page needs of an image that is looked at.

    ``views`` is (B, H, W, 3) uint8 as ``Transform.view`` gives it. The maps are (B, C, H, W), post-ReLU, before
    pooling; the labels are −1.
    """
    runner = Runner(model, choose_device(device), len(views), autocast=False)
    seen = runner.forward(torch.tensor(views))
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


class _Sink:
    """Gathers batches into shards and hands each full shard to the store."""

    def __init__(self, entry: Entry | None, start: int) -> None:
        self.entry = entry
        self.rows = 0
        self._next = start
        self.parts: list[Activations] = []
        self._waiting: list[Activations] = []

    def add(self, batch: Activations) -> None:
        self._waiting.append(batch)
        self.rows += len(batch)
        if sum(map(len, self._waiting)) >= SHARD_ROWS:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        shard, self._waiting = Activations.concatenate(self._waiting), []
        self.parts.append(shard)
        if self.entry:
            # By position: another run may have stored these very images since this one began.
            self.entry.append(shard, start=self._next)
        self._next += len(shard)
