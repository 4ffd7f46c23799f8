"""What one look at a running network finds: its modules with their shapes, its global pooling, its linear head.

    >>> anatomy = dissect(network, side=224)
    >>> anatomy.sentence()
    'Found: the map that enters “avgpool”, 512 channels of 7 × 7; the last layer, “fc”, reads its mean.'

Nothing is looked up by name: two random images go through the network once, and what each module makes of them tells
which map is averaged and which layer gives the logits.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nap_core.errors import UserError
from nap_core.models.attention_hook import AttentionTap
from nap_core.models.feature_hook import FeatureHook
from nap_core.models.module_trace import IMAGES, Form, MapNote, ModuleTrace, Run, equal, same

STAGES = 4
# What torch and networks were seen to raise on inputs that they do not take.
_REFUSED = (RuntimeError, ValueError, TypeError, AssertionError, LookupError, AttributeError)


class ImagesRefusedError(UserError):
    """The network does not take images of that size."""


@dataclass(frozen=True)
class Layer:
    """A module that puts out a map: dotted name, class, and the map's channels, height and width.

    ``rectified`` is True for a map that goes below zero and comes from no activation function: it is then cut at zero.
    ``feeds_head`` is True where the map's mean, as it is read, is what the head reads.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    form: Form
    rectified: bool
    feeds_head: bool

    @property
    def hook(self) -> FeatureHook:
        """Where the map is read."""
        last, tokens = self.form == "channels last", self.form == "tokens"
        return FeatureHook(self.name, channels_last=last, tokens=tokens, rectified=self.rectified)

    def describe(self) -> str:
        """ "layer3 · 256 × 14 × 14"."""
        return f"{self.name} · {' × '.join(f'{size:,}' for size in self.shape)}"


@dataclass(frozen=True)
class NetworkStructure:
    """What was found in a network.

    ``layers`` are the modules that put out a map, in the order in which they started: a module comes before its parts.
    ``tap`` is where the penultimate map is read, ``shape`` that map's channels, height and width; ``averaged`` is True
    where the network goes on with its mean alone. ``head`` is the last linear layer if its output is the logits, else
    empty; it reads ``features`` values, the map's mean where ``head_on_mean``. ``stages`` are the last modules at each
    of the smallest sizes of map, the earliest first. ``classes`` is the number of logits.
    """

    layers: tuple[Layer, ...]
    hook: FeatureHook | AttentionTap
    shape: tuple[int, int, int]
    averaged: bool
    head: str
    head_on_mean: bool
    features: int
    classes: int
    stages: tuple[str, ...]

    def layer(self, name: str) -> Layer:
        """The layer called ``name``. Raises UserError when none that puts out a map is called so."""
        found = next((layer for layer in self.layers if layer.name == name), None)
        if found is None:
            some = ", ".join(layer.name for layer in self.layers[-3:])
            raise UserError(f"The network has no layer “{name}” that puts out a map. The last that do are {some}.")
        return found

    def sentence(self) -> str:
        """What was found, in a sentence."""
        return f"{self._map()}; {self._head()}."

    def _map(self) -> str:
        channels, height, width = self.shape
        if isinstance(self.hook, AttentionTap):
            return f"Found: the {self.hook}, {height} × {width} patches of {channels - 1:,} heads, their mean first"
        size = f"{channels:,} channels of {height} × {width}{', cut at zero' if self.hook.rectified else ''}"
        where = "enters" if self.hook.side == "input" else "leaves"
        what = f"{'map of patch tokens' if self.hook.tokens else 'map'} that {where}"
        if self.averaged:
            return f"Found: the {what} “{self.hook.module}”, {size}"
        return f"Found no global pooling; read is the last {what} “{self.hook.module}”, {size}"

    def _head(self) -> str:
        if not self.head:
            return "no linear layer gives the logits, so methods that need its weights cannot run"
        if self.head_on_mean:
            return f"the last layer, “{self.head}”, reads its mean"
        what = f"{self.features:,} values that are not its mean, and these are kept as well"
        return f"the last layer, “{self.head}”, reads {what}"


def inspect_network(network: nn.Module, side: int, hook: FeatureHook | AttentionTap | None = None) -> NetworkStructure:
    """Look at ``network`` while two random images (3, side, side) pass through it once, in evaluation mode.

    Nobody else may use the network meanwhile: hooks are set on its modules, and taken off again. Its mode, its weights
    and torch's random numbers stay as they were. ``tap`` is where the penultimate map is read, None to find it. Raises
    ImagesRefusedError for a network that does not take the images, UserError for one that has no map or does not answer
    each image with a row of logits.
    """
    _takes_one_input(network)
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    pixels = torch.randn((IMAGES, 3, side, side), generator=torch.Generator().manual_seed(0)).to(device)
    runs, training = ModuleTrace(), {name: module.training for name, module in network.named_modules()}
    try:
        with torch.no_grad(), runs.watching(network.eval(), hook):
            logits = _answer(network, pixels)
    finally:
        for name, module in network.named_modules():
            module.training = training[name]
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != IMAGES:
        what = " × ".join(map(str, logits.shape[1:])) if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise UserError(f"The network answers an image with {what or 'one number'} in place of a row of logits.")
    if not logits.isfinite().all():
        raise UserError("The network answers with numbers that are not finite: its weights are no trained network's.")
    return _anatomy(runs, logits, hook)


def _answer(network: nn.Module, pixels: Tensor) -> object:
    try:
        return network(pixels)
    except _REFUSED as error:
        reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
        side = pixels.shape[-1]
        raise ImagesRefusedError(f"The network does not take images of 3 × {side} × {side}: {reason}.") from error


def _takes_one_input(network: nn.Module) -> None:
    many = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    takes = inspect.signature(network.forward).parameters.values()
    asked = [one.name for one in takes if one.default is one.empty and one.kind not in many]
    if len(asked) > 1:
        raise UserError(f"The network asks for {len(asked)} inputs ({', '.join(asked)}), and there are only images.")


def _anatomy(runs: ModuleTrace, logits: Tensor, hook: FeatureHook | AttentionTap | None) -> NetworkStructure:
    head = next((run for run in reversed(runs.by_end) if run.linear is not None and same(run.linear, logits)), None)
    reads = head.entered if head else None
    if hook is None:
        hook, note = _penultimate(runs, logits)
    elif runs.tapped is None:
        raise UserError(f"What is read at the {hook} is no map with channels, height and width.")
    else:
        note = runs.tapped
    mean = note.rectified_mean if isinstance(hook, FeatureHook) and hook.rectified else note.mean
    averages = _after_the_maps(runs, logits)
    return NetworkStructure(
        layers=tuple(_layer(run, run.map, runs, reads) for run in runs.by_start if run.map),
        hook=hook,
        shape=note.shape,
        averaged=any(equal(one, vector) for one in (mean, note.mean) for vector in averages),
        head=head.name if head else "",
        head_on_mean=reads is not None and equal(mean, reads),
        features=0 if reads is None else reads.shape[1],
        classes=logits.shape[1],
        stages=_stages(runs),
    )


def _layer(run: Run, note: MapNote, runs: ModuleTrace, reads: Tensor | None) -> Layer:
    rectified = _is_rectified(note, runs)
    mean = note.rectified_mean if rectified else note.mean
    return Layer(run.name, run.kind, note.shape, note.form, rectified, reads is not None and equal(mean, reads))


def _is_rectified(note: MapNote, runs: ModuleTrace) -> bool:
    """Whether a map is to be cut at zero. What SiLU and its like let through below zero is part of the activation."""
    if note.lowest >= 0:
        return False
    activations = (run.map for run in runs.by_end if run.is_activation and run.map)
    return not any(equal(note.mean, activation.mean) for activation in activations)


def _last_map_ended(runs: ModuleTrace) -> int:
    return max((run.ended for run in runs.by_end if run.map), default=0)


def _after_the_maps(runs: ModuleTrace, logits: Tensor) -> list[Tensor]:
    """The vectors (B, D) with which the network goes on after its last map; the logits if nothing else."""
    last = _last_map_ended(runs)
    found = [run.entered for run in runs.by_start if run.started > last and run.entered is not None]
    pooled = [run.pooled.mean for run in runs.by_start if run.started > last and run.pooled is not None]
    return [*pooled, *found, logits]


def _penultimate(runs: ModuleTrace, logits: Tensor) -> tuple[FeatureHook, MapNote]:
    """Where the map is that enters the last global pooling, and what was noted of it; without one, the last map."""
    last = _last_map_ended(runs)
    for run in reversed(runs.by_end):  # what holds a pooling comes before it here, and is as good a place
        if run.started > last and run.pooled is not None:
            rectified = _is_rectified(run.pooled, runs)
            hook = FeatureHook(run.name, "input", channels_last=run.pooled.form == "channels last", rectified=rectified)
            return hook, run.pooled
    found = [(run, run.map) for run in reversed(runs.by_end) if run.map]
    if not found:
        raise UserError("The network has no layer that puts out a map, and NAP reads maps.")
    for vector in _after_the_maps(runs, logits):
        for run, note in found:
            layer = _layer(run, note, runs, None)
            # A ReLU that is no module may lie between the map and its mean.
            if equal(note.mean, vector) or (layer.rectified and equal(note.rectified_mean, vector)):
                return layer.hook, note
    run, note = found[0]
    return _layer(run, note, runs, None).hook, note


def _stages(runs: ModuleTrace) -> tuple[str, ...]:
    """The last module at each size of map, for the smallest sizes; parts of blocks are looked at only if need be."""
    for dots in range(3):
        ends: dict[int, str] = {}
        for run in runs.by_end:
            if run.map and run.map.form == "map" and run.count == 1 and run.name.count(".") <= dots:
                ends[run.map.shape[1]] = run.name
        if len(ends) > 2:
            return tuple(ends[size] for size in sorted(ends, reverse=True)[-STAGES:])
    return ()
