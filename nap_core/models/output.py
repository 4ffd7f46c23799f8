"""What a network answers with, and how that becomes logits.

A function after the last linear layer (log_softmax, softmax, sigmoid) is taken off by two forward hooks that stay on
the network: one keeps what the layer puts out, one returns it in place of the network's answer. Dotted names, weights
and gradients stay as they are, and a deep copy of the network has hooks of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Ending = Literal["logits", "log_softmax", "softmax", "sigmoid", "logsigmoid"]
FUNCTIONS: dict[Ending, Callable[[Tensor], Tensor]] = {
    "log_softmax": partial(F.log_softmax, dim=1),
    "softmax": partial(F.softmax, dim=1),
    "sigmoid": torch.sigmoid,
    "logsigmoid": F.logsigmoid,
}
"""The functions that are recognised after a linear layer."""


@dataclass(frozen=True)
class Output:
    """How a network's answer becomes logits.

    Attributes:
        ending: the function at the network's end; "logits" for none.
        changed: what the logits are where they are not the network's own answer; part of store keys.
        scaled: False if the logits are exact only up to a constant of each image: the softmax is then exact, and
            methods that read the logits' scale are refused.
    """

    ending: Ending = "logits"
    changed: str = ""
    scaled: bool = True

    @property
    def key(self) -> str:
        """What the change adds to a store key; empty where nothing is changed."""
        return f", {self.changed}" if self.changed else ""


LOGITS = Output()
BINARY = ("negative", "positive")
"""The classes of a network with one output, where no two names are given."""
_SHAPES_ONLY = {
    *("Squeeze", "Unsqueeze", "View", "UnsafeView", "Reshape", "ReshapeAlias", "Alias"),
    *("Clone", "ToCopy", "Select", "Slice", "Permute", "Transpose", "T"),
}


class _KeepsOutput:
    """A forward hook on the last linear layer that keeps its output until ``taken``."""

    def __init__(self) -> None:
        self._output: Tensor | None = None

    def __call__(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._output = output.clone()  # a function in place would write over it

    def taken(self) -> Tensor:
        """The output of the last call. Raises RuntimeError if the layer did not run."""
        output, self._output = self._output, None
        if output is None:
            raise RuntimeError("The last linear layer did not run.")
        return output


class _ReturnsKept:
    """A forward hook on the network that returns what the hook on its last linear layer kept."""

    def __init__(self, kept: _KeepsOutput) -> None:
        self.kept = kept

    def __call__(self, _module: nn.Module, _inputs: object, _output: Any) -> Tensor:
        return self.kept.taken()


class TwoLogits(nn.Linear):
    """A linear layer with one output z as one with two, [0, z]: their softmax is the sigmoid of z."""

    def __init__(self, one: nn.Linear) -> None:
        super().__init__(one.in_features, 2, device="meta")  # on "meta" nothing is drawn
        weight, bias = one.weight.detach(), one.bias
        self.weight = nn.Parameter(torch.cat([torch.zeros_like(weight), weight]))
        z = weight.new_zeros(1) if bias is None else bias.detach()
        self.bias = nn.Parameter(torch.cat([torch.zeros_like(z), z]))
        self.train(one.training)


class _Converts:
    """A forward hook on the network that turns its answer (B, …) into logits (B, K)."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        self.function = function

    def __call__(self, _module: nn.Module, _inputs: object, answer: Tensor) -> Tensor:
        return self.function(answer.reshape(len(answer), -1))


def two_logits(one: Tensor) -> Tensor:
    """One output z (B, 1) → [0, z] (B, 2)."""
    return torch.cat([torch.zeros_like(one), one], 1)


def log_of(probabilities: Tensor) -> Tensor:
    """The logarithm; of 0 that of the smallest normal number."""
    return probabilities.clamp(min=torch.finfo(probabilities.dtype).tiny).log()


def inverse_sigmoid(values: Tensor) -> Tensor:
    """log(p / (1 − p)); of 0 and 1 the value next to them, some ±16 in single precision."""
    edge = torch.finfo(values.dtype).eps / 2
    return values.clamp(edge, 1 - edge).logit()


def two_logits_of_sigmoid(value: Tensor) -> Tensor:
    """One output in (0, 1) → [0, z] (B, 2)."""
    return two_logits(inverse_sigmoid(value))


def convert(network: nn.Module, function: Callable[[Tensor], Tensor]) -> None:
    """Make ``network`` return ``function`` of its answer."""
    network.register_forward_hook(_Converts(function))


def make_two_logits(network: nn.Module, head: str) -> None:
    """Replace the last linear layer ``head``, which has one output z, by one that puts out [0, z]."""
    network.set_submodule(head, TwoLogits(cast(nn.Linear, network.get_submodule(head))))


def last_function(network: nn.Module, pixels: Tensor) -> str:
    """The name that autograd gives the function at the network's end, as "Sigmoid"; "" where it has none."""
    with torch.enable_grad():
        step = network(pixels.detach().requires_grad_()).grad_fn
    while step is not None:
        name = type(step).__name__.removeprefix("torch::autograd::").split("Backward")[0]
        if name not in _SHAPES_ONLY:
            return name
        step = step.next_functions[0][0]
    return ""


def return_output_of(network: nn.Module, head: str) -> None:
    """Make ``network`` return the output of its module ``head``, whatever follows that module."""
    kept = _KeepsOutput()
    network.get_submodule(head).register_forward_hook(kept)
    network.register_forward_hook(_ReturnsKept(kept))


def restore(network: nn.Module) -> None:
    """Remove the hooks that this module has set on ``network``: it may be assembled a second time."""
    for module in network.modules():
        hooks = module._forward_hooks
        for key in [key for key, hook in hooks.items() if isinstance(hook, _KeepsOutput | _ReturnsKept | _Converts)]:
            del hooks[key]
