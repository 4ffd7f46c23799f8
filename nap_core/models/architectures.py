"""The architectures: how each is built, where its penultimate map is, and which module is its linear head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torchvision.models import EfficientNet_B0_Weights

from nap_core.models import timm_networks, torchvision_families
from nap_core.models.attention_hook import AttentionTap
from nap_core.models.cifar_networks import CifarDenseNet, CifarResNet
from nap_core.models.feature_hook import FeatureHook
from nap_core.models.preprocessing import Transform

CIFAR_TRANSFORM = Transform(32, 32, mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010))
# (x · 255 − 127) / 128, the network's own preprocessing, written as (x − mean) / std.
LITE_TRANSFORM = Transform(256, 224, mean=(127 / 255,) * 3, std=(128 / 255,) * 3, interpolation="bicubic")


@dataclass(frozen=True)
class Architecture:
    """A network without its weights. ``build`` takes the number of classes; ``tap`` is the penultimate map, ``head``
    the dotted name of the last linear layer, empty where there is none; None for either is to find it in the network.
    ``classes_from`` is the entry of a weights file that has a row a class, where it is not the head's weight.
    ``transform`` is the usual one. ``layers`` are the modules at whose ends methods look that read several layers, the
    earliest first; ``renamed`` turns the name of an entry in a weights file into the network's own, and ``adapted``
    makes the network fit what else such a file decides, before it is loaded. ``note`` says in a sentence or two where
    NAP is read."""

    name: str
    title: str
    build: Callable[[int], nn.Module]
    hook: FeatureHook | AttentionTap | None
    head: str | None
    transform: Transform
    layers: tuple[str, ...] = ()
    renamed: Callable[[str], str] = lambda name: name
    adapted: Callable[[nn.Module, Mapping[str, Tensor]], None] = lambda _network, _state: None
    note: str = ""
    classes_from: str = ""

    @property
    def counts_classes(self) -> str:
        """The entry of a weights file that has a row a class."""
        return self.classes_from or f"{self.head}.weight"


def _efficientnet_lite0(num_classes: int) -> nn.Module:
    network: nn.Module = EfficientNet.from_name("efficientnet-lite0", num_classes=num_classes)
    return network


def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 class names of ImageNet-1k in the order of their indices."""
    return tuple(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])


def _cifar_resnet(depth: int) -> Architecture:
    build = partial(_build_resnet, depth)
    layers = ("layer1", "layer2", "layer3")
    return Architecture(
        f"resnet{depth}",
        f"ResNet-{depth}",
        build,
        FeatureHook("penultimate"),
        "linear",
        CIFAR_TRANSFORM,
        layers,
        note=torchvision_families.RELU_NOTE,
    )


def _build_resnet(depth: int, num_classes: int) -> nn.Module:
    return CifarResNet(depth, num_classes)


def _cifar_densenet(depth: int, growth: int) -> Architecture:
    return Architecture(
        f"densenet_bc_{depth}_{growth}",
        f"DenseNet-BC-{depth}-{growth}",
        partial(_build_densenet, depth, growth),
        FeatureHook("penultimate"),
        "fc",
        CIFAR_TRANSFORM,
        ("trans1", "trans2", "penultimate"),
        note=torchvision_families.RELU_NOTE,
    )


def _build_densenet(depth: int, growth: int, num_classes: int) -> nn.Module:
    return CifarDenseNet(depth, growth, num_classes)


ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        *(_cifar_resnet(depth) for depth in (20, 32, 44, 56, 110)),
        _cifar_densenet(40, 12),
        _cifar_densenet(100, 12),
        Architecture(
            "efficientnet_lite0",
            "EfficientNet-Lite0",
            _efficientnet_lite0,
            FeatureHook("_avg_pooling", side="input"),
            "_fc",
            LITE_TRANSFORM,
            ("_blocks.2", "_blocks.4", "_blocks.10", "_blocks.15"),
            note=torchvision_families.RELU_NOTE,
        ),
    )
}


def find(name: str) -> Architecture | None:
    """The architecture called ``name``: one of ``ARCHITECTURES``, of torchvision's by torchvision's name, or of timm's
    by timm's name after ``timm:``. Raises UserError for the latter without timm."""
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    if timm_networks.trained_on(name):
        return _timm(name)
    family = torchvision_families.family_of(name)
    if family is None:
        return None
    transform = torchvision_families.IMAGENET_TRANSFORM
    return Architecture(
        name,
        torchvision_families.title(name),
        family.build(name),
        family.hook,
        family.head,
        transform,
        family.layers,
        family.renamed,
        family.adapted,
        family.note,
    )


def _timm(name: str) -> Architecture:
    return Architecture(
        name,
        f"{name.removeprefix(timm_networks.PREFIX)} (timm)",
        timm_networks.builder(name),
        None,
        None,
        timm_networks.transform(name),
        adapted=timm_networks.sized,
        classes_from=timm_networks.classes_from(name),
    )


def names() -> tuple[str, ...]:
    """Every name that ``find`` knows: ours, then torchvision's. timm's are in ``timm_networks.names``."""
    return (*ARCHITECTURES, *torchvision_families.names())
