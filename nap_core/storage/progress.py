"""Progress of long work, its cancellation, and the callbacks through which a caller takes part in both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a forward pass or a download stands.

    ``done`` of ``total`` are counted in ``unit``: "images" of a forward pass, "bytes" of a download, "packed bytes" of
    an archive that is unpacked. ``speed`` is in that unit a second, ``seconds_left`` what is left at it. A ``total`` of
    0 is unknown. ``title`` is that of the dataset or file in work.
    """

    title: str
    done: int
    total: int
    speed: float
    seconds_left: float
    unit: str = "images"


class ExtractionStopped(Exception):  # noqa: N818 - cancelled on request; not an error, hence no "Error" suffix
    """The work was cancelled on request. What it had finished is kept, and the same call goes on from there."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class RunCallbacks:
    """Progress and cancellation callbacks of a long run.

    Attributes:
        progress: Called after every batch, or piece of a file, with the state of the whole run. None for no calls.
        should_stop: Called between two batches. Where it returns True, the run ends with ``ExtractionStopped``.
    """

    progress: Callable[[Progress], None] | None = None
    should_stop: Callable[[], bool] = _never

    def report(self, title: str, done: int, total: int, speed: float, unit: str = "images") -> None:
        """Call ``progress``, if there is one.

        Args:
            title: The dataset, method or file in work.
            done: How much is done, in ``unit``.
            total: How much there is in all, in ``unit``; 0 when unknown.
            speed: ``unit`` per second. The time left follows from it; it is 0 for a speed of 0.
            unit: What is counted.
        """
        if self.progress:
            left = max(0, total - done) / speed if speed else 0.0
            self.progress(Progress(title, done, total, speed, left, unit))

    def raise_if_stopped(self) -> None:
        """Raise ``ExtractionStopped`` where ``should_stop`` returns True."""
        if self.should_stop():
            raise ExtractionStopped


NO_CALLBACKS = RunCallbacks()
"""A run that reports nothing and is never cancelled."""
