"""Locates the penultimate feature map and the linear head of a network in one forward pass.

    >>> structure = inspect_network(network, side=224)
    >>> structure.sentence()
    'Found: the map that enters “avgpool”, 512 channels of 7 × 7; the last layer, “fc”, reads its mean.'

No names are assumed. Two random images pass through the network once; comparing the modules' inputs and outputs shows
which map is averaged and which layer outputs the logits.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from nap_core.errors import UserError
from nap_core.models.attention_hook import AttentionHook
from nap_core.models.feature_hook import FeatureHook
from nap_core.models.module_trace import IMAGES, Form, MapNote, ModuleTrace, Run, equal, same
from nap_core.models.output import FUNCTIONS, Ending

STAGES = 4
REFUSED = (RuntimeError, ValueError, TypeError, AssertionError, LookupError, AttributeError)
"""Exceptions of torch and networks on unsupported inputs."""


class ImagesRefusedError(UserError):
    """The network does not accept images of that size."""


@dataclass(frozen=True)
class Layer:
    """A module whose output is a feature map.

    ``name`` is its dotted name, ``kind`` its class, ``shape`` the map's (C, H, W), ``form`` the layout in memory.
    ``rectified`` is True for a map with negative values, unless an activation function with a small floor produced it;
    it is cut at zero. ``activation`` is the class of the activation function that let them through, "" for none.
    ``feeds_head`` is True if the head reads the map's spatial mean.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    form: Form
    rectified: bool
    feeds_head: bool
    activation: str = ""

    @property
    def hook(self) -> FeatureHook:
        """The hook that reads the map."""
        last, tokens = self.form == "channels last", self.form == "tokens"
        return FeatureHook(self.name, channels_last=last, tokens=tokens, rectified=self.rectified)

    def describe(self) -> str:
        """ "layer3 · 256 × 14 × 14"."""
        return f"{self.name} · {' × '.join(f'{size:,}' for size in self.shape)}"


@dataclass(frozen=True)
class NetworkStructure:
    """The feature maps and the head of a network.

    Attributes:
        layers: the modules that output a feature map, in order of their start: a module before its submodules.
        hook: reads the penultimate feature map.
        shape: that map's (C, H, W).
        averaged: True if the network continues with the map's spatial mean only.
        head: dotted name of the last linear layer if it outputs the logits, else "".
        ending: the function between that layer and the network's answer; "logits" for none.
        activation: class of the activation function that let values below zero into the penultimate feature map, ""
            for none.
        head_on_mean: True if the head reads the map's spatial mean.
        features: number of values D that the head reads.
        classes: number K of values in the network's answer.
        stages: the last module at each of the smallest map sizes, earliest first.
    """

    layers: tuple[Layer, ...]
    hook: FeatureHook | AttentionHook
    shape: tuple[int, int, int]
    averaged: bool
    head: str
    head_on_mean: bool
    features: int
    classes: int
    stages: tuple[str, ...]
    ending: Ending = "logits"
    activation: str = ""

    def layer(self, name: str) -> Layer:
        """The layer ``name``. Raises UserError if no layer of that name outputs a feature map."""
        layer = next((layer for layer in self.layers if layer.name == name), None)
        if layer is None:
            some = ", ".join(layer.name for layer in self.layers[-3:])
            raise UserError(f"The network has no layer “{name}” that puts out a map. The last that do are {some}.")
        return layer

    def sentence(self) -> str:
        """Feature map and head in one sentence."""
        return f"{self._map()}; {self._head()}."

    def _map(self) -> str:
        channels, height, width = self.shape
        if isinstance(self.hook, AttentionHook):
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


def inspect_network(
    network: nn.Module, side: int, hook: FeatureHook | AttentionHook | None = None, channels: int = 3
) -> NetworkStructure:
    """Locate feature maps and head with one forward pass of two random images in evaluation mode.

    The images are (channels, side, side). ``hook`` reads the penultimate feature map; None to locate it; its map is cut
    at zero where that is needed. No other thread may use the network meanwhile, because hooks are set on its modules.
    Its mode, weights and torch's random state are unchanged afterwards. Raises ImagesRefusedError if the network does
    not accept the images, UserError if it has no feature map or does not output a row of logits for each image.
    """
    _takes_one_input(network)
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    pixels = torch.randn((IMAGES, channels, side, side), generator=torch.Generator().manual_seed(0)).to(device)
    runs, training = ModuleTrace(), {name: module.training for name, module in network.named_modules()}
    try:
        with torch.no_grad(), torch.random.fork_rng([]), runs.capture(network.eval(), hook):
            logits = _output(network, pixels)
    finally:
        for name, module in network.named_modules():
            module.training = training[name]
    if isinstance(logits, Tensor) and logits.shape == (IMAGES,):
        logits = logits[:, None]
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != IMAGES:
        what = " × ".join(map(str, logits.shape[1:])) if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise UserError(f"The network answers an image with {what or 'one number'} in place of a row of logits.")
    if not logits.isfinite().all(1).any():
        raise UserError("The network answers with numbers that are not finite: its weights are no trained network's.")
    return _structure(runs, logits, hook)


def _output(network: nn.Module, pixels: Tensor) -> object:
    try:
        return network(pixels)
    except REFUSED as error:
        channels, side = pixels.shape[1], pixels.shape[-1]
        raise ImagesRefusedError(
            f"The network does not take images of {channels} × {side} × {side}: {in_short(error)}."
        ) from error


def in_short(error: Exception) -> str:
    """The first line of an exception's message, without a full stop; its class where it has none."""
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


def _takes_one_input(network: nn.Module) -> None:
    many = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    takes = inspect.signature(network.forward).parameters.values()
    asked = [one.name for one in takes if one.default is one.empty and one.kind not in many]
    if len(asked) > 1:
        raise UserError(f"The network asks for {len(asked)} inputs ({', '.join(asked)}), and there are only images.")


def _structure(runs: ModuleTrace, logits: Tensor, hook: FeatureHook | AttentionHook | None) -> NetworkStructure:
    head, ending = _head_and_ending(runs, logits)
    reads = head.entered if head else None
    if hook is None:
        hook, note = _penultimate(runs, logits)
    elif runs.hooked is None:
        raise UserError(f"What is read at the {hook} is no map with channels, height and width.")
    else:
        note = runs.hooked
        if isinstance(hook, FeatureHook) and _is_rectified(note, runs):
            hook = replace(hook, rectified=True)
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
        ending=ending,
        activation=_activation(note, runs),
    )


def _head_and_ending(runs: ModuleTrace, answer: Tensor) -> tuple[Run | None, Ending]:
    """The linear layer behind the network's answer, and the function that turns its output into the answer."""
    linear = [run for run in reversed(runs.by_end) if run.linear is not None]
    found = next((run for run in linear if run.linear is not None and same(run.linear, answer)), None)
    if found:
        return found, "logits"
    for run in linear:
        for ending, function in FUNCTIONS.items():
            if run.linear is not None and equal(function(run.linear), answer):
                return run, ending
    return None, "logits"


def _layer(run: Run, note: MapNote, runs: ModuleTrace, reads: Tensor | None) -> Layer:
    rectified = _is_rectified(note, runs)
    mean = note.rectified_mean if rectified else note.mean
    feeds_head = reads is not None and equal(mean, reads)
    return Layer(run.name, run.kind, note.shape, note.form, rectified, feeds_head, _activation(note, runs))


def _is_rectified(note: MapNote, runs: ModuleTrace) -> bool:
    """Whether to cut a map at zero. Negative outputs of SiLU and similar functions are activations and stay."""
    return note.lowest < 0 and not any(run.has_small_floor for run in _activations(note, runs))


def _activation(note: MapNote, runs: ModuleTrace) -> str:
    """The class of the activation function whose output a map is; "" for none."""
    return next((run.kind for run in _activations(note, runs)), "") if note.lowest < 0 else ""


def _activations(note: MapNote, runs: ModuleTrace) -> Iterator[Run]:
    """The activation functions whose output a map is."""
    of_shape = (run for run in runs.by_end if run.map and run.map.mean.shape == note.mean.shape)
    activations = (run for run in of_shape if run.is_activation or run.has_small_floor)
    return (run for run in activations if run.map and equal(note.mean, run.map.mean))


def _last_map_ended(runs: ModuleTrace) -> int:
    return max((run.ended for run in runs.by_end if run.map), default=0)


def _after_the_maps(runs: ModuleTrace, logits: Tensor) -> list[Tensor]:
    """The vectors (B, D) that the network computes after its last feature map; at least the logits."""
    last = _last_map_ended(runs)
    inputs = [run.entered for run in runs.by_start if run.started > last and run.entered is not None]
    pooled = [run.pooled.mean for run in runs.by_start if run.started > last and run.pooled is not None]
    return [*pooled, *inputs, logits]


def _penultimate(runs: ModuleTrace, logits: Tensor) -> tuple[FeatureHook, MapNote]:
    """Hook and statistics of the input of the last global pooling; without one, of the last feature map."""
    last = _last_map_ended(runs)
    for run in reversed(runs.by_end):  # a module that contains only the pooling comes first and has the same input
        if run.started > last and run.pooled is not None:
            rectified = _is_rectified(run.pooled, runs)
            hook = FeatureHook(run.name, "input", channels_last=run.pooled.form == "channels last", rectified=rectified)
            return hook, run.pooled
    candidates = [(run, run.map) for run in reversed(runs.by_end) if run.map]
    if not candidates:
        raise UserError("The network has no layer that puts out a map, and NAP reads maps.")
    for vector in _after_the_maps(runs, logits):
        for run, note in candidates:
            layer = _layer(run, note, runs, None)
            # A functional ReLU may lie between the map and its mean.
            if equal(note.mean, vector) or (layer.rectified and equal(note.rectified_mean, vector)):
                return layer.hook, note
    run, note = candidates[0]
    return _layer(run, note, runs, None).hook, note


def _stages(runs: ModuleTrace) -> tuple[str, ...]:
    """The last module at each of the smallest map sizes; nested modules only if the outer ones do not suffice."""
    for dots in range(3):
        ends: dict[int, str] = {}
        for run in runs.by_end:
            if run.map and run.map.form == "map" and run.count == 1 and run.name.count(".") <= dots:
                ends[run.map.shape[1]] = run.name
        if len(ends) > 2:
            return tuple(ends[size] for size in sorted(ends, reverse=True)[-STAGES:])
    return ()
