"""Where a network's penultimate map is read, without changing what the network computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn


@dataclass(frozen=True)
class Tap:
    """The map (B, C, H, W) that enters or leaves a module; ``module`` is its dotted name in the network."""

    module: str
    side: Literal["input", "output"] = "output"

    def __str__(self) -> str:
        return f"{self.side} of {self.module}"

    @contextmanager
    def reading(self, network: nn.Module, receive: Callable[[Tensor], None]) -> Iterator[None]:
        """While the context is open, ``receive`` gets the map at each forward pass. Raises AttributeError when the
        network has no such module."""
        module = network.get_submodule(self.module)

        def on_output(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            receive(output)

        def on_input(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            receive(inputs[0])

        if self.side == "output":
            handle = module.register_forward_hook(on_output)
        else:
            handle = module.register_forward_pre_hook(on_input)
        try:
            yield
        finally:
            handle.remove()
