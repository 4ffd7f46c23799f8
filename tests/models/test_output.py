"""Networks that end in a function of the logits: it is found at loading and taken off, or methods are refused."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nap_core import extraction, models
from nap_core.datasets import ArrayImages
from nap_core.models import LoadedModel, Transform
from nap_core.models.architectures import Architecture

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
IMAGES = ArrayImages("noise", "Noise", (), np.full(6, -1), PIXELS, np.arange(6))
TRANSFORM = Transform(16, 16, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
ENDINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "logits": lambda z: z,
    "log_softmax": lambda z: z.log_softmax(1),
    "softmax": lambda z: z.softmax(1),
    "sigmoid": lambda z: z.sigmoid_(),  # in place: it writes over the linear layer's output
    "logsigmoid": nn.LogSigmoid(),
}


class Network(nn.Module):
    """A map of 8 × 8, its mean, a linear layer, and the function ``end``."""

    def __init__(self, end: Callable[[Tensor], Tensor], classes: int = 4) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU())
        self.fc = nn.Linear(6, classes)
        nn.init.normal_(self.fc.weight, 0, 3)
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.fc(self.body(x).mean((2, 3))))


def seeded(end: Callable[[Tensor], Tensor], classes: int = 4, kind: type[Network] = Network) -> nn.Module:
    torch.manual_seed(0)
    return kind(end, classes)


def assembled(network: nn.Module, classes: tuple[str, ...] = tuple("abcd"), **changed: object) -> LoadedModel:
    words = {"hook": None, "head": None, "transform": TRANSFORM} | changed
    blueprint = Architecture("tiny", "Tiny", lambda _classes: network, **words)
    return models.assemble(blueprint, network, blueprint.transform, classes, "weights")


def logits_of(model: LoadedModel) -> np.ndarray:
    return extraction.extract(model, IMAGES, device="cpu").logits


def codes(model: LoadedModel) -> dict[str, str]:
    return {finding.code: finding.level for finding in model.findings}


class TestLinearLayer:
    @pytest.mark.parametrize("name", ENDINGS)
    def test_logits_are_its_output(self, name: str) -> None:
        model = assembled(seeded(ENDINGS[name]))
        assert model.output.ending == name and model.output.scaled
        np.testing.assert_array_equal(logits_of(model), logits_of(assembled(seeded(ENDINGS["logits"]))))
        assert codes(model) == ({} if name == "logits" else {"output": "note"})
        assert name == "logits" or name in model.findings[0].sentence

    def test_keys_of_other_networks_stay_and_those_of_this_one_change(self) -> None:
        keys = {name: extraction.store_key(assembled(seeded(end)), IMAGES).layer for name, end in ENDINGS.items()}
        assert keys["logits"] == "tiny: output of body, computed in float32"
        assert len(set(keys.values())) == len(ENDINGS)

    def test_a_copy_has_hooks_of_its_own(self) -> None:
        model = assembled(seeded(ENDINGS["log_softmax"]))
        twin = copy.deepcopy(model.network)
        with torch.no_grad():
            twin.fc.weight.zero_()
        x = torch.zeros(1, 3, 16, 16)
        torch.testing.assert_close(twin(x), twin.fc.bias[None])
        assert not torch.allclose(model.network(x), twin(x))

    def test_gradients_are_those_of_the_logits(self) -> None:
        x = torch.rand(2, 3, 16, 16)
        gradients = []
        for name in ("logits", "softmax"):
            network = assembled(seeded(ENDINGS[name])).network
            network(x).exp().sum().backward()
            gradients.append(network.body[0].weight.grad)
        torch.testing.assert_close(*gradients)

    def test_a_network_that_is_assembled_twice(self) -> None:
        network = seeded(ENDINGS["softmax"])
        first, second = assembled(network), assembled(network)
        assert first.output == second.output
        assert len(network._forward_hooks) == 1
