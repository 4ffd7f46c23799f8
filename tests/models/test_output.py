"""Networks that end in a function of the logits: it is found at loading and taken off, or methods are refused."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nap_core import extraction, methods, models
from nap_core.datasets import ArrayImages
from nap_core.errors import UserError
from nap_core.methods import ImageSet, ScoringContext
from nap_core.models import LoadedModel, Transform
from nap_core.models.architectures import Architecture
from nap_core.models.output import LOGITS

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
IMAGES = ArrayImages("noise", "Noise", (), np.full(6, -1), PIXELS, np.arange(6))
VIEWS = torch.from_numpy(PIXELS).permute(0, 3, 1, 2)
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


class Cosine(nn.Linear):
    """A linear layer by class that does not compute one: no layer then gives the logits."""

    def forward(self, x: Tensor) -> Tensor:
        return 9 * nn.functional.linear(nn.functional.normalize(x), nn.functional.normalize(self.weight))


class WithoutHead(Network):
    def __init__(self, end: Callable[[Tensor], Tensor], classes: int = 4) -> None:
        super().__init__(end, classes)
        self.fc = Cosine(6, classes)


def scored(model: LoadedModel, method: str) -> np.ndarray:
    found = extraction.extract(model, IMAGES, device="cpu")
    return methods.score(method, ImageSet(found, IMAGES), ScoringContext(model, device="cpu"))


class TestWithoutLinearLayer:
    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    @pytest.mark.parametrize("method", ["msp", "entropy", "gen", "odin"])
    def test_methods_of_the_softmax_are_exact(self, name: str, method: str) -> None:
        model = assembled(seeded(ENDINGS[name], kind=WithoutHead))
        assert (model.output.ending, model.output.scaled, codes(model)) == (name, False, {"output": "refused"})
        expected = scored(assembled(seeded(ENDINGS["logits"], kind=WithoutHead)), method)
        np.testing.assert_allclose(scored(model, method), expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    @pytest.mark.parametrize("method", ["energy", "maxlogit", "nap+energy"])
    def test_methods_of_the_scale_are_refused(self, name: str, method: str) -> None:
        with pytest.raises(UserError, match="scale of the logits"):
            scored(assembled(seeded(ENDINGS[name], kind=WithoutHead)), method)

    def test_sigmoid_is_inverted(self) -> None:
        model = assembled(seeded(ENDINGS["sigmoid"], kind=WithoutHead))
        assert model.output.ending == "sigmoid" and model.output.scaled
        expected = logits_of(assembled(seeded(ENDINGS["logits"], kind=WithoutHead)))
        np.testing.assert_allclose(logits_of(model), expected, rtol=1e-3, atol=1e-4)

    def test_answers_between_0_and_1_that_are_no_sigmoid_stay_with_a_warning(self) -> None:
        model = assembled(seeded(lambda z: z / 40 + 0.5, kind=WithoutHead))
        assert codes(model) == {"output": "warning"} and model.output == LOGITS

    def test_the_record_of_a_method_says_whether_a_constant_matters(self) -> None:
        found = extraction.extract(assembled(seeded(ENDINGS["logits"])), IMAGES, device="cpu")
        moved = replace(found, logits=found.logits + np.arange(6, dtype=np.float32)[:, None])
        for record in methods.RECORDS.values():
            if record.family == "logits" and not record.fits:
                same = np.allclose(methods.score(record.name, found), methods.score(record.name, moved), rtol=1e-4)
                assert same is not record.reads_scale, record.name


class TestOneOutput:
    FORMS: ClassVar = {
        "z": lambda z: z,
        "z, no dimension": lambda z: z.squeeze(1),
        "sigmoid": torch.sigmoid,
        "sigmoid, no dimension": lambda z: z.sigmoid().flatten(),
    }

    @pytest.mark.parametrize("kind", [Network, WithoutHead])
    @pytest.mark.parametrize("form", FORMS)
    def test_becomes_two_logits(self, form: str, kind: type[Network]) -> None:
        network = seeded(self.FORMS[form], 1, kind)
        with torch.no_grad():
            z = nn.Module.__call__(seeded(self.FORMS["z"], 1, kind), TRANSFORM.normalise(VIEWS)).numpy()
        model = assembled(network, ("class 0",))
        logits = logits_of(model)
        np.testing.assert_array_equal(logits[:, 0], 0)
        np.testing.assert_allclose(logits[:, 1:], z, rtol=1e-3, atol=1e-4)
        assert model.classes == ("negative", "positive")
        assert model.has_head is (kind is Network)

    def test_two_names_are_kept(self) -> None:
        assert assembled(seeded(torch.sigmoid, 1), ("cat", "dog")).classes == ("cat", "dog")

    def test_methods_of_the_head(self) -> None:
        model = assembled(seeded(torch.sigmoid, 1), ("cat", "dog"))
        found = extraction.extract(model, IMAGES, device="cpu")
        np.testing.assert_allclose(model.logits_of(found.pooled), found.logits, rtol=1e-4, atol=1e-5)
        for method in ("msp", "energy", "ash-s", "gradnorm", "rankfeat", "odin", "grad-uncertainty"):
            assert np.ptp(scored(model, method)) > 0, method

    def test_a_checkpoint_with_one_output(self, tmp_path: Path, models_folder: Path) -> None:
        torch.manual_seed(0)
        torch.save(models.ARCHITECTURES["resnet20"].build(1).state_dict(), path := tmp_path / "one.pth")
        assert models.load_checkpoint("resnet20", path).classes == ("negative", "positive")
        assert models.load(models.add(path, "resnet20", "Cats", classes=("cat", "dog"))).classes == ("cat", "dog")
