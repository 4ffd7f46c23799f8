"""Neuron activation coverage: how well training images cover the states of a network's neurons.

Liu et al., "Neuron Activation Coverage: Rethinking Out-of-distribution Detection and Generalization", ICLR 2024. The
state of a neuron is σ(α · z · ∂D_KL(u‖p)/∂z), pooled over the map; u is the uniform distribution over the classes, p
the softmax. NAC-UE scores an image by the coverage of its states, NAC-ME a model by the coverage of all states.

This is our own because pytorch-ood's NACUE divides [0, 1] into intervals that are narrowest at 0 and 1, where hardly a
state lies: with the paper's α = 100 states crowd around ½, nearly all of them in one interval, and CIFAR-10 against
textures comes out at an AUROC of 51 % on the bundled ResNet-20. Equal intervals, as in the paper, give 84 %.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def neuron_states(maps: Sequence[Tensor], logits: Tensor, alpha: float) -> list[Tensor]:
    """The states (B, C) of every layer's neurons, between 0 and 1.

    ``maps`` are (B, C, H, W) of the pass that gave ``logits`` (B, K), with gradients on. D_KL(u‖p) is the cross
    entropy with the uniform distribution, up to a constant.
    """
    divergence = -logits.log_softmax(dim=1).mean(dim=1).sum()
    gradients = torch.autograd.grad(divergence, list(maps))
    return [
        torch.sigmoid(alpha * (each * gradient).mean(dim=(2, 3))).detach()
        for each, gradient in zip(maps, gradients, strict=True)
    ]


class Coverage:
    """How many fit images fell into each of ``intervals`` equal intervals of every neuron's state.

    An interval is covered once ``enough`` images have fallen into it (the paper's r, as a number of images).
    """

    def __init__(self, intervals: int, enough: int) -> None:
        self.intervals, self.enough = intervals, enough
        self.counts: list[Tensor] = []

    def add(self, states: Sequence[Tensor]) -> None:
        """Count the states (B, C) of each layer."""
        if not self.counts:
            self.counts = [torch.zeros(each.shape[1], self.intervals, dtype=torch.long) for each in states]
        for counts, places in zip(self.counts, map(self._places, states), strict=True):
            counts.scatter_add_(1, places.T, torch.ones_like(places.T))

    def score(self, states: Sequence[Tensor]) -> Tensor:
        """NAC-UE (B,): the coverage of the states, averaged over the neurons of a layer and over the layers."""
        layers = [
            covered.gather(1, self._places(each).T).mean(dim=0)
            for covered, each in zip(self._covered(), states, strict=True)
        ]
        return torch.stack(layers).mean(dim=0)

    def model_score(self) -> float:
        """NAC-ME, 0 to 1: the covered area of the neurons' states, averaged over neurons and then over layers."""
        return float(torch.stack([covered.mean() for covered in self._covered()]).mean())

    def _covered(self) -> list[Tensor]:
        return [(counts / self.enough).clamp(max=1) for counts in self.counts]

    def _places(self, states: Tensor) -> Tensor:
        return (states.cpu() * self.intervals).long().clamp(0, self.intervals - 1)
