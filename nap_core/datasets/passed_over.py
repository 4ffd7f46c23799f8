"""Files that a reader of images passes over: how many of each kind, and some of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

LISTED = 20


@dataclass(frozen=True)
class PassedOver:
    """Files that are not read.

    Attributes:
        kind: what they are: "hidden", "ending in .txt".
        count: how many.
        files: the first ``LISTED`` of them, as paths in the dataset.
    """

    kind: str
    count: int
    files: tuple[str, ...]


class Tally:
    """Counts files by kind."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._files: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, kind: str, file: str) -> None:
        """Count ``file`` among those of ``kind``."""
        self._counts[kind] += 1
        if len(self._files[kind]) < LISTED:
            self._files[kind].append(file)

    def all(self) -> tuple[PassedOver, ...]:
        """What was counted, the most numerous kind first."""
        kinds = sorted(self._counts, key=lambda kind: (-self._counts[kind], kind))
        return tuple(PassedOver(kind, self._counts[kind], tuple(sorted(self._files[kind]))) for kind in kinds)


def sentence(passed_over: tuple[PassedOver, ...]) -> str:
    """How many files of each kind are passed over; empty for none."""
    if not passed_over:
        return ""
    kinds = "; ".join(f"{one.count:,} {one.kind} ({_some(one)})" for one in passed_over)
    return f"Passed over: {kinds}."


def _some(one: PassedOver) -> str:
    return ", ".join(f"“{file}”" for file in one.files[:2]) + (" …" if one.count > 2 else "")
