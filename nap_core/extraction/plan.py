"""An extraction plan: the images of several datasets through networks, as one resumable run with one progress.

>>> plan = ExtractionPlan([ExtractionStep((model,), datasets.load("cifar10"), limit=500)])
>>> plan.missing(store)
Counter({'CIFAR-10': 500})
>>> (activations,) = plan.run(store)
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.extraction.forward_pass import ForwardPass, choose_device
from nap_core.extraction.stored import ShardWriter, Stored, read_whole
from nap_core.models import LoadedModel, with_layer
from nap_core.storage.activation_store import Entry, Store, TooLarge
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks


@dataclass(frozen=True)
class ExtractionStep:
    """The first images of one dataset through one network.

    Attributes:
        sites: The network, once for each layer at which it is read: one forward pass an image serves them all.
        dataset: The images.
        limit: How many of them, from the first on. None for all.
    """

    sites: tuple[LoadedModel, ...]
    dataset: ImageDataset
    limit: int | None = None

    @property
    def images(self) -> int:
        """How many images the step has, stored or not."""
        return len(self.dataset) if self.limit is None else min(self.limit, len(self.dataset))

    def missing(self, store: Store | None, autocast: bool = False) -> int:
        """How many images have still to go through the network: those that ``store`` lacks at one of the sites."""
        stored = (Stored(store, site, self.dataset, autocast).rows for site in self.sites) if store else ()
        return max(0, self.images - min(stored, default=0))


@dataclass(frozen=True)
class ExtractionPlan:
    """Steps of extraction that run one after the other and report as one.

    Attributes:
        steps: What goes through which network.
        device: "cuda", "mps", "cpu", "cuda:1" …; None for the best there is.
        batch_size: Images of a batch; None for the device's default, see ``BATCH``. On a GPU that runs out of memory
            the batch is halved and the run goes on.
        autocast: Whether the network computes in bfloat16. Such activations have store entries of their own.
    """

    steps: Sequence[ExtractionStep]
    device: str | None = None
    batch_size: int | None = None
    autocast: bool = False

    def missing(self, store: Store | None) -> Counter[str]:
        """Images that have still to be extracted.

        Args:
            store: Where activations are kept; without one, all images are missing.

        Returns:
            Their number by the title of the dataset, without those that lack none. It is false when nothing is
            missing; ``total()`` is the number in all.
        """
        counts: Counter[str] = Counter()
        for step in self.steps:
            counts[step.dataset.title] += step.missing(store, self.autocast)
        return +counts

    def run(self, store: Store | None = None, callbacks: RunCallbacks = NO_CALLBACKS) -> list[Activations]:
        """The activations of all steps; what ``store`` holds is read, the rest is extracted into it.

        Args:
            store: Where activations are read from and added to, every 1,024 images and when the run ends early. What
                is read from it is memory-mapped. None keeps them in memory alone.
            callbacks: ``progress`` gets, after each batch, the images done of all images of all steps, with the title
                of the dataset in work and the speed of this step. Stored images count as done from the beginning.

        Returns:
            Activations in the order of the steps and, within a step, of its sites.

        Raises:
            ExtractionStopped: ``callbacks.should_stop`` returned True between two batches. The same call goes on there.
            UserError: Not even one image fits on the device, an image cannot be read, or the store is full or damaged.
        """
        images = [step.images for step in self.steps]
        stored = [count - step.missing(store, self.autocast) for count, step in zip(images, self.steps, strict=True)]
        extracted: list[Activations] = []
        for place, step in enumerate(self.steps):
            others = sum(images[:place]) + sum(stored[place + 1 :])
            extracted += _StepRun(self, step, callbacks, others, sum(images)).activations(store)
        return extracted


@dataclass(frozen=True)
class _StepRun:
    """One step in a run of ``total`` images, of which ``others`` belong to other steps and are done."""

    plan: ExtractionPlan
    step: ExtractionStep
    callbacks: RunCallbacks
    others: int
    total: int

    def activations(self, store: Store | None) -> list[Activations]:
        sites, rows = self.step.sites, self.step.images
        if not rows:
            return [_empty(site) for site in sites]
        if store is None:
            writers = [ShardWriter(None, rows) for _ in sites]
            self._fill(writers)
            return [Activations.concatenate(writer.shards) for writer in writers]
        return [read_whole(entry, rows, store) for entry in self._filled(store)]

    def _filled(self, store: Store) -> list[Entry]:
        """The entry of each site, complete."""
        rows = self.step.images
        stored = [Stored(store, site, self.step.dataset, self.plan.autocast) for site in self.step.sites]
        entries = [one.opened(rows) for one in stored]
        while True:
            writers = [ShardWriter(entry, rows) for entry in entries]
            try:
                self._fill(writers)
                return entries
            except TooLarge:
                # Half precision has no room for these maxima. What it holds already is rounded: the site begins again.
                entries = [
                    one.only_single() if writer.refused else entry
                    for one, entry, writer in zip(stored, entries, writers, strict=True)
                ]

    def _fill(self, writers: Sequence[ShardWriter]) -> None:
        """Extract what the writers lack; where some entries have more rows than others, these join in later."""
        starts = sorted({writer.start for writer in writers if writer.start < self.step.images})
        began, done = time.perf_counter(), 0
        with ExitStack() as closing:
            for writer in writers:
                closing.callback(writer.flush)
            for first, last in zip(starts, [*starts[1:], self.step.images], strict=False):
                places = [place for place, writer in enumerate(writers) if writer.start <= first]
                for batches in self._batches([self.step.sites[place] for place in places], first, last):
                    for place, batch in zip(places, batches, strict=True):
                        writers[place].add(batch)
                    done += len(batches[0])
                    speed = done / (time.perf_counter() - began)
                    self.callbacks.report(self.step.dataset.title, self.others + starts[0] + done, self.total, speed)

    def _batches(self, sites: Sequence[LoadedModel], first: int, last: int) -> Iterator[list[Activations]]:
        device = choose_device(self.plan.device)
        forward_pass = ForwardPass(sites[0], device, self.plan.batch_size, self.plan.autocast, sites=sites)
        for views, labels in forward_pass.batches(self.step.dataset, first, last, self.callbacks):
            yield forward_pass.statistics(views, labels)


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


def _empty(model: LoadedModel) -> Activations:
    """Activations of no image: those of one black image give the widths."""
    side = model.transform.crop
    black = torch.zeros((1, side, side, 3), dtype=torch.uint8)
    forward_pass = ForwardPass(model, torch.device("cpu"), 1, autocast=False)
    return forward_pass.statistics(black, np.array([-1], np.int64))[0].head(0)
