"""The parts of a path that are datasets of their own: splits, severities. One of them is read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nap_core.errors import UserError

_SPLITS = (
    ("test", re.compile(r"(?i)test(ing)?(_?set)?")),
    ("val", re.compile(r"(?i)(val(id(ation)?)?|dev|eval(uation)?)(_?set)?")),
    ("train", re.compile(r"(?i)(train(ing)?)(_?set)?")),
)
"""Kinds of splits, in the order in which one is read where a format has a usual one, and how they are written."""

_NAMED = 5


@dataclass(frozen=True)
class Parts:
    """The parts of a path; no names for a path that is one dataset.

    Attributes:
        names: as the path has them.
        what: what they are.
        usual: the one that is read where nothing was said; "" where one has to be said.
    """

    names: tuple[str, ...] = ()
    what: Literal["split", "severity", "column"] = "split"
    usual: str = ""

    def chosen(self, wanted: str, path: str) -> tuple[str, tuple[str, ...]]:
        """The part that ``wanted`` means, and a sentence where nothing was said.

        Another spelling of a split is understood ("validation" for "val"). Raises UserError where ``path`` has no such
        part, and where one has to be said.
        """
        if not self.names and not wanted:
            return "", ()
        if not self.names:
            raise UserError(f"“{path}” has no splits: leave “:{wanted}” out.")
        if wanted:
            kind = _kind(wanted)
            meant = [name for name in self.names if name.lower() == wanted.lower()]
            meant = meant or [name for name in self.names if kind and _kind(name) == kind]
            if len(meant) == 1:
                return meant[0], ()
            raise UserError(f"“{path}” has no {self.what} “{wanted}”. {self._listed(path)}")
        if len(self.names) == 1:
            return self.names[0], ()
        if self.usual:
            left = [f":{name}" for name in self.names if name != self.usual]
            others = " or ".join(left[:_NAMED]) + (" …" if len(left) > _NAMED else "")
            note = f"Its {self.what} “{self.usual}” is read; write {others} behind the name for another."
            return self.usual, (note,)
        raise UserError(f"“{path}” holds more than one {self.what}. {self._listed(path)}")

    def _listed(self, path: str) -> str:
        return f"Name one of them: {', '.join(f'{path}:{name}' for name in self.names)}."


def usual_split(names: tuple[str, ...]) -> str:
    """The split that is read where nothing was said: the first of test, val and train that ``names`` has."""
    return min(names, key=lambda name: [kind for kind, _ in _SPLITS].index(_kind(name)), default="")


def split_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names among ``names`` that are those of splits."""
    return tuple(name for name in names if _kind(name))


def split_kinds(names: Iterable[str]) -> set[str]:
    """The kinds of splits among ``names``: "test", "val", "train"."""
    return {kind for kind in map(_kind, names) if kind}


def _kind(name: str) -> str:
    return next((kind for kind, pattern in _SPLITS if pattern.fullmatch(name)), "")
