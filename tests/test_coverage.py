"""Neuron activation coverage by hand, and what the paper says of it."""

import numpy as np
import pytest
import torch
from torch import nn

from nap_core.coverage import Coverage, neuron_states


def test_state_is_the_sigmoid_of_input_times_gradient() -> None:
    """For logits W·mean(z) the gradient of D_KL(u‖p) by z_j is Σ_i W_ij (p_i − 1/K) / (H·W)."""
    torch.manual_seed(0)
    head = nn.Linear(3, 4)
    maps = torch.rand(2, 3, 5, 5, requires_grad=True)
    logits = head(maps.mean((2, 3)))
    (states,) = neuron_states([maps], logits, alpha=7.0)
    slope = (logits.softmax(1) - 1 / 4) @ head.weight / 25
    expected = torch.sigmoid(7.0 * maps.mean((2, 3)) * slope)
    torch.testing.assert_close(states, expected.detach())


def test_coverage_by_hand() -> None:
    """Two intervals, covered by two images: the first neuron has 2 and 1, the second 3 and 0."""
    coverage = Coverage(intervals=2, enough=2)
    coverage.add([torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.9, 0.0]])])
    assert coverage.counts[0].tolist() == [[2, 1], [3, 0]]
    scores = coverage.score([torch.tensor([[0.0, 0.0], [0.7, 0.7], [1.0, 0.2]])])
    assert scores.tolist() == [1.0, 0.25, 0.75]
    assert coverage.model_score() == (1 + 0.5 + 1 + 0) / 4


def test_batches_add_up_and_layers_are_averaged() -> None:
    torch.manual_seed(1)
    first, second = torch.rand(40, 3), torch.rand(40, 6)
    whole, parts = Coverage(10, 4), Coverage(10, 4)
    whole.add([first, second])
    for start in range(0, 40, 7):
        parts.add([first[start : start + 7], second[start : start + 7]])
    asked = [torch.rand(5, 3), torch.rand(5, 6)]
    assert parts.score(asked).tolist() == whole.score(asked).tolist()
    alone = []
    for states, layer in ((first, 0), (second, 1)):
        one = Coverage(10, 4)
        one.add([states])
        alone.append(one.score([asked[layer]]).numpy())
    np.testing.assert_allclose(whole.score(asked).numpy(), np.mean(alone, axis=0), rtol=1e-6)


@pytest.mark.parametrize("state", [0.0, 1.0])
def test_the_ends_of_the_interval_belong_to_it(state: float) -> None:
    coverage = Coverage(intervals=3, enough=1)
    coverage.add([torch.full((1, 2), state)])
    assert coverage.score([torch.full((1, 2), state)]).tolist() == [1.0]
