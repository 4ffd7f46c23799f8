"""The forward pass itself: batches of views → what is kept of each image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
from nap_core.extraction.decoding import blocks
from nap_core.extraction.devices import BATCH
from nap_core.models import LoadedModel
from nap_core.models.tap import ONE_PASS_AT_A_TIME
from nap_core.progress import ExtractionStopped


@dataclass(frozen=True)
class Seen:
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


class Runner:
    """Feeds images through a network in batches, decoding the next ones while the network works on these."""

    def __init__(self, model: LoadedModel, device: torch.device, batch_size: int | None, autocast: bool) -> None:
        self.model, self.device, self.autocast = model, device, autocast
        self.batch_size = batch_size or BATCH[device.type]

    def views(self, images: Iterable[Image.Image]) -> Tensor:
        """Images → views (B, H, W, 3) uint8."""
        return torch.from_numpy(np.stack([self.model.transform.view(image) for image in images]))

    def pixels(self, views: Tensor) -> Tensor:
        """Views (B, H, W, 3) uint8 → what the network is fed: (B, 3, H, W) float32 on the device."""
        # Pinned views are copied while the network still works on what it was given before.
        moved = views.to(self.device, non_blocking=views.is_pinned())
        return self.model.transform.normalise(moved.permute(0, 3, 1, 2))

    def forward(self, views: Tensor) -> Seen:
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
        return Seen(maps[0].float(), logits.float(), features[0].flatten(1).float() if head else None)

    def _logits(self, network: nn.Module, views: Tensor) -> Tensor:
        pixels = self.pixels(views)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            logits: Tensor = network(pixels)
        return logits

    def statistics(self, views: Tensor, labels: NDArray[np.int64]) -> Activations:
        """What is kept of views (B, H, W, 3); the batch is halved, and stays so, where the device has no room for it.

        Raises UserError when not even one image fits.
        """
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
    ) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
        """Views (B, H, W, 3) and labels of images ``first`` to ``last``; the next are decoded while these are used.

        Raises ExtractionStopped when ``should_stop`` says so.
        """
        pinned = self.device.type == "cuda"
        for start, block in blocks(dataset, self.model.transform, first, last, self.batch_size, pinned=pinned):
            used = 0
            while used < len(block):
                if should_stop():
                    raise ExtractionStopped
                views = block[used : used + self.batch_size]  # less than the block once the batch was halved
                labels = dataset.labels[start + used : start + used + len(views)]
                yield views, np.asarray(labels, np.int64)
                used += len(views)
