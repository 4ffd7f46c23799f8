"""Records every module's input and output shapes during one forward pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nap_core.models.attention_hook import AttentionHook
from nap_core.models.feature_hook import FeatureHook

IMAGES = 2
Form = Literal["map", "channels last", "tokens"]


@dataclass(frozen=True, eq=False)
class MapNote:
    """Statistics of a feature map (B, C, H, W).

    ``shape`` is (C, H, W); ``mean`` and ``rectified_mean`` (B, C) are means over H × W of the map and of the map cut at
    zero; ``lowest`` is the smallest value.
    """

    form: Form
    shape: tuple[int, int, int]
    mean: Tensor
    rectified_mean: Tensor
    lowest: float

    @classmethod
    def of(cls, value: Tensor, form: Form) -> MapNote:
        """The statistics of ``value`` (B, …), computed at once."""
        feature_map = as_map(value, form)
        _, channels, height, width = feature_map.shape
        means = feature_map.mean((2, 3)), feature_map.clamp(min=0).mean((2, 3))
        return cls(form, (channels, height, width), *means, float(feature_map.min()))


@dataclass(frozen=True, eq=False)
class Run:
    """A module's last call.

    ``started`` and ``ended`` are positions in the order of all calls, ``count`` is the number of calls, ``shape`` the
    output's shape without the batch, ``map`` the output read as a feature map. ``pooled`` is the input's map if the
    output is its spatial mean. ``entered`` is the first input if it is a vector, (B, D); ``linear`` is the output
    (B, K) of a linear layer. ``leaf`` is the module itself if it has no submodules.
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
    leaf: nn.Module | None

    @cached_property
    def has_small_floor(self) -> bool:
        """Whether the module is an activation function that lets no more than a little below zero through."""
        return self.leaf is not None and has_small_floor(self.leaf)


class ModuleTrace:
    """The last call of every module that ran, and the map at a hook.

    Values are copied or reduced at once: in-place layers overwrite earlier outputs.
    """

    def __init__(self) -> None:
        self.hooked: MapNote | None = None
        self._runs: dict[str, Run] = {}
        self._starts: dict[str, list[int]] = {}
        self._clock = 0

    @property
    def by_start(self) -> list[Run]:
        """In the order in which they started: a module comes before its submodules."""
        return sorted(self._runs.values(), key=lambda run: run.started)

    @property
    def by_end(self) -> list[Run]:
        """In the order in which they ended: a module comes after its submodules."""
        return sorted(self._runs.values(), key=lambda run: run.ended)

    @contextmanager
    def capture(self, network: nn.Module, hook: FeatureHook | AttentionHook | None = None) -> Iterator[None]:
        """While the context is open, calls are recorded, and the unrectified map at ``hook`` as ``hooked``."""
        with ExitStack() as open_hooks:
            if hook:
                whole = replace(hook, rectified=False) if isinstance(hook, FeatureHook) else hook
                open_hooks.enter_context(whole.capture(network, self._record_hooked))
            for name, module in network.named_modules():
                if name:
                    open_hooks.callback(module.register_forward_pre_hook(self._start(name)).remove)
                    open_hooks.callback(module.register_forward_hook(self._end(name)).remove)
            yield

    def _record_hooked(self, value: Tensor) -> None:
        self.hooked = MapNote.of(value, "map") if value.ndim == 4 else None

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
                None if next(module.children(), None) else module,
            )

        return note


FLOOR, FAR, BACK = -0.4, -50.0, 0.01
"""The lowest floor of an activation function whose maps are read as they are, and where it is back at zero."""


def has_small_floor(module: nn.Module) -> bool:
    """Whether a module is a function of each value that stays above −0.4 and is back at about 0 at −50.

    ReLU, SiLU, GELU, Hardswish and Mish are; LeakyReLU, ELU, PReLU, SELU and CELU are not, nor layers with weights.
    """
    values = torch.linspace(FAR, 0, 1001)
    try:
        with torch.no_grad():
            floor = module.forward(values.clone())  # not a call: hooks are set on the module
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, AssertionError, NotImplementedError):
        return False
    if not isinstance(floor, Tensor) or floor.shape != values.shape:
        return False
    return bool(floor.min() >= FLOOR and floor[0].abs() < BACK)


def _per_image(value: object) -> Tensor | None:
    """The value if it is a float tensor with a row an image; None for other inputs and outputs."""
    fits = isinstance(value, Tensor) and value.ndim > 1 and len(value) == IMAGES and value.is_floating_point()
    return value if isinstance(value, Tensor) and fits else None


def _is_vector(value: Tensor) -> bool:
    return value[0].numel() == max(value.shape[1:])


def _pooled(given: Tensor, out: Tensor) -> MapNote | None:
    """The input map of a global average pooling; None for other modules."""
    if given.ndim != 4 or not _is_vector(out) or out.numel() >= given.numel():
        return None
    forms: tuple[Form, Form] = ("map", "channels last")
    notes = (MapNote.of(given, form) for form in forms)
    return next((note for note in notes if equal(note.mean, out.flatten(1))), None)


def _linear(module: nn.Module, given: Tensor, out: Tensor) -> Tensor | None:
    """The output (B, K) of a module that computes exactly a linear layer."""
    if not isinstance(module, nn.Linear) or given.ndim != 2:
        return None
    return out.clone() if same(F.linear(given, module.weight, module.bias), out) else None


def equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors agree up to rounding; False for tensors of zeros, which would match by chance."""
    if one.shape != other.shape:
        return False
    scale = float(one.abs().max())
    return scale > 0 and torch.allclose(one, other, rtol=1e-4, atol=1e-4 * scale)


def same(output: Tensor, logits: Tensor) -> bool:
    """As ``equal``, but True for two tensors of zeros: an untrained head may output nothing else."""
    return equal(output, logits) or torch.equal(output, logits)


def form_of(output: Tensor) -> Form | None:
    """The layout in which an output (B, …) is a feature map; None if it is not one.

    Images and maps are square; (B, H, H, C) with C ≠ H has its channels last. Of tokens (B, N, D) the last g², with
    g = ⌊√N⌋, are patches; the class token and similar ones come before them.
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
    """An output of that layout → the feature map (B, C, H, W)."""
    return FeatureHook("", channels_last=form == "channels last", tokens=form == "tokens").as_map(value)
