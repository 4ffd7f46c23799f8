"""A forward hook that reads a feature map without changing what the network computes."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

ONE_PASS_AT_A_TIME = threading.Lock()
"""Held while hooks are set on a shared network: they would also fire in another thread's forward pass."""


@dataclass(frozen=True)
class FeatureHook:
    """The input or output of a module as a feature map (B, C, H, W).

    ``str(hook)`` is part of store keys.

    Attributes:
        module: dotted name of the module in the network.
        side: "input" or "output" of the module.
        channels_last: the network's array is (B, H, W, C) and is permuted.
        rectified: the map is cut at zero, for networks without a ReLU there: NAP is defined on non-negative
            activations.
        tokens: the network's array is tokens (B, N, D); the last g² tokens, g = ⌊√N⌋, are a map of g × g patches.
    """

    module: str
    side: Literal["input", "output"] = "output"
    channels_last: bool = False
    rectified: bool = False
    tokens: bool = False

    def __str__(self) -> str:
        return f"{self.side} of {self.module}{', rectified' if self.rectified else ''}"

    @contextmanager
    def capture(self, network: nn.Module, receive: Callable[[Tensor], None]) -> Iterator[None]:
        """While the context is open, ``receive`` is called with the map (B, C, H, W) at each forward pass.

        Raises AttributeError when the network has no such module.
        """
        module = network.get_submodule(self.module)

        def on_call(_module: nn.Module, inputs: tuple[Tensor, ...], *output: Tensor) -> None:
            receive(self.as_map(output[0] if output else inputs[0]))

        register = module.register_forward_hook if self.side == "output" else module.register_forward_pre_hook
        handle = register(on_call)
        try:
            yield
        finally:
            handle.remove()

    def as_map(self, value: Tensor) -> Tensor:
        """The network's array → the feature map (B, C, H, W); arrays of other layouts are returned as they are."""
        if self.tokens:
            side = math.isqrt(value.shape[1])
            value = value[:, -(side**2) :].transpose(1, 2).reshape(len(value), -1, side, side)
        feature_map = value.permute(0, 3, 1, 2) if self.channels_last else value
        return feature_map.clamp(min=0) if self.rectified else feature_map
