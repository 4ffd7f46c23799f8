"""A network's last linear layer: which of its inputs have to be kept so that logits can be made of them again."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nap_core.models.attention import AttentionTap
from nap_core.models.tap import Tap

TOLERANCE = 1e-3  # of the largest feature: the order of additions differs between a network's pooling and a mean


def linear(network: nn.Module, name: str) -> nn.Linear:
    """The linear layer called ``name``. Raises TypeError when it is none, AttributeError when there is none."""
    found = network.get_submodule(name)
    if not isinstance(found, nn.Linear):
        raise TypeError(f"{name} is no linear layer")
    return found


def reads_the_mean(network: nn.Module, tap: Tap | AttentionTap, head: str, side: int) -> bool:
    """Whether the layer ``head`` reads the spatial mean of the map at ``tap``: seen in a pass over one made-up image of
    ``side`` × ``side`` pixels.

    Raises ValueError when the head's output is not the network's: another layer makes the logits.
    """
    maps: list[Tensor] = []
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    first = next(network.parameters(), image)
    with (
        torch.no_grad(),
        tap.reading(network, maps.append),
        Tap(head, side="input").reading(network, inputs.append),
        Tap(head).reading(network, outputs.append),
    ):
        logits = network(image.to(first.device))
    if outputs[0].shape != logits.shape or not torch.allclose(outputs[0], logits):
        raise ValueError(f"{head} does not make the logits")
    read, mean = inputs[0].flatten(1), maps[0].mean((2, 3))
    return read.shape == mean.shape and torch.allclose(read, mean, rtol=0, atol=TOLERANCE * float(read.abs().max()))
