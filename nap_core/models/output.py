"""What a network answers with, and how that becomes logits.

A function after the last linear layer (log_softmax, softmax, sigmoid) is taken off by two forward hooks that stay on
the network: one keeps what the layer puts out, one returns it in place of the network's answer. Dotted names, weights
and gradients stay as they are, and a deep copy of the network has hooks of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

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


def return_output_of(network: nn.Module, head: str) -> None:
    """Make ``network`` return the output of its module ``head``, whatever follows that module."""
    kept = _KeepsOutput()
    network.get_submodule(head).register_forward_hook(kept)
    network.register_forward_hook(_ReturnsKept(kept))


def restore(network: nn.Module) -> None:
    """Remove the hooks that this module has set on ``network``: it may be assembled a second time."""
    for module in network.modules():
        hooks = module._forward_hooks
        for key in [key for key, hook in hooks.items() if isinstance(hook, _KeepsOutput | _ReturnsKept)]:
            del hooks[key]
