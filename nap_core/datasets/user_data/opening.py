"""How a dataset of a user's is opened, whatever its format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nap_core.datasets.passed_over import PassedOver
from nap_core.datasets.user_data.walking import Allowed


@dataclass(frozen=True)
class Opening:
    """Title, progress, cache and allowed folders.

    Attributes:
        title: the dataset's title; None for the name of its file or folder.
        progress: called with (done, total) while images are looked at.
        cache: a folder that stores the look at encoded images; None for no cache.
        allowed: folders in which the targets of links must lie; None for anywhere.
        limit: how many encoded images are wanted at most, the first ones of the order; None for all. All are opened
            nevertheless where the cache has them, or where one window for grey of more than 8 bits has to be chosen.
    """

    title: str | None = None
    progress: Callable[[int, int], None] | None = None
    cache: Path | None = None
    allowed: Allowed = None
    limit: int | None = None


@dataclass(frozen=True)
class Contents:
    """What is stated of a dataset before it is opened.

    Attributes:
        size: number of images.
        classes: class names.
        passed_over: files that are no images.
    """

    size: int
    classes: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
