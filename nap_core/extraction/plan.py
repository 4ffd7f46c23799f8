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
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.extraction.forward_pass import ForwardPass, choose_device
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Entry, Manifest, Store, StoreKey, TooLarge
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

SHARD_ROWS = 1024
"""Images after which activations are written to the store."""
HALF_FROM = 2**28
"""Bytes of an entry in single precision from which it is kept in half: 9,400 images of a ResNet-50's 2,048 channels
and 1,000 classes, 330,000 of a ResNet-20's 64 and 10. Below, the saving is negligible."""


def store_key(
    model: LoadedModel,
    dataset: ImageDataset,
    autocast: bool = False,
    dtype: Literal["float32", "float16"] = "float32",
) -> StoreKey:
    """What determines the activations of ``dataset`` under ``model``."""
    precision = "bfloat16 autocast" if autocast else "float32"
    return StoreKey(
        weights=model.weights_sha256,
        layer=f"{model.architecture.name}: {model.hook}{model.output.key}, computed in {precision}",
        transform=model.transform.describe(),
        dataset=dataset.fingerprint,
        dtype=dtype,
    )


class Stored:
    """The two entries, ``single`` and ``half``, that may hold the activations of ``dataset`` under ``model``."""

    def __init__(self, store: Store, model: LoadedModel, dataset: ImageDataset, autocast: bool = False) -> None:
        self.model, self.title = model, f"{model.title} · {dataset.title}"
        self.single = store.entry(store_key(model, dataset, autocast), title=self.title)
        self.half = store.entry(store_key(model, dataset, autocast, "float16"), title=self.title)

    @property
    def rows(self) -> int:
        """How many images are stored already, in either precision."""
        return max(self.single.rows, self.half.rows)

    def chosen(self, rows: int) -> Entry:
        """The entry that ``rows`` images are read from, or that the missing ones are added to.

        One that has them all is used, whatever its precision. Half precision that was begun goes on. Otherwise the size
        of the whole in single precision decides, see ``HALF_FROM``.
        """
        single, half = self.single.rows, self.half.rows
        if single >= rows:
            return self.single
        if half >= rows or half > single:
            return self.half
        return self.half if self._size(self.single, rows) >= HALF_FROM else self.single

    def size(self, rows: int) -> int:
        """Bytes that ``rows`` images take on disk, to the byte, once they are all there."""
        return self._size(self.chosen(rows), rows)

    def opened(self, rows: int) -> Entry:
        """The ``chosen`` entry, with what the other one has already: few images in single precision are rounded, not
        computed again, when many are wanted. The single one where half precision has no room for them.

        Raises UserError when the disk is full.
        """
        entry = self.chosen(rows)
        start = entry.rows
        if entry is self.half and start < self.single.rows:
            done = 0
            for shard in self.single.shards():
                done += len(shard)
                if done > start:
                    try:
                        entry.append(shard, done - len(shard))
                    except TooLarge:
                        return self.only_single()
            with suppress(UserError):  # Windows deletes nothing that is mapped: the next writer will
                self.single.remove()
        return entry

    def only_single(self) -> Entry:
        """The entry in single precision; the other one is removed."""
        self.half.remove()
        return self.single

    def _size(self, entry: Entry, rows: int) -> int:
        channels, classes, features = widths(self.model)
        return Manifest(entry.key, self.title, channels, classes, features=features).size(rows)


class ShardWriter:
    """Gathers batches into shards and adds each full shard to ``entry``, or to ``shards`` where there is no entry.

    ``start`` is the first of ``rows`` images that the entry lacks; ``refused`` is True once it had no room for numbers
    as large as these.
    """

    def __init__(self, entry: Entry | None, rows: int) -> None:
        self.entry = entry
        self.start = min(entry.rows, rows) if entry else 0
        self.refused = False
        self.shards: list[Activations] = []
        self._next = self.start
        self._batches: list[Activations] = []

    def add(self, batch: Activations) -> None:
        """Append a batch to what was added before."""
        self._batches.append(batch)
        if sum(map(len, self._batches)) >= SHARD_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what was added since the last shard. Raises TooLarge when the entry has no room for such numbers."""
        if not self._batches:
            return
        shard, self._batches = Activations.concatenate(self._batches), []
        if self.entry is None:
            self.shards.append(shard)
        else:
            try:
                # By position: another run may have stored these very images since this one began.
                self.entry.append(shard, start=self._next)
            except TooLarge:
                self.refused = True
                raise
        self._next += len(shard)


def read_whole(entry: Entry, rows: int, store: Store) -> Activations:
    """The first ``rows`` images of ``entry``, joined into one shard and mapped. Raises UserError when it lacks some."""
    with suppress(UserError):  # no room on the disk for a moment: the shards serve as well, in more memory
        if len(next(entry.shards(), ())) < rows:
            entry.compact()
    activations = entry.read(rows) if entry.rows else None
    if activations is None or len(activations) < rows:
        raise UserError(
            f"The activation store {store.root} was emptied or damaged during the run. Start again: it goes on from "
            "what is left."
        )
    return activations


def widths(model: LoadedModel) -> tuple[int, int, int]:
    """How many channels, logits and features are kept of an image; no features where the mean serves as such."""
    if model.head_weight is not None and not model.keeps_features:
        return int(model.head_weight.shape[1]), len(model.classes), 0
    structure, shape = model.structure, model.map_shape
    if structure is None or shape is None:
        return _seen_widths(model)
    return shape[0], structure.classes, structure.features if model.keeps_features else 0


@lru_cache(maxsize=4)  # as many networks as the catalogue keeps
def _seen_widths(model: LoadedModel) -> tuple[int, int, int]:
    """The same of a network without ``structure``, from a forward pass of one black image."""
    side = model.transform.crop
    device = next((one.device for one in model.network.parameters()), torch.device("cpu"))
    forward_pass = ForwardPass(model, device, 1, autocast=False)
    seen = forward_pass.statistics(torch.zeros((1, side, side, 3), dtype=torch.uint8), np.array([-1]))[0]
    return seen.channels, int(seen.logits.shape[1]), 0 if seen.features is None else int(seen.features.shape[1])


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


def _empty(model: LoadedModel) -> Activations:
    """Activations of no image: those of one black image give the widths."""
    side = model.transform.crop
    black = torch.zeros((1, side, side, 3), dtype=torch.uint8)
    forward_pass = ForwardPass(model, torch.device("cpu"), 1, autocast=False)
    return forward_pass.statistics(black, np.array([-1], np.int64))[0].head(0)
