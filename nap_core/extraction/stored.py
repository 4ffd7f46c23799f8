"""The store entry that holds the activations of a dataset: its precision, its size, and how it is filled and read.

Half precision is a matter of room, not of speed: at ImageNet's 50,000 images and a ResNet-50's 2,048 channels it saves
a third of the disk and of what scoring has to read. docs/benchmark.md has what it changes in the scores.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Literal

import numpy as np
import torch

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.extraction.forward_pass import ForwardPass
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Entry, Manifest, Store, StoreKey, TooLarge

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
        layer=f"{model.architecture.name}: {model.hook}, computed in {precision}",
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
    structure = model.structure
    if structure is None:
        return _seen_widths(model)
    shapes = [(structure.hook, structure.shape), *((layer.hook, layer.shape) for layer in structure.layers)]
    shape = next((shape for hook, shape in shapes if hook == model.hook), None)
    if shape is None:
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
