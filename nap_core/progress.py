"""How far a long piece of work is, and how it says that it was stopped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a pass or a download stands.

    ``done`` of ``total`` are counted in ``unit``: "images" of a pass, "bytes" of a download, "packed bytes" of an
    archive that is unpacked. ``images_per_second`` is the speed in that unit and ``seconds_left`` what is left at it.
    A ``total`` of 0 is one that nobody knows. ``dataset`` is the title of what is worked on.
    """

    dataset: str
    done: int
    total: int
    images_per_second: float
    seconds_left: float
    unit: str = "images"


class ExtractionStopped(Exception):  # noqa: N818 - a wish was met, nothing went wrong
    """The work was stopped on request; what it had finished is kept, and the same call goes on from there."""
