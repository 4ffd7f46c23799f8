"""One look at the encoded images of a dataset: their digests, which can be read, and the window of deep grey."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from nap_core.datasets import windows
from nap_core.datasets.decoding import decode, examine
from nap_core.datasets.images import digest, presentation_order
from nap_core.datasets.user_data.encoded import Encoded
from nap_core.datasets.user_data.scan_cache import Scan, ScanCache, Scanned, Stamp
from nap_core.datasets.windows import Family, ValueRange, Window
from nap_core.errors import UserError

KEPT_BYTES = 2**28
"""Bytes of decoded images that a dataset opened with a limit keeps for the pass that follows, so that a file is decoded
once."""
_DARK = 8  # an image whose greatest value is below this part of the window is nearly black


@dataclass
class Look:
    """What a look at images gave.

    Attributes:
        digests: of the readable images, by file, in the order of presentation.
        unreadable: the others, each with an error message.
        stamps: what the files were when they were read.
        decoded: images that were decoded, for the pass that follows.
        windows: how grey of more than 8 bits becomes 8, by family.
        notes: sentences on windows and on colours that were shortened.
    """

    digests: dict[str, bytes] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    stamps: dict[str, Stamp] = field(default_factory=dict)
    decoded: dict[str, Image.Image] = field(default_factory=dict)
    windows: dict[Family, Window] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def look(
    files: Sequence[str],
    encoded: Encoded,
    cache: ScanCache,
    progress: Callable[[int, int], None] | None = None,
    window: tuple[float, float] | None = None,
    limit: int | None = None,
) -> Look:
    """Decode images in the order of presentation, or take what the cache has of them.

    Args:
        files: the names of all images.
        encoded: their content.
        cache: what is known of files that have not changed.
        progress: called with (done, total) after each image.
        window: the window that was said; None to conclude it from all images.
        limit: how many readable images are wanted; None for all. All are looked at nevertheless where the cache has
            them, and where one window has to be chosen for grey of more than 8 bits.

    Returns:
        The look.
    """
    looking = _Looking(files, encoded, cache, window, limit)
    # Pillow decodes outside Python's global lock, so threads help.
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        looking.run(pool, progress)
        looking.finish(pool)
    return looking.found


class _Looking:
    """A look that is under way. ``scans`` has the range alone of grey of more than 8 bits that has no window yet."""

    def __init__(
        self,
        files: Sequence[str],
        encoded: Encoded,
        cache: ScanCache,
        window: tuple[float, float] | None,
        limit: int | None,
    ) -> None:
        self._encoded, self._cache, self._window = encoded, cache, window
        self._before = {file: encoded.stamp(file) for file in files}
        self._ordered = [files[i] for i in presentation_order(len(files))]
        self._keeps = limit is not None  # a pass over these few follows
        known = all(cache.find(*one) for one in self._before.items())
        self._limit = len(files) if limit is None or known else min(limit, len(files))
        self._scans: dict[str, Scan | ValueRange] = {}
        self._kept = self._readable = 0
        self.found = Look()

    def run(self, pool: ThreadPoolExecutor, progress: Callable[[int, int], None] | None) -> None:
        while self._readable < self._limit and (rest := self._ordered[len(self._scans) :]):
            wanted = rest[: self._limit - self._readable]
            for file, scanned in zip(wanted, pool.map(self._scan, wanted), strict=True):
                self._add(file, *scanned)
                if progress is not None:
                    progress(len(self._scans), max(self._limit, len(self._scans)))

    def finish(self, pool: ThreadPoolExecutor) -> None:
        """Choose the windows, and fill ``found`` and the cache."""
        ranges = {file: values for file, scan in self._scans.items() if (values := _values(scan))}
        self._choose_windows(list(ranges.values()))
        final = dict(zip(ranges, pool.map(self._deep, ranges), strict=True))
        shortened = 0
        for file, first in self._scans.items():
            scan = final.get(file, first)
            assert not isinstance(scan, ValueRange), "deep grey has a window by now"
            if file in self.found.stamps:
                self._cache.add(file, self.found.stamps[file], scan)
            if isinstance(scan, UserError):
                self.found.unreadable[file] = str(scan)
            else:
                self.found.digests[file] = scan.digest
                shortened += scan.shortened
        self._cache.save(whole=self._limit == len(self._ordered))
        if shortened:
            self.found.notes.append(f"Of {shortened:,} images with 16 bits a colour, the upper 8 bits are read.")

    def _scan(self, file: str) -> tuple[Stamp | None, Scan | ValueRange, Image.Image | None]:
        """The stamp of a file's content, None where it is unknown; what is remembered of its image; the image, None
        where it was not decoded."""
        before = self._before[file]
        cached = self._cache.find(file, before)
        if cached is not None:
            return before, cached, None
        try:
            data, read = self._encoded.read(file)
        except UserError as error:
            return None, error, None
        try:
            examined = examine(data, file)
        except UserError as error:
            return read, error, None
        if examined.pixels is None:
            assert examined.values is not None, "an image without pixels has a range"
            return read, examined.values, None
        image = Image.fromarray(examined.pixels) if self._keeps else None
        return read, Scanned(digest(examined.pixels), shortened=examined.shortened), image

    def _add(self, file: str, read: Stamp | None, scan: Scan | ValueRange, image: Image.Image | None) -> None:
        self._scans[file] = scan
        self._readable += not isinstance(scan, UserError)
        if read:
            self.found.stamps[file] = read
        if image is not None and (kept := self._kept + 3 * image.width * image.height) <= KEPT_BYTES:
            self.found.decoded[file], self._kept = image, kept
        if _values(scan) and self._window is None:
            self._limit = len(self._ordered)  # the range of all is needed

    def _choose_windows(self, ranges: list[ValueRange]) -> None:
        families: tuple[Family, ...] = ("whole", "float")
        for family in families:
            members = [one for one in ranges if one.family == family]
            if not members:
                continue
            whole, said = windows.joined(members), self._window
            chosen = Window(*said) if said else windows.window_for(whole)
            self.found.windows[family] = chosen
            kind = "grey of more than 8 bits" if family == "whole" else "grey of floats"
            count = "1 image" if len(members) == 1 else f"{len(members):,} images"
            self.found.notes.append(windows.sentence(whole, chosen, f"The {kind} of {count}", said=said is not None))
            dark = sum(one.high - chosen.low < (chosen.high - chosen.low) / _DARK for one in members)
            if dark:
                self.found.notes.append(
                    f"{dark:,} of them stay below an eighth of that window and are nearly black: they may be of "
                    "another range."
                )

    def _deep(self, file: str) -> Scan:
        """What is remembered of an image of deep grey, under the window of the dataset."""
        scan, values = self._scans[file], _values(self._scans[file])
        assert values is not None, "only deep grey comes here"
        window = self.found.windows[values.family]
        if isinstance(scan, Scanned) and scan.window == window:
            return scan
        try:
            data, read = self._encoded.read(file)
            if read != self.found.stamps[file]:
                return UserError(f"“{file}” changed while it was read. Start again when nothing writes to it.")
            return Scanned(digest(np.asarray(decode(data, file, self.found.windows))), values, window)
        except UserError as error:
            return error


def _values(scan: Scan | ValueRange) -> ValueRange | None:
    if isinstance(scan, ValueRange):
        return scan
    return scan.values if isinstance(scan, Scanned) else None
