"""Which state dict of a checkpoint fits an architecture, and what is done to it. Nothing is loaded here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from nap_core.models import state_dicts
from nap_core.models.architectures import Architecture
from nap_core.models.state_dicts import Entry

COUNTED = "num_batches_tracked"
"""A counter that evaluation never reads, and old files lack."""
_COLOURS = 3
_LOSS = re.compile(r"(criterion|criteria|loss|metrics?)(_\w+)?|\w+_(loss|criterion|metrics?)|(train|val|test)_\w+")
_HEADS = re.compile(r"(.*\.)?(fc|linear|classifier|head|last_linear|output|logits|lin|cls)(\.\d+)?")


@dataclass(frozen=True, eq=False)
class Fit:
    """A state dict that fits an architecture.

    Attributes:
        entry: where it lies in the file.
        prefix: what is removed from the names' start, "" for nothing.
        parts: further parts of names that are removed, as “module” between others.
        state: the tensors by the network's own names, and the stem as it is in the file.
        classes: number of classes K.
        left: names of the entry's tensors that are not the network's.
        counters: number of tensors that profilers and averages add.
        head: the file's name of the last layer where it was matched by its place, and the network's; None if equal.
        stem: the name of the first layer's weight where its number of input channels is another than the network's.
    """

    entry: Entry
    prefix: str
    parts: tuple[str, ...]
    state: dict[str, Tensor]
    classes: int
    left: tuple[str, ...]
    counters: int
    head: tuple[str, str] | None
    stem: str

    @property
    def is_averaged(self) -> bool:
        """Whether the weights are an average over the training, by their name or by torch's counter of averages."""
        return state_dicts.is_averaged(f"{self.entry.name}/{self.prefix}") or "n_averaged" in self.entry.tensors


@dataclass(frozen=True)
class Misfit:
    """Why a state dict does not fit.

    ``head`` is the entry that counts the classes if it is missing, else "". ``faults`` are names by what is wrong with
    them, ``right`` is the number of names that are right.
    """

    head: str
    faults: dict[str, list[str]]
    right: int

    def sentence(self) -> str:
        """ "2 missing (bn1.weight, fc.bias); 1 unexpected (extra)"."""
        return "; ".join(
            f"{len(names)} {what} ({', '.join(names[:3])}{' …' if len(names) > 3 else ''})"
            for what, names in self.faults.items()
            if names
        )


@dataclass(frozen=True, eq=False)
class _Matched:
    state: dict[str, Tensor]
    classes: int
    left: tuple[str, ...]
    head: tuple[str, str] | None
    stem: str


def built(architecture: Architecture, classes: int) -> nn.Module:
    """The network without weights: shapes without memory, where the architecture can be built so.

    One network serves all files where the architecture does not adapt it to a file.
    """
    adapts = architecture.adapted is not Architecture.__dataclass_fields__["adapted"].default
    return _new(architecture, classes) if adapts else _shared(architecture, classes)


@lru_cache(maxsize=64)
def _shared(architecture: Architecture, classes: int) -> nn.Module:
    return _new(architecture, classes)


def _new(architecture: Architecture, classes: int) -> nn.Module:
    try:
        with torch.device("meta"):
            return architecture.build(classes)
    except (RuntimeError, NotImplementedError):  # some networks compute with values while they are built
        return architecture.build(classes)


@lru_cache(maxsize=256)
def required(architecture: Architecture) -> int:
    """The number of tensors that a file must have at least."""
    return sum(not name.endswith(COUNTED) for name in built(architecture, _COLOURS).state_dict())


def fits(architecture: Architecture, entry: Entry) -> tuple[list[Fit], Misfit | None]:
    """The ways in which an entry's tensors fit an architecture, one for each prefix, averages first.

    Returns:
        The ways; and where there is none, why the closest one does not fit.

    Raises:
        UserError: the architecture cannot be given the sizes that the file has.
    """
    tensors, counters = state_dicts.without_counters(entry.tensors)
    closest: Misfit | None = None
    for spelling in state_dicts.spellings(tensors):
        found: list[Fit] = []
        for prefix in state_dicts.prefixes(spelling, required(architecture)):
            names = {name.removeprefix(prefix): old for name, old in spelling.items() if name.startswith(prefix)}
            matched = _matched(architecture, {name: tensors[old] for name, old in names.items()})
            if isinstance(matched, Misfit):
                closest = matched if closest is None or matched.right > closest.right else closest
                continue
            outside = [name for name in tensors if name not in names.values()]
            found.append(
                Fit(
                    entry=entry,
                    prefix=prefix,
                    parts=_parts_removed(names),
                    state=matched.state,
                    classes=matched.classes,
                    left=(*outside, *matched.left, *entry.others),
                    counters=counters,
                    head=matched.head,
                    stem=matched.stem,
                )
            )
        if found:
            return found, None
    return [], closest


def _parts_removed(names: Mapping[str, str]) -> tuple[str, ...]:
    """The parts of names that a spelling leaves out, each once."""
    removed = dict[str, None]()
    for new, old in names.items():
        parts = old.split(".")
        for part in new.split("."):
            removed.update(dict.fromkeys(parts[: parts.index(part)]))
            del parts[: parts.index(part) + 1]
    return tuple(removed)


def _matched(architecture: Architecture, tensors: Mapping[str, Tensor]) -> _Matched | Misfit:
    state = {architecture.renamed(name): value for name, value in tensors.items()}
    if len(state) < len(tensors):
        return Misfit("", {"that would get the name of another": sorted(tensors)}, 0)
    counts, head = architecture.counts_classes, None
    if counts not in state:
        placed = _placed_head(architecture, state)
        if placed is None:
            return Misfit(counts, {}, len(state.keys() & built(architecture, _COLOURS).state_dict().keys()))
        head = placed, counts.removesuffix(".weight")
        state = {_with_head(name, *head): value for name, value in state.items()}
    if state[counts].ndim < 2:
        return Misfit(counts, {}, 0)
    network = built(architecture, len(state[counts]))
    architecture.adapted(network, state)
    wanted = network.state_dict()
    left = tuple(name for name in state if name not in wanted and _LOSS.fullmatch(name.split(".")[0]))
    state = {name: value for name, value in state.items() if name not in left}
    stem = _stem(wanted, state)
    misfit = compare(wanted, state, stem)
    return _Matched(state, len(state[counts]), left, head, stem) if misfit is None else misfit


def compare(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor], stem: str = "") -> Misfit | None:
    """What is missing, unexpected and of another shape in ``state``; None if it fits. ``stem`` may have any shape."""
    missing = sorted(name for name in wanted.keys() - state.keys() if not name.endswith(COUNTED))
    unexpected = sorted(state.keys() - wanted.keys())
    shared = wanted.keys() & state.keys()
    misshapen = sorted(name for name in shared if wanted[name].shape != state[name].shape and name != stem)
    if not (missing or unexpected or misshapen):
        return None
    faults = {"missing": missing, "unexpected": unexpected, "of another shape": misshapen}
    return Misfit("", faults, len(shared) - len(misshapen))


def _placed_head(architecture: Architecture, state: Mapping[str, Tensor]) -> str | None:
    """The file's name of the last layer, if it alone has another name than the network's and has its shape."""
    network = built(architecture, _COLOURS)
    architecture.adapted(network, state)
    wanted = network.state_dict()
    own = architecture.counts_classes.removesuffix(".weight")
    missing = {name for name in wanted.keys() - state.keys() if not name.endswith(COUNTED)}
    unexpected = {name for name in state.keys() - wanted.keys() if not _LOSS.fullmatch(name.split(".")[0])}
    other = next(iter(unexpected), "").rpartition(".")[0]
    if not missing or not _HEADS.fullmatch(other) or unexpected != {_with_head(name, own, other) for name in missing}:
        return None
    weight = state.get(f"{other}.weight")
    return other if weight is not None and weight.shape[1:] == wanted[f"{own}.weight"].shape[1:] else None


def _with_head(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old) if name.startswith(f"{old}.") else name


def _stem(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """The first convolution, if the file's has one input channel and the network's three, or the other way round."""
    first = next((name for name, value in wanted.items() if value.ndim == 4), "")
    if first not in state or state[first].ndim != 4:
        return ""
    own, other = wanted[first].shape, state[first].shape
    same = own[0] == other[0] and own[2:] == other[2:]
    return first if same and {own[1], other[1]} == {1, _COLOURS} else ""


def with_stem(weight: Tensor, channels: int) -> Tensor:
    """A first convolution (O, 1 or 3, h, w) for another number of input channels, as timm converts it.

    To one channel it is summed. To three it is repeated and divided by three, so that grey images, whose three
    channels are equal, give what they gave.
    """
    if channels == 1:
        return weight.float().sum(1, keepdim=True)
    return weight.float().repeat(1, channels, 1, 1) / channels
