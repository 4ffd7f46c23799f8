"""Torchvision's names: for each family the map's mean, or the features that are kept, times the head gives the
network's own logits."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import vision_transformer

from nap_core import models
from nap_core.errors import UserError
from nap_core.extraction import look
from nap_core.models import LoadedModel, architectures, torchvision_families

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
# Those whose last layer reads more than the means, and the side of the images that they take here.
MORE = {
    "vgg11": 64,
    "vgg11_bn": 64,
    "vgg16": 64,
    "alexnet": 96,
    "mobilenet_v3_small": 96,
    "mobilenet_v3_large": 96,
    "convnext_tiny": 96,
    "swin_t": 96,
    "swin_v2_t": 96,
    "maxvit_t": 224,
    "vit_b_32": 224,
    "vit_b_16": 224,
}
SIDE = 96
# The smallest of each family stands for it; what a family's other networks add is slow.
QUICK = frozenset(
    (
        "resnet18",
        "densenet121",
        "mobilenet_v2",
        "efficientnet_b0",
        "regnet_x_400mf",
        "shufflenet_v2_x0_5",
        "mnasnet0_5",
        "vgg11",
        "alexnet",
        "mobilenet_v3_small",
        "convnext_tiny",
        "swin_t",
        "maxvit_t",
        "vit_b_32",
    )
)


# MaxViT takes no images smaller than 224 × 224, VGG-11 has 133 million weights and a head like AlexNet's, Swin and ViT
# are seconds each and stand small in tests/methods and tests/pages: quick where nothing goes through them.
RUN_QUICKLY = QUICK - {"maxvit_t", "vgg11", "swin_t", "vit_b_32"}


def by_family(names: Iterable[str], quick: frozenset[str] = QUICK) -> list[object]:
    """Values of a parameter: of each family the smallest, and the others marked slow."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


def test_every_family_is_among_the_quick_ones() -> None:
    def end(name: str) -> tuple[type, str, str]:
        family = torchvision_families.family_of(name)
        return type(family.hook), family.head, family.note

    assert {end(name) for name in QUICK} == {end(name) for name in torchvision_families.names()}


def randomised(name: str, classes: int = 7) -> nn.Module:
    torch.manual_seed(0)
    network = architectures.find(name).build(classes).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.bias.normal_(0, 0.1)
        head = network.get_submodule(architectures.find(name).head)
        head.weight.normal_(0, 0.05)  # ViT's is zero at first
        if head.bias is not None:
            head.bias.normal_()
    return network


def assert_same_weights(one: nn.Module, other: nn.Module) -> None:
    states = one.state_dict(), other.state_dict()
    assert states[0].keys() == states[1].keys()
    assert [name for name, values in states[0].items() if not torch.equal(values, states[1][name])] == []


def loaded(name: str, side: int, classes: int = 7) -> LoadedModel:
    blueprint = architectures.find(name)
    transform = replace(blueprint.transform, resize=side, crop=side)
    return models.assemble(blueprint, randomised(name, classes), transform, tuple("abcdefg"), "")


@pytest.mark.parametrize("name", by_family(SMALLEST))
def test_mean_times_head_is_the_networks_own_logits(name: str) -> None:
    blueprint, network = architectures.find(name), randomised(name)
    found: list[torch.Tensor] = []
    torch.manual_seed(1)
    with torch.inference_mode(), blueprint.hook.capture(network, found.append):
        logits = network(torch.randn(2, 3, SIDE, SIDE))
    head = network.get_submodule(blueprint.head)
    assert found[0].ndim == 4 and min(found[0].shape[2:]) > 1
    assert logits.shape == (2, 7)
    torch.testing.assert_close(head(found[0].mean((2, 3))), logits, rtol=1e-4, atol=1e-4 * float(logits.abs().max()))
    # Networks of ReLU are read after it; EfficientNet's SiLU has no such bound.
    assert name.startswith("efficientnet") or found[0].min() >= 0


@pytest.mark.parametrize("name", by_family(SMALLEST))
def test_features_are_not_kept_where_the_mean_is_all_that_the_head_reads(name: str) -> None:
    model = loaded(name, SIDE)
    assert not model.keeps_features and model.logits_from_means


@pytest.mark.parametrize("name", by_family(MORE, RUN_QUICKLY))
def test_features_times_head_is_the_networks_own_logits(name: str) -> None:
    model, side = loaded(name, MORE[name]), MORE[name]
    assert model.keeps_features and not model.logits_from_means
    views = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    found, maps = look(model, views, device="cpu")
    with torch.inference_mode():
        alone = model.network(model.transform.normalise(torch.tensor(views).permute(0, 3, 1, 2))).numpy()
    np.testing.assert_array_equal(found.logits, alone)  # what is read on the way changes nothing, not by a bit
    assert found.logits.shape == (2, 7) and found.logits.std() > 0
    assert found.features is not None
    np.testing.assert_allclose(model.logits_of(found.features), found.logits, rtol=1e-4, atol=1e-4)
    assert maps.ndim == 4 and min(maps.shape[2:]) > 1
    np.testing.assert_array_equal(found.maximum, maps.max((2, 3)))
    assert name.startswith("mobilenet_v3") or maps.min() >= 0
    assert maps.min() < maps.max()


@pytest.mark.slow
def test_a_vgg_is_read_where_its_last_max_pooling_ends() -> None:
    model = loaded("vgg16", 64)
    views = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    found, maps = look(model, views, device="cpu")
    before = replace(model, architecture=replace(model.architecture, hook=models.FeatureHook("features.29")))
    finer, finer_maps = look(before, views, device="cpu")
    assert (maps.shape, finer_maps.shape) == ((1, 512, 2, 2), (1, 512, 4, 4))
    # What the note says of the two: the same maxima, other means.
    np.testing.assert_array_equal(found.maximum, finer.maximum)
    assert (found.mean >= finer.mean - 1e-7).all() and found.mean.sum() > finer.mean.sum()
    assert found.features is not None and found.features.shape == (1, 4096)
    assert "does not say which" in model.architecture.note


@pytest.mark.parametrize("name", by_family(torchvision_families.names()))
def test_every_name_has_a_title_and_says_where_nap_is_read(name: str) -> None:
    blueprint = architectures.find(name)
    assert blueprint.title != name and "_" not in blueprint.title
    assert "NAP" in blueprint.note
    assert getattr(blueprint.hook, "rectified", False) == ("without a ReLU" in blueprint.note)


def test_titles() -> None:
    expected = {
        "resnet50": "ResNet-50",
        "resnext50_32x4d": "ResNeXt-50 32×4d",
        "wide_resnet50_2": "Wide ResNet-50-2",
        "regnet_y_1_6gf": "RegNetY-1.6GF",
        "regnet_x_400mf": "RegNetX-400MF",
        "vgg16_bn": "VGG-16 with batch norm",
        "vit_b_16": "ViT-B/16",
        "swin_v2_t": "SwinV2-T",
        "convnext_tiny": "ConvNeXt-Tiny",
        "mobilenet_v3_small": "MobileNetV3-Small",
        "no_such_network": "no_such_network",
    }
    assert {name: torchvision_families.title(name) for name in expected} == expected
    titles = [torchvision_families.title(name) for name in torchvision_families.names()]
    assert len(set(titles)) == len(titles)


LAYERED = {
    **dict.fromkeys(SMALLEST, SIDE),
    **{name: side for name, side in MORE.items() if architectures.find(name).layers},
}


@pytest.mark.parametrize("name", by_family(LAYERED, RUN_QUICKLY))
def test_layers_are_maps_that_shrink(name: str) -> None:
    blueprint, network = architectures.find(name), randomised(name)
    sizes = []
    for layer in blueprint.layers:
        network.get_submodule(layer).register_forward_hook(lambda _module, _inputs, maps: sizes.append(maps.shape[-1]))
    with torch.inference_mode():
        network(torch.randn(1, 3, LAYERED[name], LAYERED[name]))
    assert len(sizes) == len(blueprint.layers) == 4
    assert sizes == sorted(sizes, reverse=True)


# RegNets reckon their widths with tensors, which have no numbers there; their stages have the same names in all.
@pytest.mark.parametrize(
    "name", by_family(name for name in torchvision_families.names() if not name.startswith("regnet"))
)
def test_every_name_has_the_tap_the_head_and_the_layers(name: str) -> None:
    blueprint = architectures.find(name)
    with torch.device("meta"):  # shapes without numbers: the largest has 645 million
        network = blueprint.build(7)
    head = network.get_submodule(blueprint.head)
    assert isinstance(head, nn.Linear) and head.out_features == 7
    for module in (blueprint.hook.module, *blueprint.layers):
        network.get_submodule(module)


def test_all_but_the_families_that_end_otherwise_are_there() -> None:
    names = architectures.names()
    assert {"resnet20", "resnet110", "resnet18", "resnet152", "wide_resnet50_2", "densenet201", "regnet_y_128gf"} <= {
        *names
    }
    assert {"mobilenet_v3_small", "vgg19_bn", "vit_h_14", "convnext_large", "swin_b", "swin_v2_s", "alexnet"} <= {
        *names
    }
    assert not {name for name in names if name.startswith(("squeezenet", "googlenet", "inception"))}
    assert len(names) == len(set(names))


def test_a_clash_of_names_would_be_ours() -> None:
    assert architectures.find("resnet20") is architectures.ARCHITECTURES["resnet20"]
    assert architectures.find("inception_v3") is None


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_checkpoint_loads_by_torchvisions_name(prefix: str, tmp_path: Path) -> None:
    network = randomised("resnet18", 100)
    path = tmp_path / "weights.pth"
    torch.save({prefix + name: value for name, value in network.state_dict().items()}, path)
    model = models.load_checkpoint("resnet18", path)
    assert len(model.classes) == 100
    assert model.transform == models.Transform(256, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert_same_weights(model.network, network)


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
    assert_same_weights(models.load_checkpoint("densenet121", path).network, network)


def test_another_architectures_file_is_refused(tmp_path: Path) -> None:
    torch.save(randomised("resnet18").state_dict(), path := tmp_path / "weights.pth")
    with pytest.raises(UserError, match="do not fit this network"):
        models.load_checkpoint("resnet34", path)
    with pytest.raises(UserError, match=r"no architecture called “inception_v3”.*resnet110.*mobilenet_v2"):
        models.load_checkpoint("inception_v3", path)


# One of each family, and MNASNet, which reads no file whose entries tell no version.
@pytest.mark.parametrize(
    "name",
    by_family(
        ["vgg11_bn", "mobilenet_v3_small", "mnasnet0_5", "convnext_tiny", "swin_t", "swin_v2_t"],
        QUICK - {"convnext_tiny", "swin_t"},
    ),
)
def test_a_checkpoint_of_every_family_loads(name: str, tmp_path: Path) -> None:
    network = randomised(name)
    torch.save(dict(network.state_dict()), path := tmp_path / "weights.pth")
    usual = architectures.find(name).transform
    model = models.load_checkpoint(name, path, transform=replace(usual, resize=SIDE, crop=SIDE))
    assert_same_weights(model.network, network)


def small_vit() -> nn.Module:
    torch.manual_seed(0)
    return vision_transformer.vit_b_32(image_size=96, num_classes=5).eval()


@pytest.mark.slow
@pytest.mark.parametrize("old", [False, True])
def test_a_vit_is_as_large_as_its_file_says(old: bool, tmp_path: Path) -> None:
    network = small_vit()
    state = dict(network.state_dict())
    if old:  # the names in torchvision's own files
        for first, second in (("mlp.0.", "mlp.linear_1."), ("mlp.3.", "mlp.linear_2.")):
            state = {name.replace(first, second): value for name, value in state.items()}
        assert "encoder.layers.encoder_layer_0.mlp.linear_1.weight" in state
    torch.save(state, path := tmp_path / "vit.pth")
    usual = architectures.find("vit_b_32").transform
    model = models.load_checkpoint("vit_b_32", path, transform=replace(usual, resize=96, crop=96))
    assert_same_weights(model.network, network)
    assert len(model.classes) == 5
    with pytest.raises(UserError, match=r"This ViT-B/32 does not take images of 224 × 224 pixels.*centre crop to 96\."):
        models.load_checkpoint("vit_b_32", path)
