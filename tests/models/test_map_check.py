"""The map that NAP is read from: cut at zero unless an activation with a small floor made it; of several neurons."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from nap_core import extraction, models
from nap_core.cli import main
from nap_core.errors import UserError
from nap_core.extraction.forward_pass import ForwardPass
from nap_core.models import FeatureHook, LoadedModel, Transform, Variant
from nap_core.models.module_trace import has_small_floor
from nap_core.studies.study import Study
from tests.models.test_output import IMAGES, assembled, codes


class Swish(nn.Module):
    """A user's own activation function, in a module of another name."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * x.sigmoid()


SMALL_FLOOR = [nn.ReLU(), nn.ReLU6(), nn.SiLU(), nn.GELU(), nn.Hardswish(), nn.Mish(), nn.SiLU(inplace=True), Swish()]
LETS_THROUGH = [
    *(nn.LeakyReLU(0.01), nn.LeakyReLU(0.3), nn.ELU(), nn.ELU(0.3), nn.PReLU(), nn.PReLU(6), nn.SELU(), nn.CELU()),
    *(nn.RReLU(), nn.Tanh(), nn.LogSigmoid(), nn.Softsign(), nn.Hardtanh(), nn.Tanhshrink(), nn.Identity()),
]


def read_after(activation: nn.Module, hook: FeatureHook | None = None) -> LoadedModel:
    torch.manual_seed(0)
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), activation, pool, nn.Linear(6, 4))
    return assembled(network, hook=hook)


def name(module: nn.Module) -> str:
    return repr(module)


HOOKS = [None, FeatureHook("2"), FeatureHook("3", side="input")]


class TestFloor:
    @pytest.mark.parametrize("module", SMALL_FLOOR, ids=name)
    def test_small_floors(self, module: nn.Module) -> None:
        assert has_small_floor(module)

    @pytest.mark.parametrize("module", [*LETS_THROUGH, nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.GLU()], ids=name)
    def test_others(self, module: nn.Module) -> None:
        assert not has_small_floor(module)

    @pytest.mark.parametrize("hook", HOOKS, ids=str)
    @pytest.mark.parametrize("module", SMALL_FLOOR, ids=name)
    def test_maps_of_small_floors_stay(self, module: nn.Module, hook: FeatureHook | None) -> None:
        model = read_after(module, hook)
        assert not model.hook.rectified and not model.findings and not model.keeps_features

    @pytest.mark.parametrize("hook", HOOKS, ids=str)
    @pytest.mark.parametrize("module", LETS_THROUGH, ids=name)
    def test_maps_of_others_are_cut_and_it_is_said(self, module: nn.Module, hook: FeatureHook | None) -> None:
        model = read_after(module, hook)
        found = extraction.extract(model, IMAGES, device="cpu")
        assert model.hook.rectified and codes(model) == {"map": "note"}
        assert ", rectified" in extraction.store_key(model, IMAGES).layer
        assert found.mean.min() >= 0 and found.maximum.min() >= 0
        np.testing.assert_allclose(model.logits_of(found.pooled), found.logits, rtol=1e-3, atol=1e-5)

    def test_the_activation_is_named(self) -> None:
        assert "LeakyReLU" in read_after(nn.LeakyReLU()).findings[0].sentence

    def test_another_layer(self) -> None:
        model = models.with_layer(read_after(nn.ReLU()), "1")
        assert codes(model) == {"map": "note"} and "“1”" in model.findings[0].sentence
        assert not models.with_layer(model, "2").findings


SMALL = Transform(32, 32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


@pytest.fixture(scope="module")
def one_neuron(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ResNet-18 whose map has one neuron at 32 × 32 pixels."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "cifar-resnet18.pth"
    torch.save(torchvision.models.resnet18(num_classes=10).state_dict(), path)
    return path


class TestOneNeuron:
    def test_loading_says_what_would_work(self, one_neuron: Path) -> None:
        model = models.load_checkpoint("resnet18", one_neuron, transform=SMALL)
        assert codes(model) == {"map": "refused"}
        sentence = model.findings[0].sentence
        assert "32 × 32" in sentence and "“layer3” (2 × 2)" in sentence and "64 pixels" in sentence

    def test_what_is_said_works(self, one_neuron: Path) -> None:
        model = models.load_checkpoint("resnet18", one_neuron, transform=SMALL)
        for other in (
            models.with_layer(model, "layer3"),
            models.with_preprocessing(model, SMALL.changed("64/64")),
        ):
            assert models.require_neurons(other) is other and not codes(other)
            assert extraction.extract(other, IMAGES, limit=2, device="cpu").maximum.shape[0] == 2

    @pytest.mark.parametrize(
        "use",
        [
            lambda model: ForwardPass(model, torch.device("cpu"), 1, autocast=False),
            lambda model: extraction.extract(model, IMAGES, device="cpu"),
            lambda model: extraction.maps(model, [IMAGES.image(0)], device="cpu"),
            models.require_neurons,
        ],
    )
    def test_every_pass_refuses(self, use: Callable[[LoadedModel], object], one_neuron: Path) -> None:
        with pytest.raises(UserError, match="one neuron"):
            use(models.load_checkpoint("resnet18", one_neuron, transform=SMALL))

    def test_a_kept_model(self, one_neuron: Path, models_folder: Path) -> None:
        with pytest.raises(UserError, match="one neuron"):
            models.add(one_neuron, "resnet18", "Small", transform=SMALL)
        kept = models.add(one_neuron, "resnet18", "Large", transform=SMALL.changed("64/64"))
        study = Study(kept, "cifar10", ("mnist",), 5)
        assert study.network().map_shape == (512, 2, 2)
        with pytest.raises(UserError, match="one neuron"):
            Study(kept, "cifar10", ("mnist",), 5, transform="32/32").network()
        both = Study(kept, "cifar10", ("mnist",), 5, layer="layer3", transform="32/32").network()
        assert both.map_shape == (256, 2, 2)
        with pytest.raises(UserError, match="one neuron"):
            models.load(Variant(kept, transform="32/32"))

    def test_the_command_line(self, one_neuron: Path, capsys: pytest.CaptureFixture[str], store_root: Path) -> None:
        words = ["--model", "resnet18", "--weights", str(one_neuron), "--view", "32/32", "--quiet"]
        assert main(["extract", "mnist", "--limit", "2", *words]) == 2
        assert "one neuron" in capsys.readouterr().err
        assert main(["extract", "mnist", "--limit", "2", *words, "--layer", "layer3"]) == 0
        assert main(["layers", *words]) == 0
        assert main(["models", "--check", *words[1:]]) == 0
        assert "REFUSED (map)" in capsys.readouterr().out
