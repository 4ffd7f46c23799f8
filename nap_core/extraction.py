"""Images → Activations, in one forward pass per image; and full maps for the few images that are looked at.

Per image and channel of the penultimate map the pass keeps the maximum, the mean and the population variance over the
H × W neurons, and the logits. Every method that can be computed from these is computed from these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.models import LoadedModel
from nap_core.models.tap import ONE_PASS_AT_A_TIME
from nap_core.store import Entry, Store, StoreKey

BATCH = {"cuda": 256, "mps": 128, "cpu": 64}
SHARD_ROWS = 1024


@dataclass(frozen=True)
class Progress:
    """Where a pass stands: images done and asked for, images per second of this pass, seconds left at that speed."""

    dataset: str
    done: int
    total: int
    images_per_second: float
    seconds_left: float


class ExtractionStopped(Exception):  # noqa: N818 - a wish was met, nothing went wrong
    """The pass was stopped on request; what it had finished is in the store."""


def choose_device(name: str | None = None) -> torch.device:
    """The device to run on: ``name`` ("cuda", "mps", "cpu", "cuda:1" …), or the best there is.

    Raises UserError when a named device is not there.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"The device “{name}” cannot be used here. Choose another one, for example “cpu”.") from error
    return device


def available_devices() -> tuple[str, ...]:
    """The devices of this machine by name, the best first; the CPU is always the last."""
    gpus = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count())) if torch.cuda.is_available() else ()
    return (*gpus, *(("mps",) if torch.backends.mps.is_available() else ()), "cpu")


def describe_device(name: str | None = None) -> str:
    """The device that would be used, in words: a GPU by its product name, the CPU by its threads."""
    device = choose_device(name)
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return "Apple GPU" if device.type == "mps" else f"CPU, {threads} thread{'s' if threads > 1 else ''}"


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
        runner = _Runner(model, choose_device(device), batch_size, autocast)
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
    runner = _Runner(model, choose_device(device), len(images), autocast=False)
    found: NDArray[np.float32] = runner.forward(runner.views(images)).maps.cpu().numpy()
    return found


def look(
    model: LoadedModel, views: NDArray[np.uint8], *, device: str | None = None
) -> tuple[Activations, NDArray[np.float32]]:
    """Activations and full maps of a few views in one pass: what a page needs of an image that is looked at.

    ``views`` is (B, H, W, 3) uint8 as ``Transform.view`` gives it. The maps are (B, C, H, W), post-ReLU, before
    pooling; the labels are −1.
    """
    runner = _Runner(model, choose_device(device), len(views), autocast=False)
    seen = runner.forward(np.array(views))  # a copy: torch warns of arrays that cannot be written to
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
    runner = _Runner(model, choose_device(device), batch_size, autocast=False)
    if first < last:
        for views, labels in runner.batches(dataset, first, last, should_stop or _never):
            pixels = torch.tensor(views, device=runner.device).permute(0, 3, 1, 2)
            yield model.transform.normalise(pixels), torch.tensor(labels)


@dataclass(frozen=True)
class _Seen:
    """What one pass showed, float32 on the device: maps (B, C, H, W), logits (B, K), features (B, D) if kept."""

    maps: Tensor
    logits: Tensor
    features: Tensor | None

    def reduced(self, labels: NDArray[np.int64]) -> Activations:
        """What is stored of it."""
        return Activations(
            maximum=self.maps.amax((2, 3)).cpu().numpy(),
            mean=self.maps.mean((2, 3)).cpu().numpy(),
            variance=self.maps.var((2, 3), correction=0).cpu().numpy(),
            logits=self.logits.cpu().numpy(),
            labels=labels,
            features=None if self.features is None else self.features.cpu().numpy(),
        )


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


class _Runner:
    """Feeds images through a network in batches, decoding the next batch while the network works on this one."""

    def __init__(self, model: LoadedModel, device: torch.device, batch_size: int | None, autocast: bool) -> None:
        self.model, self.device, self.autocast = model, device, autocast
        self.batch_size = batch_size or BATCH[device.type]

    def views(self, images: Iterable[Image.Image]) -> NDArray[np.uint8]:
        return np.stack([self.model.transform.view(image) for image in images])

    def forward(self, views: NDArray[np.uint8]) -> _Seen:
        """Views (B, H, W, 3) uint8 → what the network shows of them."""
        maps: list[Tensor] = []
        features: list[Tensor] = []
        network, head = self.model.network, self.model.head_tap if self.model.keeps_features else None

        def note(found: Tensor) -> None:
            # A module may run several times, of which the last counts, and a later one may write over what it put out.
            maps[:] = [found.clone()]

        with ONE_PASS_AT_A_TIME, ExitStack() as reading:
            reading.enter_context(self.model.tap.reading(network, note))
            if head:
                reading.enter_context(head.reading(network, features.append))
            # Outside inference mode, in which weights would be made that no gradient can ever go through again.
            network.to(self.device).to(memory_format=torch.channels_last)
            with torch.inference_mode():
                logits = self._logits(network, views)
        return _Seen(maps[0].float(), logits.float(), features[0].flatten(1).float() if head else None)

    def _logits(self, network: nn.Module, views: NDArray[np.uint8]) -> Tensor:
        pixels = torch.from_numpy(views).to(self.device).permute(0, 3, 1, 2)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            logits: Tensor = network(self.model.transform.normalise(pixels))
        return logits

    def statistics(self, views: NDArray[np.uint8], labels: NDArray[np.int64]) -> Activations:
        try:
            return self.forward(views).reduced(labels)
        except torch.OutOfMemoryError as error:
            if len(views) == 1:
                raise UserError(
                    "Not even one image fits into the memory of the GPU. Run on the CPU instead."
                ) from error
            half = len(views) // 2
            self.batch_size = min(self.batch_size, half)
            torch.cuda.empty_cache()
        return Activations.concatenate(
            [self.statistics(views[:half], labels[:half]), self.statistics(views[half:], labels[half:])]
        )

    def run(
        self, dataset: ImageDataset, first: int, last: int, should_stop: Callable[[], bool]
    ) -> Iterator[Activations]:
        """The activations of images ``first`` to ``last``, batch by batch."""
        for views, labels in self.batches(dataset, first, last, should_stop):
            yield self.statistics(views, labels)

    def batches(
        self, dataset: ImageDataset, first: int, last: int, should_stop: Callable[[], bool]
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Views (B, H, W, 3) and labels of images ``first`` to ``last``; the next are decoded while these are used."""

        def decode(start: int) -> NDArray[np.uint8]:
            return self.views(dataset.image(index) for index in range(start, min(start + self.batch_size, last)))

        with ThreadPoolExecutor(max_workers=1) as decoder:
            start, upcoming = first, decoder.submit(decode, first)
            while start < last:
                views = upcoming.result()
                stop = start + len(views)
                if stop < last:
                    upcoming = decoder.submit(decode, stop)
                if should_stop():
                    raise ExtractionStopped
                yield views, np.asarray(dataset.labels[start:stop], np.int64)
                start = stop
