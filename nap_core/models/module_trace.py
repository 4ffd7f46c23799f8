"""Notes of every module that runs while a few images pass through a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nap_core.models.attention_hook import AttentionTap
from nap_core.models.feature_hook import FeatureHook

IMAGES = 2
Form = Literal["map", "channels last", "tokens"]


@dataclass(frozen=True, eq=False)
class MapNote:
    """A map of the images, (B, C, H, W) or what can be read as one: channels, height and width; its means over H × W
    as it is and cut at zero, (B, C); its smallest value."""

    form: Form
    shape: tuple[int, int, int]
    mean: Tensor
    rectified_mean: Tensor
    lowest: float

    @classmethod
    def of(cls, value: Tensor, form: Form) -> MapNote:
        """What is noted of ``value`` (B, …), as it is at this moment."""
        found = as_map(value, form)
        _, channels, height, width = found.shape
        means = found.mean((2, 3)), found.clamp(min=0).mean((2, 3))
        return cls(form, (channels, height, width), *means, float(found.min()))


@dataclass(frozen=True, eq=False)
class Run:
    """A module's last run: when it started and ended, the shape of its output for one image, the map in it if any.

    ``pooled`` is the map that entered, where the output is its mean. ``entered`` is the first input where that is a
    vector, (B, D), and ``linear`` the output (B, K) of a linear layer. ``count`` is how often it ran.
    """

    name: str
    kind: str
    started: int
    ended: int
    count: int
    shape: tuple[int, ...]
    map: MapNote | None
    pooled: MapNote | None
    entered: Tensor | None
    linear: Tensor | None
    is_activation: bool


class ModuleTrace:
    """All modules that ran, each with its last run.

    What is noted is copied or reckoned at once: a later layer may write over what an earlier one put out.
    """

    def __init__(self) -> None:
        self.tapped: MapNote | None = None
        self._runs: dict[str, Run] = {}
        self._starts: dict[str, list[int]] = {}
        self._clock = 0

    @property
    def by_start(self) -> list[Run]:
        """In the order in which they started: a module comes before its parts."""
        return sorted(self._runs.values(), key=lambda run: run.started)

    @property
    def by_end(self) -> list[Run]:
        """In the order in which they ended: a module comes after its parts."""
        return sorted(self._runs.values(), key=lambda run: run.ended)

    @contextmanager
    def watching(self, network: nn.Module, hook: FeatureHook | AttentionTap | None = None) -> Iterator[None]:
        """While the context is open, runs are noted, and the map at ``tap``, not yet rectified, as ``tapped``."""
        with ExitStack() as open_hooks:
            if hook:
                whole = replace(hook, rectified=False) if isinstance(hook, FeatureHook) else hook
                open_hooks.enter_context(whole.reading(network, self._tap))
            for name, module in network.named_modules():
                if name:
                    open_hooks.callback(module.register_forward_pre_hook(self._start(name)).remove)
                    open_hooks.callback(module.register_forward_hook(self._end(name)).remove)
            yield

    def _tap(self, found: Tensor) -> None:
        self.tapped = MapNote.of(found, "map") if found.ndim == 4 else None

    def _start(self, name: str) -> Callable[[nn.Module, Any], None]:
        def note(_module: nn.Module, _inputs: object) -> None:
            self._clock += 1
            self._starts.setdefault(name, []).append(self._clock)

        return note

    def _end(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def note(module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
            self._clock += 1
            given, out = _per_image(inputs[0] if inputs else None), _per_image(output)
            form = None if out is None else form_of(out)
            starts = self._starts[name]
            self._runs[name] = Run(
                name,
                type(module).__name__,
                starts[-1],
                self._clock,
                len(starts),
                () if out is None else tuple(out.shape[1:]),
                MapNote.of(out, form) if out is not None and form else None,
                None if given is None or out is None else _pooled(given, out),
                given.flatten(1).clone() if given is not None and _is_vector(given) else None,
                None if given is None or out is None else _linear(module, given, out),
                "activation" in type(module).__module__.rsplit(".", 1)[-1],
            )

        return note


def _per_image(value: object) -> Tensor | None:
    """What holds numbers for each of the images; None for anything else that modules take and give."""
    fits = isinstance(value, Tensor) and value.ndim > 1 and len(value) == IMAGES and value.is_floating_point()
    return value if isinstance(value, Tensor) and fits else None


def _is_vector(value: Tensor) -> bool:
    return value[0].numel() == max(value.shape[1:])


def _pooled(given: Tensor, out: Tensor) -> MapNote | None:
    """The map that entered a global pooling; None for what pools otherwise or not at all."""
    if given.ndim != 4 or not _is_vector(out) or out.numel() >= given.numel():
        return None
    forms: tuple[Form, Form] = ("map", "channels last")
    notes = (MapNote.of(given, form) for form in forms)
    return next((note for note in notes if equal(note.mean, out.flatten(1))), None)


def _linear(module: nn.Module, given: Tensor, out: Tensor) -> Tensor | None:
    """The output (B, K) of a linear layer that is no more than that."""
    if not isinstance(module, nn.Linear) or given.ndim != 2:
        return None
    return out.clone() if same(F.linear(given, module.weight, module.bias), out) else None


def equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same but for rounding; zeros all over equal nothing."""
    if one.shape != other.shape:
        return False
    scale = float(one.abs().max())
    return scale > 0 and torch.allclose(one, other, rtol=1e-4, atol=1e-4 * scale)


def same(output: Tensor, logits: Tensor) -> bool:
    """As ``equal``, and zeros are the same as zeros: a head that has not been trained may give nothing else."""
    return equal(output, logits) or torch.equal(output, logits)


def form_of(output: Tensor) -> Form | None:
    """How an output (B, …) can be read as a map, None where it cannot: it has no extent, or no channels.

    Images are square, and so are their maps; of (B, H, H, C) with C ≠ H the channels come last. Of tokens
    (B, N, D) the last g² with g = ⌊√N⌋ are those of the patches, after a class token or a few more.
    """
    if output.ndim == 4:
        _, first, second, third = output.shape
        if first == second != third and first > 1:
            return "channels last"
        return "map" if second == third > 1 else None
    if output.ndim == 3:
        tokens = output.shape[1]
        side = math.isqrt(tokens)
        return "tokens" if side > 1 and tokens - side**2 <= side else None
    return None


def as_map(value: Tensor, form: Form) -> Tensor:
    """An output in that form → the map (B, C, H, W)."""
    return FeatureHook("", channels_last=form == "channels last", tokens=form == "tokens").turned(value)
