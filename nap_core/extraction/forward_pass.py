"""The forward pass on a device: batches of views → the activations of each image."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.models import LoadedModel, Transform, require_neurons
from nap_core.models.feature_hook import ONE_PASS_AT_A_TIME
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

AHEAD = 2
"""Blocks that are being decoded while one is used: the second keeps every thread busy at the end of the first."""
PIECE = 8
"""Images that a thread takes at a time: handing them out one by one costs more than decoding a small one."""
MAXIMUM_THREADS = 32


def threads() -> int:
    """How many decode at a time: one a core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAXIMUM_THREADS)


def blocks(
    dataset: ImageDataset, transform: Transform, first: int, last: int, size: int, *, pinned: bool = False
) -> Iterator[tuple[int, Tensor]]:
    """Images ``first`` to ``last`` in blocks of ``size``: the index of a block's first image, and its views (B, H, W,
    3) uint8.

    Never more than ``AHEAD`` blocks beside the one in use are held. ``pinned`` memory is copied to a GPU without
    waiting. Raises, in the order of the images, what ``dataset.image`` raises; what was decoded ahead is then dropped.
    """
    starts = iter(range(first, last, size))
    pending: deque[tuple[int, Tensor, list[Future[None]]]] = deque()
    pool = ThreadPoolExecutor(threads(), "decoder")

    def fill(views: NDArray[np.uint8], start: int) -> None:
        for index in range(len(views)):
            views[index] = transform.view(dataset.image(start + index))

    def submit() -> None:
        start = next(starts, None)
        if start is not None:
            shape = (min(size, last - start), transform.crop, transform.crop, 3)
            block = torch.empty(shape, dtype=torch.uint8, pin_memory=pinned)
            views = block.numpy()
            pieces = range(0, len(views), PIECE)
            futures = [pool.submit(fill, views[piece : piece + PIECE], start + piece) for piece in pieces]
            pending.append((start, block, futures))

    try:
        for _ in range(AHEAD):
            submit()
        while pending:
            start, block, futures = pending.popleft()
            submit()
            for future in futures:
                future.result()
            yield start, block
    finally:
        pool.shutdown(cancel_futures=True)


BATCH = {"cuda": 256, "mps": 128, "cpu": 64}
"""Images of a batch by default, by the type of the device."""

Note = TypeVar("Note")


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


@dataclass(frozen=True)
class Statistics:
    """Of maps, per image and channel over the H × W neurons: maximum, mean, population variance, (B, C) float32."""

    maximum: Tensor
    mean: Tensor
    variance: Tensor

    @classmethod
    def of(cls, maps: Tensor) -> Statistics:
        """Those of maps (B, C, H, W)."""
        whole = maps.float()
        return cls(whole.amax((2, 3)), whole.mean((2, 3)), whole.var((2, 3), correction=0))


@dataclass(frozen=True)
class Seen:
    """What one pass showed at one place, float32 on the device: statistics of the maps there, logits (B, K), features
    (B, D) if kept there."""

    statistics: Statistics
    logits: Tensor
    features: Tensor | None

    def reduced(self, labels: NDArray[np.int64]) -> Activations:
        """What is stored of it."""
        return Activations(
            maximum=self.statistics.maximum.cpu().numpy(),
            mean=self.statistics.mean.cpu().numpy(),
            variance=self.statistics.variance.cpu().numpy(),
            logits=self.logits.cpu().numpy(),
            labels=labels,
            features=None if self.features is None else self.features.cpu().numpy(),
        )


@dataclass(frozen=True)
class Whole(Seen):
    """The same with the maps themselves, (B, C, H, W)."""

    maps: Tensor


class ForwardPass:
    """A network on a device. Images go through it in batches, and the next ones are decoded meanwhile.

    ``sites`` are the places where the network is read, ``model`` alone if none are given. Raises UserError where the
    map at one of them has one neuron.
    """

    def __init__(
        self,
        model: LoadedModel,
        device: torch.device,
        batch_size: int | None,
        autocast: bool,
        *,
        sites: Sequence[LoadedModel] = (),
    ) -> None:
        self.model, self.device, self.autocast = model, device, autocast
        self.sites = tuple(map(require_neurons, sites or (model,)))
        self.batch_size = batch_size or BATCH[device.type]

    def views(self, images: Iterable[Image.Image]) -> Tensor:
        """Images → views (B, H, W, 3) uint8."""
        return torch.from_numpy(np.stack([self.model.transform.view(image) for image in images]))

    def pixels(self, views: Tensor) -> Tensor:
        """Views (B, H, W, 3) uint8 → what the network is fed: (B, channels, H, W) float32 on the device."""
        # Pinned views are copied while the network still works on what it was given before.
        moved = views.to(self.device, non_blocking=views.is_pinned())
        return self.model.transform.normalise(moved.permute(0, 3, 1, 2))

    def forward(self, views: Tensor) -> list[Seen]:
        """Views (B, H, W, 3) uint8 → what the network shows of them, at each of the sites.

        The maps of early layers are large: only their statistics outlive the moment in which they are there.
        """
        noted, logits, features = self._read(views, Statistics.of)
        kept = (features if site.keeps_features else None for site in self.sites)
        return [Seen(one, logits, feature) for one, feature in zip(noted, kept, strict=True)]

    def look(self, views: Tensor) -> Whole:
        """The same at the first of the sites, with the maps."""
        # A later module may write over what an earlier one put out.
        noted, logits, features = self._read(views, torch.clone)
        maps = noted[0].float()
        return Whole(Statistics.of(maps), logits, features if self.sites[0].keeps_features else None, maps)

    def _read(self, views: Tensor, note: Callable[[Tensor], Note]) -> tuple[list[Note], Tensor, Tensor | None]:
        """What ``note`` makes of the map at each site, the logits, and the features where a site keeps them."""
        network = self.model.network
        head = self.model.head_hook if any(site.keeps_features for site in self.sites) else None
        noted: dict[int, Note] = {}
        features: list[Tensor] = []

        def at(place: int) -> Callable[[Tensor], None]:
            def receive(maps: Tensor) -> None:
                noted[place] = note(maps)  # a module may run several times, of which the last counts

            return receive

        with ONE_PASS_AT_A_TIME, ExitStack() as reading:
            for place, site in enumerate(self.sites):
                reading.enter_context(site.hook.capture(network, at(place)))
            if head:
                reading.enter_context(head.capture(network, features.append))
            # Outside inference mode, in which weights would be made that no gradient can ever go through again.
            network.to(self.device).to(memory_format=torch.channels_last)
            with torch.inference_mode():
                logits = self._logits(network, views)
        by_site = [noted[place] for place in range(len(self.sites))]
        return by_site, logits.float(), features[0].flatten(1).float() if head else None

    def _logits(self, network: nn.Module, views: Tensor) -> Tensor:
        pixels = self.pixels(views)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            logits: Tensor = network(pixels)
        return logits

    def statistics(self, views: Tensor, labels: NDArray[np.int64]) -> list[Activations]:
        """What is kept of views (B, H, W, 3) at each site; the batch is halved, and stays so, where the device has no
        room for it.

        Raises UserError when not even one image fits.
        """
        try:
            return [seen.reduced(labels) for seen in self.forward(views)]
        except torch.OutOfMemoryError as error:
            if len(views) == 1:
                raise UserError(
                    "Not even one image fits into the memory of the GPU. Run on the CPU instead."
                ) from error
            half = len(views) // 2
            self.batch_size = min(self.batch_size, half)
            torch.cuda.empty_cache()
        halves = self.statistics(views[:half], labels[:half]), self.statistics(views[half:], labels[half:])
        return [Activations.concatenate(both) for both in zip(*halves, strict=True)]

    def batches(
        self, dataset: ImageDataset, first: int, last: int, callbacks: RunCallbacks = NO_CALLBACKS
    ) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
        """Views (B, H, W, 3) uint8 and labels (B,) of images ``first`` to ``last``; the next are decoded meanwhile.

        Raises ExtractionStopped between two batches.
        """
        pinned = self.device.type == "cuda"
        for start, block in blocks(dataset, self.model.transform, first, last, self.batch_size, pinned=pinned):
            used = 0
            while used < len(block):
                callbacks.raise_if_stopped()
                views = block[used : used + self.batch_size]  # less than the block once the batch was halved
                labels = dataset.labels[start + used : start + used + len(views)]
                yield views, np.asarray(labels, np.int64)
                used += len(views)
