"""Images → Activations, in one forward pass per image; and full maps for the few images that are looked at.

Per image and channel of the penultimate map the pass keeps the maximum, the mean and the population variance over the
H × W neurons, and the logits. Every method that can be computed from these is computed from these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.extraction.devices import BATCH, available_devices, choose_device, describe_device
from nap_core.extraction.runner import Runner
from nap_core.extraction.stored import Stored, store_key
from nap_core.models import LoadedModel
from nap_core.progress import ExtractionStopped, Progress
from nap_core.store import Entry, Store, TooLarge

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
    "inputs",
    "look",
    "maps",
    "store_key",
]

SHARD_ROWS = 1024


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
    total = len(dataset) if limit is None else min(limit, len(dataset))
    if not total:
        return _empty(model)
    computed = _Computed(model, dataset, total, device, batch_size, autocast, progress, should_stop or _never)
    if store is None:
        return Activations.concatenate(computed.added_to(None))
    kept = Stored(store, model, dataset, autocast)
    try:
        entry = kept.opened(total)
        computed.added_to(entry)
    except TooLarge:
        # Half precision has no room for these maxima. What it holds already is rounded: the pass begins again.
        kept.half.remove()
        entry = kept.single
        computed.added_to(entry)
    with suppress(UserError):  # no room on the disk for a moment: the shards serve as well, in more memory
        if len(next(entry.shards(), ())) < total:
            entry.compact()
    found = entry.read(total) if entry.rows else None
    if found is None or len(found) < total:
        raise UserError(
            f"The activation store {store.root} was emptied or damaged during the run. Start again: it goes on from "
            "what is left."
        )
    return found


@dataclass(frozen=True)
class _Computed:
    """A pass over the first ``total`` images of a dataset."""

    model: LoadedModel
    dataset: ImageDataset
    total: int
    device: str | None
    batch_size: int | None
    autocast: bool
    progress: Callable[[Progress], None] | None
    should_stop: Callable[[], bool]

    def added_to(self, entry: Entry | None) -> list[Activations]:
        """What the entry lacks is computed and added to it; without one, everything is computed and returned."""
        have = entry.rows if entry else 0
        if have >= self.total:
            return []
        runner = Runner(self.model, choose_device(self.device), self.batch_size, self.autocast)
        sink = _Sink(entry, have)
        started = time.perf_counter()
        try:
            for batch in runner.run(self.dataset, have, self.total, self.should_stop):
                sink.add(batch)
                if self.progress:
                    done, speed = have + sink.rows, sink.rows / (time.perf_counter() - started)
                    left = (self.total - done) / speed
                    self.progress(Progress(self.dataset.title, done, self.total, speed, left))
        finally:
            sink.flush()
        return sink.parts


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
    """Gathers batches into shards and hands each full shard to the store, or keeps it where there is none."""

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
        if self.entry is None:
            self.parts.append(shard)
        else:
            # By position: another run may have stored these very images since this one began.
            self.entry.append(shard, start=self._next)
        self._next += len(shard)
