"""One look at every encoded image of a dataset: its digest, whether it can be read, and the window of deep grey."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from nap_core.datasets import windows
from nap_core.datasets.decoding import Examined, decode, examine
from nap_core.datasets.images import digest
from nap_core.datasets.user_data.scan_cache import Scan, ScanCache, Scanned
from nap_core.datasets.windows import Family, ValueRange, Window
from nap_core.errors import UserError

Read = Callable[[str], bytes]
"""A file's name → its content; raises UserError where it can no longer be read."""
_DARK = 8  # an image whose greatest value is below this part of the window is nearly black


@dataclass
class Look:
    """What a look at all images gave.

    Attributes:
        digests: of the readable images, by file, in the order of the files.
        unreadable: the others, each with an error message.
        windows: how grey of more than 8 bits becomes 8, by family.
        notes: sentences on windows and on colours that were shortened.
    """

    digests: dict[str, bytes] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    windows: dict[Family, Window] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def look(
    files: Sequence[str],
    read: Read,
    cache: ScanCache,
    progress: Callable[[int, int], None] | None = None,
    window: tuple[float, float] | None = None,
) -> Look:
    """Decode every image once, or take it from the cache.

    Args:
        files: their names.
        read: the content of a file.
        cache: what is known of files that have not changed.
        progress: called with (done, total) after each image.
        window: the window that was said; None to conclude it from all images.

    Returns:
        The look.
    """
    scans: dict[str, Scan | ValueRange] = {}
    # Pillow decodes outside Python's global lock, so threads help.
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda file: cache.find(file) or _examine(read, file), files)
        for done, (file, result) in enumerate(zip(files, results, strict=True), start=1):
            scans[file] = result
            if progress is not None:
                progress(done, len(files))
        found = Look()
        ranges = {file: values for file, scan in scans.items() if (values := _values(scan))}
        _choose_windows(ranges, window, found)
        final = dict(zip(ranges, pool.map(partial(_deep, read, scans, found.windows), ranges), strict=True))
    shortened = 0
    for file, first in scans.items():
        scan = final.get(file, first)
        assert not isinstance(scan, ValueRange), "deep grey has a window by now"
        cache.add(file, scan)
        if isinstance(scan, UserError):
            found.unreadable.append((file, str(scan)))
        else:
            found.digests[file] = scan.digest
            shortened += scan.shortened
    cache.save()
    if shortened:
        found.notes.append(f"Of {shortened:,} images with 16 bits a colour, the upper 8 bits are read.")
    return found


def look_at_first(
    files: Sequence[str],
    count: int,
    read: Read,
    cache: ScanCache,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Look, int] | None:
    """Decode images until ``count`` of them are readable.

    Args:
        files: the names of all images, in the order in which they are wanted.
        count: how many readable images are needed.
        read: the content of a file.
        cache: what is known of files that have not changed.
        progress: called with (done, count).

    Returns:
        The look at the first images, and how many files it took. None where all images have to be looked at, because
        one window for grey of more than 8 bits has to be chosen, or because the cache knows all of them already.
    """
    scans = [cache.find(file) for file in files]
    if all(isinstance(scan, Scanned) for scan in scans):
        return None
    found, done = Look(), 0
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        while len(found.digests) < count and done < len(files):
            block = slice(done, done + count - len(found.digests))
            results = pool.map(lambda scan, file: scan or _examine(read, file), scans[block], files[block])
            for file, result in zip(files[block], results, strict=True):
                if _values(result):
                    return None
                assert not isinstance(result, ValueRange), "a range is a value"
                cache.add(file, result)
                if isinstance(result, UserError):
                    found.unreadable.append((file, str(result)))
                else:
                    found.digests[file] = result.digest
                done += 1
                if progress is not None:
                    progress(len(found.digests), count)
    cache.save(rest=True)
    return found, done


def _examine(read: Read, file: str) -> Scan | ValueRange:
    """What is remembered of a file; only the range where its grey has more than 8 bits."""
    try:
        found: Examined = examine(read(file), file)
    except UserError as error:
        return error
    if found.values:
        return found.values
    assert found.pixels is not None, "an image without a range has pixels"
    return Scanned(digest(found.pixels), shortened=found.shortened)


def _values(scan: Scan | ValueRange) -> ValueRange | None:
    if isinstance(scan, ValueRange):
        return scan
    return scan.values if isinstance(scan, Scanned) else None


def _choose_windows(ranges: dict[str, ValueRange], said: tuple[float, float] | None, found: Look) -> None:
    families: tuple[Family, ...] = ("whole", "float")
    for family in families:
        members = [one for one in ranges.values() if one.family == family]
        if not members:
            continue
        whole = windows.joined(members)
        chosen = Window(*said) if said else windows.window_for(whole)
        found.windows[family] = chosen
        kind = "grey of more than 8 bits" if family == "whole" else "grey of floats"
        count = "1 image" if len(members) == 1 else f"{len(members):,} images"
        found.notes.append(windows.sentence(whole, chosen, f"The {kind} of {count}", said=said is not None))
        dark = sum(one.high - chosen.low < (chosen.high - chosen.low) / _DARK for one in members)
        if dark:
            found.notes.append(
                f"{dark:,} of them stay below an eighth of that window and are nearly black: they may be of another "
                "range."
            )


def _deep(read: Read, scans: dict[str, Scan | ValueRange], chosen: dict[Family, Window], file: str) -> Scan:
    """What is remembered of an image of deep grey, under the window of the dataset."""
    scan, values = scans[file], _values(scans[file])
    assert values is not None, "only deep grey comes here"
    window = chosen[values.family]
    if isinstance(scan, Scanned) and scan.window == window:
        return scan
    try:
        return Scanned(digest(np.asarray(decode(read(file), file, chosen))), values, window)
    except UserError as error:
        return error
