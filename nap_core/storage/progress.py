"""How far a long piece of work is, and how it says that it was stopped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a pass or a download stands.

    ``done`` of ``total`` are counted in ``unit``: "images" of a pass, "bytes" of a download, "packed bytes" of an
    archive that is unpacked. ``speed`` is in that unit a second, ``seconds_left`` what is left at it. A ``total`` of 0
    is one that nobody knows. ``title`` is that of the dataset or file that is worked on.
    """

    title: str
    done: int
    total: int
    speed: float
    seconds_left: float
    unit: str = "images"


class ExtractionStopped(Exception):  # noqa: N818 - a wish was met, nothing went wrong
    """The work was stopped on request; what it had finished is kept, and the same call goes on from there."""
