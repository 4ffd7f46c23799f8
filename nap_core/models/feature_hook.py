"""Where a network's penultimate map is read, without changing what the network computes."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

ONE_PASS_AT_A_TIME = threading.Lock()
"""Held while hooks are on a network that others may use: a second pass at the same time would be caught by them."""


@dataclass(frozen=True)
class FeatureHook:
    """What enters or leaves a module, a map (B, C, H, W) for example; ``module`` is its dotted name in the network.

    ``channels_last``: the network has it as (B, H, W, C), and it is turned. ``tokens``: the network has tokens
    (B, N, D), of which the last g² with g = ⌊√N⌋ are the patches of a D-channel map of g × g. ``rectified``: it is cut
    at zero, where no ReLU has done that: the prior is about activations, of which none is negative.
    """

    module: str
    side: Literal["input", "output"] = "output"
    channels_last: bool = False
    rectified: bool = False
    tokens: bool = False

    def __str__(self) -> str:
        return f"{self.side} of {self.module}{', rectified' if self.rectified else ''}"

    @contextmanager
    def reading(self, network: nn.Module, receive: Callable[[Tensor], None]) -> Iterator[None]:
        """While the context is open, ``receive`` gets the map at each forward pass. Raises AttributeError when the
        network has no such module."""
        module = network.get_submodule(self.module)

        def on_output(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            receive(self.turned(output))

        def on_input(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            receive(self.turned(inputs[0]))

        if self.side == "output":
            handle = module.register_forward_hook(on_output)
        else:
            handle = module.register_forward_pre_hook(on_input)
        try:
            yield
        finally:
            handle.remove()

    def turned(self, found: Tensor) -> Tensor:
        """What the network has there → what is read of it."""
        if self.tokens:
            side = math.isqrt(found.shape[1])
            found = found[:, -(side**2) :].transpose(1, 2).reshape(len(found), -1, side, side)
        turned = found.permute(0, 3, 1, 2) if self.channels_last else found
        return turned.clamp(min=0) if self.rectified else turned
