"""Progress of a pass on stderr: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from nap_core.storage import byte_size
from nap_core.storage.progress import Progress

LINE_SECONDS, BAR_SECONDS = 5.0, 0.1
BAR_WIDTH = 24


class Meter:
    """Writes progress to ``stream``, stderr by default; nothing when ``quiet``."""

    def __init__(self, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.stream, self.quiet = stream or sys.stderr, quiet
        self.bar = self.stream.isatty()
        self._last = float("-inf")
        self._drawn = False

    def __call__(self, progress: Progress) -> None:
        """Show the progress of a pass over images, a download or the unpacking of an archive."""
        left = f", {_duration(progress.seconds_left)} left" if progress.total else ""
        if progress.unit == "images":
            speed = f"{progress.speed:,.0f} images/s{left}"
            self._show(progress.title, progress.done, progress.total, speed)
            return
        verb = "downloading" if progress.unit == "bytes" else "unpacking"
        speed = f"{progress.speed / 1e6:.1f} MB/s{left}"
        self._show(f"{verb} {progress.title}", progress.done, progress.total, speed, byte_size.in_words)

    def reading(self, label: str) -> Callable[[int, int], None]:
        """A callback for how many files of the folder ``label`` have been read."""
        return lambda done, total: self._show(f"reading {label}", done, total, "")

    def _show(self, what: str, done: int, total: int, speed: str, said: Callable[[int], str] = "{:,}".format) -> None:
        now = time.monotonic()
        complete = self.bar and done == total
        if self.quiet or (now - self._last < (BAR_SECONDS if self.bar else LINE_SECONDS) and not complete):
            return
        self._last = now
        tail = f" · {speed}" if speed else ""
        amount = f"{said(done)} of {said(total)}" if total else said(done)
        if not self.bar:
            print(f"{what}: {amount}{tail}", file=self.stream, flush=True)
            return
        full = round(BAR_WIDTH * done / total) if total else 0
        text = f"{what} {'█' * full}{'░' * (BAR_WIDTH - full)} {amount}{tail}"
        # Clear to the end of the line, and never wrap: a wrapped bar cannot be drawn over.
        print(f"\r{text[: shutil.get_terminal_size().columns - 1]}\x1b[K", end="", file=self.stream, flush=True)
        self._drawn = True

    def clear(self) -> None:
        """Take the bar off the terminal, so that the next line stands alone."""
        if self._drawn:
            print("\r\x1b[K", end="", file=self.stream, flush=True)
            self._drawn = False

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.clear()


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
