"""Random activations of a small network, and the scoring context of its methods."""

import numpy as np
import pytest
import torch
from torch import nn

from nap_core.activations import Activations
from nap_core.methods import ScoringContext
from nap_core.models import FeatureHook, LoadedModel, Transform
from nap_core.models.architectures import Architecture

CHANNELS, CLASSES = 24, 5


class Small(nn.Module):
    """Two layers and a head: enough for hooks, gradients and pooling."""

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(12, channels, 3, stride=2, padding=1), nn.ReLU())
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.second(self.first(x)).mean((2, 3)))


@pytest.fixture(scope="session")
def small_model() -> LoadedModel:
    return made_model()


def made_model(channels: int = CHANNELS) -> LoadedModel:
    torch.manual_seed(0)
    network = Small(channels).eval()
    with torch.no_grad():
        # The features lie around 0.55: now every class is predicted about as often as the others.
        network.fc.weight.mul_(10)
        network.fc.bias.copy_(-0.55 * network.fc.weight.sum(dim=1))
    transform = Transform(16, 16, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    blueprint = Architecture(
        "small", "Small", lambda _classes: Small(channels), FeatureHook("second"), "fc", transform, ("first", "second")
    )
    return LoadedModel(
        name="small",
        title="Small",
        architecture=blueprint,
        network=network,
        transform=transform,
        classes=tuple("abcde"),
        weights_sha256="0" * 64,
        head_weight=network.fc.weight.detach().numpy(),
        head_bias=network.fc.bias.detach().numpy(),
    )


def random_activations(model: LoadedModel, rows: int, seed: int) -> Activations:
    """Activations that keep the law of the store: the head of the mean is the logits."""
    draw = np.random.default_rng(seed)
    maps = np.maximum(draw.normal(0.3, 1.0, (rows, model.head_weight.shape[1], 4, 4)), 0).astype(np.float32)
    mean = maps.mean((2, 3))
    logits = mean @ model.head_weight.T + model.head_bias
    labels = np.arange(rows, dtype=np.int64) % CLASSES
    return Activations(maps.max((2, 3)), mean, maps.var((2, 3)), logits.astype(np.float32), labels)


@pytest.fixture(scope="session")
def fit_activations(small_model: LoadedModel) -> Activations:
    return random_activations(small_model, 400, 1)


@pytest.fixture(scope="session")
def activations(small_model: LoadedModel) -> Activations:
    return random_activations(small_model, 90, 2)


@pytest.fixture
def context(small_model: LoadedModel, fit_activations: Activations) -> ScoringContext:
    return ScoringContext(small_model, "CIFAR-10", fit_activations=fit_activations)
