"""One pass over a dataset, read at one place of a network or at several, and what becomes of what it finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.extraction.devices import choose_device
from nap_core.extraction.runner import Runner
from nap_core.extraction.stored import Stored
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Entry, Store, TooLarge
from nap_core.storage.progress import Progress

SHARD_ROWS = 1024


@dataclass(frozen=True)
class Pass:
    """A pass over the first ``total`` images of a dataset, at least one. ``sites`` are the same network, each read at
    a place of its own: one forward pass an image serves them all."""

    sites: tuple[LoadedModel, ...]
    dataset: ImageDataset
    total: int
    device: str | None
    batch_size: int | None
    autocast: bool
    progress: Callable[[Progress], None] | None
    should_stop: Callable[[], bool]

    def found(self, store: Store | None) -> list[Activations]:
        """The activations at each of the sites; what ``store`` holds of them is read, the rest is computed into it.

        Raises ExtractionStopped when ``should_stop`` says so between two batches, UserError when not even one image
        fits on the device or the store is damaged meanwhile.
        """
        if store is None:
            sinks = [_Sink(None, 0) for _ in self.sites]
            self._fill(sinks)
            return [Activations.concatenate(sink.parts) for sink in sinks]
        return [self._read(entry, store) for entry in self._filled(store)]

    def _filled(self, store: Store) -> list[Entry]:
        """The entry of each site, complete."""
        kept = [Stored(store, site, self.dataset, self.autocast) for site in self.sites]
        entries = [self._opened(one) for one in kept]
        while True:
            sinks = [_Sink(entry, min(entry.rows, self.total)) for entry in entries]
            try:
                self._fill(sinks)
                return entries
            except TooLarge:
                # Half precision has no room for these maxima. What it holds already is rounded: the site begins again.
                for place, sink in enumerate(sinks):
                    if sink.refused:
                        kept[place].half.remove()
                        entries[place] = kept[place].single

    def _opened(self, kept: Stored) -> Entry:
        try:
            return kept.opened(self.total)
        except TooLarge:
            kept.half.remove()
            return kept.single

    def _fill(self, sinks: Sequence[_Sink]) -> None:
        """Compute what the sinks lack of the images; where some have more than others, these wait for their turn."""
        starts = sorted({sink.start for sink in sinks if sink.start < self.total})
        if not starts:
            return
        began, seen = time.perf_counter(), 0
        with ExitStack() as closing:
            for sink in sinks:
                closing.callback(sink.flush)
            for first, last in zip(starts, [*starts[1:], self.total], strict=True):
                open_now = [place for place, sink in enumerate(sinks) if sink.start <= first]
                for batches in self._batches([self.sites[place] for place in open_now], first, last):
                    for place, batch in zip(open_now, batches, strict=True):
                        sinks[place].add(batch)
                    seen += len(batches[0])
                    self._tell(starts[0] + seen, seen / (time.perf_counter() - began))

    def _batches(self, sites: Sequence[LoadedModel], first: int, last: int) -> Iterator[list[Activations]]:
        runner = Runner(sites[0], choose_device(self.device), self.batch_size, self.autocast, sites=sites)
        return runner.run(self.dataset, first, last, self.should_stop)

    def _tell(self, done: int, speed: float) -> None:
        if self.progress:
            self.progress(Progress(self.dataset.title, done, self.total, speed, (self.total - done) / speed))

    def _read(self, entry: Entry, store: Store) -> Activations:
        with suppress(UserError):  # no room on the disk for a moment: the shards serve as well, in more memory
            if len(next(entry.shards(), ())) < self.total:
                entry.compact()
        found = entry.read(self.total) if entry.rows else None
        if found is None or len(found) < self.total:
            raise UserError(
                f"The activation store {store.root} was emptied or damaged during the run. Start again: it goes on "
                "from what is left."
            )
        return found


class _Sink:
    """Gathers batches into shards and hands each full shard to the store, or keeps it where there is none.

    ``start`` is the first image that it lacks; ``refused`` tells that its entry has no room for such large numbers.
    """

    def __init__(self, entry: Entry | None, start: int) -> None:
        self.entry, self.start = entry, start
        self.refused = False
        self.parts: list[Activations] = []
        self._next = start
        self._waiting: list[Activations] = []

    def add(self, batch: Activations) -> None:
        self._waiting.append(batch)
        if sum(map(len, self._waiting)) >= SHARD_ROWS:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        shard, self._waiting = Activations.concatenate(self._waiting), []
        if self.entry is None:
            self.parts.append(shard)
        else:
            try:
                # By position: another run may have stored these very images since this one began.
                self.entry.append(shard, start=self._next)
            except TooLarge:
                self.refused = True
                raise
        self._next += len(shard)
