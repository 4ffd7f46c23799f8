"""The state dict that is taken from a checkpoint, what else would fit, and what was left: said in sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nap_core.errors import UserError
from nap_core.models import fitting, state_dicts
from nap_core.models.architectures import Architecture
from nap_core.models.fitting import Fit, Misfit
from nap_core.models.state_dicts import ROOT, named


@dataclass(frozen=True, eq=False)
class Choice:
    """A state dict of a file.

    ``fit`` is what is taken, ``name`` its entry's name, ``names`` are the names of all entries that fit, the one that
    is taken by default first, and ``keys`` are the keys of the file's own dictionary.
    """

    fit: Fit
    name: str
    names: tuple[str, ...]
    keys: tuple[str, ...]

    def identity(self, sha256: str) -> str:
        """What identifies the weights: the file's digest, and the entry where several of the file fit."""
        if len(self.names) == 1:
            return sha256
        return hashlib.sha256(f"{sha256} {self.name}".encode()).hexdigest()

    def notes(self) -> tuple[str, ...]:
        """What was taken and what was left, a sentence each; empty for a plain state dict."""
        return tuple(filter(None, (self._taken(), self._prefix(), self._left(), self._head(), self._stem())))

    def _taken(self) -> str:
        others = tuple(name for name in self.names if name != self.name)
        if self.name == ROOT and not others:
            return ""
        averaged = ", an average of the weights over the training" if self.fit.is_averaged else ""
        also = f"; {named(others)} {_verb(others, 'fits', 'fit')} as well and {_verb(others)} left" if others else ""
        return f"Taken is entry “{self.name}”{averaged}{also}."

    def _prefix(self) -> str:
        removed = tuple(dict.fromkeys(filter(None, (self.fit.prefix, *(f"{part}." for part in self.fit.parts)))))
        return f"{named(removed)} {_verb(removed)} removed from the names." if removed else ""

    def _left(self) -> str:
        path = self.fit.entry.path
        beside = [key for key in self.keys if path and key != path[0] and key not in self.names]
        counters = [f"{self.fit.counters:,} counters"] if self.fit.counters else []
        left = (*beside, *self.fit.left)
        words = [*([named(left)] if left else []), *counters]
        if not words:
            return ""
        things = (*left, *(["counters"] * min(self.fit.counters, 2)))
        return f"Left {_verb(things)} {' and '.join(words)}."

    def _head(self) -> str:
        if self.fit.head is None:
            return ""
        old, new = self.fit.head
        return f"The file's last layer “{old}” is the network's “{new}”: it has its shape, and its place was free."

    def _stem(self) -> str:
        if not self.fit.stem:
            return ""
        if self.fit.state[self.fit.stem].shape[1] == 1:
            return (
                f"The first layer, “{self.fit.stem}”, has one input channel in the file; it was repeated over three "
                "and divided by 3, so that images are read as the mean of their channels."
            )
        return (
            f"The first layer, “{self.fit.stem}”, has three input channels in the file; they were summed to the "
            "network's one."
        )


def _verb(things: tuple[str, ...], one: str = "is", more: str = "are") -> str:
    return one if len(things) == 1 else more


def choose(architecture: Architecture, content: Any, source: str, entry: str = "") -> Choice | Misfit:
    """Choose the state dict of a checkpoint that fits an architecture.

    Args:
        architecture: the architecture.
        content: what ``checkpoint_files.read`` gives.
        source: the file's name.
        entry: the name of an entry; "" for the first one that fits, averages (EMA) first.

    Returns:
        The choice; where nothing fits, why the closest state dict does not.

    Raises:
        UserError: the file has no tensors, or ``entry`` is none of those that fit.
    """
    found: list[Fit] = []
    closest: Misfit | None = None
    for one in state_dicts.entries(content, source):
        fits, misfit = fitting.fits(architecture, one)
        found.extend(fits)
        if misfit and (closest is None or misfit.right > closest.right):
            closest = misfit
    if not found:
        return closest or Misfit(architecture.counts_classes, {}, 0)
    found.sort(key=lambda fit: not fit.is_averaged)
    by_name = _by_name(found)
    name = entry or next(iter(by_name))
    if name not in by_name:
        raise UserError(
            f"{source} has no entry “{entry}” that fits {architecture.title}. There is {named(tuple(by_name))}."
        )
    keys = tuple(str(key) for key in content) if isinstance(content, Mapping) else ()
    return Choice(by_name[name], name, tuple(by_name), keys)


def _by_name(fits: list[Fit]) -> dict[str, Fit]:
    """The fits by their entry's name; those of one entry have the prefix behind it."""
    names = [fit.entry.name for fit in fits]
    by_name: dict[str, Fit] = {}
    for fit, name in zip(fits, names, strict=True):
        if names.count(name) > 1 and fit.prefix:
            name = "/".join((*fit.entry.path, fit.prefix.rstrip(".")))
        by_name.setdefault(name, fit)
    return by_name
