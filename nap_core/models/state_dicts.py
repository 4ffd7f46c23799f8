"""The state dicts in a checkpoint: which entries hold tensors, in the order in which they are tried."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from nap_core.errors import UserError

ROOT = "root"
"""The name of an entry that is the file's own dictionary."""
DEPTH = 4
_AVERAGED = re.compile(r"(^|[._/-])(ema|swa|averaged?|averaged_model|shadow)($|[._/-])", re.IGNORECASE)
_USUAL = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params")
_OTHER_STATES = re.compile(r"optim|sched|scaler|rng|amp$", re.IGNORECASE)
_WRAPPERS = ("module", "_orig_mod", "model", "net", "network", "backbone", "encoder", "_fsdp_wrapped_module")
# torch puts these names between others: DataParallel and compile() of a part of the network.
_BETWEEN = frozenset(("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"))
_COUNTERS = ("total_ops", "total_params")


@dataclass(frozen=True, eq=False)
class Entry:
    """A dictionary with tensors in it.

    ``path`` are the keys that lead to it, ``tensors`` its tensors by name, ``others`` its further keys.
    """

    path: tuple[str, ...]
    tensors: dict[str, Tensor]
    others: tuple[str, ...]

    @property
    def name(self) -> str:
        """ "state_dict", "model/ema"; ROOT for the file's own dictionary."""
        return "/".join(self.path) or ROOT


def entries(content: Any, source: str) -> tuple[Entry, ...]:
    """The dictionaries with tensors in a checkpoint, the likeliest network first: an average of the weights (EMA)
    before the weights themselves, as timm has it, then the usual names.

    Raises:
        UserError: ``content`` is a list, or has no tensors; the message names the keys that are there. ``source`` is
            the file's name.
    """
    if isinstance(content, list | tuple):
        raise UserError(
            f"{source} holds no state dict but a list of {len(content)}, as of an ensemble's members. "
            "Save one member's state_dict alone."
        )
    found = list(_entries(content, ())) if isinstance(content, Mapping) else []
    if not found:
        keys = [str(key) for key in content] if isinstance(content, Mapping) else []
        what = f"its entries are {named(keys)}" if keys else f"it is {_kind(content)}"
        raise UserError(
            f"{source} holds no state dict: {what}. Expected is a dict of tensors, plain or below an entry as "
            "'state_dict', 'model' or 'net'."
        )
    return tuple(sorted(found, key=lambda entry: _rank(entry.name)))


def _kind(content: Any) -> str:
    return "empty" if isinstance(content, Mapping) else f"a {type(content).__name__}"


def _entries(content: Mapping[Any, Any], path: tuple[str, ...]) -> Iterator[Entry]:
    tensors = {key: value for key, value in content.items() if isinstance(key, str) and isinstance(value, Tensor)}
    if tensors:
        yield Entry(path, tensors, tuple(str(key) for key in content if key not in tensors))
    if len(path) < DEPTH:
        for key, value in content.items():
            if isinstance(value, Mapping) and not _OTHER_STATES.search(str(key)):
                yield from _entries(value, (*path, str(key)))


def is_averaged(name: str) -> bool:
    """Whether the name of an entry or prefix says that the weights are an average over the training (EMA, SWA)."""
    return bool(_AVERAGED.search(name))


def _rank(name: str) -> tuple[bool, int]:
    last = name.rpartition("/")[2]
    return not is_averaged(name), _USUAL.index(last) if last in _USUAL else -1 if name == ROOT else len(_USUAL)


def without_counters(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], int]:
    """The tensors without what profilers (thop) and averages add, and the number of those."""
    kept = {name: value for name, value in tensors.items() if name.rpartition(".")[2] not in (*_COUNTERS, "n_averaged")}
    return kept, len(tensors) - len(kept)


def spellings(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, str]]:
    """Ways to read the names: as they are, without what torch puts between names, without any wrapper's name.

    Each is a mapping from the new name to the one in the file; a way that makes two names equal is left out.
    """
    tried: list[dict[str, str]] = []
    for rename in (str, _squeezed, _unwrapped):
        names = {rename(name): name for name in tensors}
        if len(names) == len(tensors) and names not in tried:
            tried.append(names)
            yield names


def _squeezed(name: str) -> str:
    *parts, last = name.split(".")
    return ".".join((*(part for part in parts if part not in _BETWEEN), last))


def _unwrapped(name: str) -> str:
    parts = _squeezed(name).split(".")
    while len(parts) > 2 and parts[0] in _WRAPPERS:
        parts.pop(0)
    return ".".join(parts)


def prefixes(names: Mapping[str, str], at_least: int) -> tuple[str, ...]:
    """The prefixes of at least that many names, each with its last dot, averages first, then the shortest."""
    counts = Counter(
        prefix for name in names for prefix in (name[: place + 1] for place, letter in enumerate(name) if letter == ".")
    )
    large = [prefix for prefix, count in counts.items() if count >= at_least]
    return tuple(sorted(("", *large), key=lambda prefix: (not is_averaged(prefix), len(prefix))))


def named(names: list[str] | tuple[str, ...], most: int = 4) -> str:
    """ "“epoch”, “optimizer” and 3 more"."""
    shown = ", ".join(f"“{name}”" for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
