"""Torchvision's names: for each family the map's mean times the head gives the network's own logits."""

from pathlib import Path

import pytest
import torch
from torch import nn

from nap_core import models
from nap_core.errors import UserError
from nap_core.models import architectures, torchvision_families

# The smallest network of each way to end; the others of a family are checked without numbers below.
SMALLEST = (
    "resnet18",
    "resnet50",
    "densenet121",
    "mobilenet_v2",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "regnet_x_400mf",
    "regnet_y_400mf",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
)
SIDE = 96


def randomised(name: str, classes: int = 7) -> nn.Module:
    torch.manual_seed(0)
    network = architectures.find(name).build(classes).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.bias.normal_(0, 0.1)
        network.get_submodule(architectures.find(name).head).bias.normal_()
    return network


@pytest.mark.parametrize("name", SMALLEST)
def test_mean_times_head_is_the_networks_own_logits(name: str) -> None:
    blueprint, network = architectures.find(name), randomised(name)
    found: list[torch.Tensor] = []
    torch.manual_seed(1)
    with torch.inference_mode(), blueprint.tap.reading(network, found.append):
        logits = network(torch.randn(2, 3, SIDE, SIDE))
    head = network.get_submodule(blueprint.head)
    assert found[0].ndim == 4 and min(found[0].shape[2:]) > 1
    assert logits.shape == (2, 7)
    torch.testing.assert_close(head(found[0].mean((2, 3))), logits, rtol=1e-4, atol=1e-4 * float(logits.abs().max()))
    # Networks of ReLU are read after it; EfficientNet's SiLU has no such bound.
    assert name.startswith("efficientnet") or found[0].min() >= 0


@pytest.mark.parametrize("name", SMALLEST)
def test_layers_are_maps_that_shrink(name: str) -> None:
    blueprint, network = architectures.find(name), randomised(name)
    sizes = []
    for layer in blueprint.layers:
        network.get_submodule(layer).register_forward_hook(lambda _module, _inputs, maps: sizes.append(maps.shape[-1]))
    with torch.inference_mode():
        network(torch.randn(1, 3, SIDE, SIDE))
    assert len(sizes) == len(blueprint.layers) == 4
    assert sizes == sorted(sizes, reverse=True)


# RegNets reckon their widths with tensors, which have no numbers there; their stages have the same names in all.
@pytest.mark.parametrize("name", [name for name in torchvision_families.names() if not name.startswith("regnet")])
def test_every_name_has_the_tap_the_head_and_the_layers(name: str) -> None:
    blueprint = architectures.find(name)
    with torch.device("meta"):  # shapes without numbers: the largest has 645 million
        network = blueprint.build(7)
    head = network.get_submodule(blueprint.head)
    assert isinstance(head, nn.Linear) and head.out_features == 7
    for module in (blueprint.tap.module, *blueprint.layers):
        network.get_submodule(module)


def test_all_but_the_families_that_end_otherwise_are_there() -> None:
    names = architectures.names()
    assert {"resnet20", "resnet110", "resnet18", "resnet152", "wide_resnet50_2", "densenet201", "regnet_y_128gf"} <= {
        *names
    }
    assert not {name for name in names if name.startswith(("mobilenet_v3", "vgg", "vit", "convnext", "googlenet"))}
    assert len(names) == len(set(names))


def test_a_clash_of_names_would_be_ours() -> None:
    assert architectures.find("resnet20") is architectures.ARCHITECTURES["resnet20"]
    assert architectures.find("vgg16") is None


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_checkpoint_loads_by_torchvisions_name(prefix: str, tmp_path: Path) -> None:
    network = randomised("resnet18", 100)
    path = tmp_path / "weights.pth"
    torch.save({prefix + name: value for name, value in network.state_dict().items()}, path)
    model = models.load_checkpoint("resnet18", path)
    assert len(model.classes) == 100
    assert model.transform == models.Transform(256, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    torch.testing.assert_close(model.network.state_dict(), network.state_dict())


def test_names_in_torchvisions_own_densenet_files_are_understood(tmp_path: Path) -> None:
    network = randomised("densenet121")
    old = {}
    for name, value in network.state_dict().items():
        for word in ("norm1.", "norm2.", "conv1.", "conv2."):
            if "denselayer" in name:
                name = name.replace(word, f"{word[:-2]}.{word[-2:]}")
        old[name] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, path := tmp_path / "densenet121.pth")
    torch.testing.assert_close(models.load_checkpoint("densenet121", path).network.state_dict(), network.state_dict())


def test_another_architectures_file_is_refused(tmp_path: Path) -> None:
    torch.save(randomised("resnet18").state_dict(), path := tmp_path / "weights.pth")
    with pytest.raises(UserError, match="do not fit this network"):
        models.load_checkpoint("resnet34", path)
    with pytest.raises(UserError, match=r"no architecture called “vgg16”.*resnet110.*mobilenet_v2"):
        models.load_checkpoint("vgg16", path)
