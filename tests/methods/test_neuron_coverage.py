"""Neuron activation coverage by hand, and what the paper says of it."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nap_core.methods.neuron_coverage import SPREAD_ROWS, Coverage, relevance


def fitted(layers: list[Tensor], alpha: float = 1.0, intervals: int = 10, enough: int = 4) -> Coverage:
    coverage = Coverage(alpha, intervals, enough)
    coverage.add(layers)
    coverage.finish()
    return coverage


def test_relevance_is_input_times_gradient() -> None:
    """For logits W · mean(z) the gradient of D_KL(u‖p) by z_j is Σ_i W_ij (p_i − 1/K) / (H · W)."""
    torch.manual_seed(0)
    head = nn.Linear(3, 4)
    maps = torch.rand(2, 3, 5, 5, requires_grad=True)
    logits = head(maps.mean((2, 3)))
    (found,) = relevance([maps], logits)
    slope = (logits.softmax(1) - 1 / 4) @ head.weight / 25
    torch.testing.assert_close(found, (maps.mean((2, 3)) * slope).detach())


def test_coverage_by_hand() -> None:
    """Two intervals, below and above zero, covered by two images: the first neuron has 2 and 1, the second 3 and 0."""
    coverage = fitted([torch.tensor([[-1.0, -2.0], [-3.0, -1.0], [2.0, -4.0]])], intervals=2, enough=2)
    assert coverage.counts[0].tolist() == [[2, 1], [3, 0]]
    scores = coverage.score([torch.tensor([[-0.1, -0.1], [5.0, 5.0], [5.0, -5.0]])])
    assert scores.tolist() == [1.0, 0.25, 0.75]
    assert coverage.model_score() == (1 + 0.5 + 1 + 0) / 4


def test_the_unit_of_the_relevance_does_not_matter() -> None:
    torch.manual_seed(1)
    layer, asked = torch.randn(50, 6), torch.randn(5, 6)
    assert fitted([layer]).score([asked]).tolist() == fitted([1e-4 * layer]).score([1e-4 * asked]).tolist()


def test_batches_add_up_and_layers_are_averaged() -> None:
    torch.manual_seed(1)
    first, second = torch.randn(SPREAD_ROWS + 300, 3), torch.randn(SPREAD_ROWS + 300, 6)
    parts = Coverage(1.0, 10, 4)
    for start in range(0, len(first), 512):
        parts.add([first[start : start + 512], second[start : start + 512]])
    parts.finish()
    assert sum(parts.counts[0][0].tolist()) == len(first)
    asked = [torch.randn(5, 3), torch.randn(5, 6)]
    alone = []
    for states, layer in ((first, 0), (second, 1)):
        one = Coverage(1.0, 10, 4)
        for start in range(0, len(first), 512):
            one.add([states[start : start + 512]])
        one.finish()
        alone.append(one.score([asked[layer]]).numpy())
    np.testing.assert_allclose(parts.score(asked).numpy(), np.mean(alone, axis=0), rtol=1e-6)


@pytest.mark.parametrize("extreme", [-1e6, 1e6])
def test_the_ends_of_the_interval_belong_to_it(extreme: float) -> None:
    coverage = fitted([torch.full((1, 2), extreme)], alpha=100.0, enough=1)
    assert coverage.score([torch.full((1, 2), extreme)]).tolist() == [1.0]


def test_nothing_to_cover_with_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        Coverage(1.0, 10, 4).finish()
