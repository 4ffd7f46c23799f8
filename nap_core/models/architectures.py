"""The architectures: constructor, penultimate feature map and linear head of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torchvision.models import EfficientNet_B0_Weights

from nap_core.models import timm_networks, torchvision_families
from nap_core.models.attention_hook import AttentionHook
from nap_core.models.cifar_networks import CifarDenseNet, CifarResNet
from nap_core.models.feature_hook import FeatureHook
from nap_core.models.preprocessing import Transform

CIFAR_TRANSFORM = Transform(32, 32, mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010))
# (x · 255 − 127) / 128, the network's own preprocessing, written as (x − mean) / std.
LITE_TRANSFORM = Transform(256, 224, mean=(127 / 255,) * 3, std=(128 / 255,) * 3, interpolation="bicubic")


@dataclass(frozen=True)
class Architecture:
    """A network without its weights.

    Attributes:
        name: the name on the command line and in records.
        title: the name on the screen.
        build: number of classes K → network with random weights.
        hook: where the penultimate feature map is read; None to locate it in the running network.
        head: dotted name of the last linear layer, "" if there is none; None to locate it.
        transform: the default preprocessing.
        layers: dotted names of the modules whose outputs multi-layer methods read, earliest first.
        renamed: name of an entry in a weights file → the network's name for it.
        adapted: called with network and state dict before loading; resizes what the file determines.
        note: where NAP is read, in one or two sentences.
        classes_from: the entry of a weights file whose rows are the classes, if it is not the head's weight.
    """

    name: str
    title: str
    build: Callable[[int], nn.Module]
    hook: FeatureHook | AttentionHook | None
    head: str | None
    transform: Transform
    layers: tuple[str, ...] = ()
    renamed: Callable[[str], str] = lambda name: name
    adapted: Callable[[nn.Module, Mapping[str, Tensor]], None] = lambda _network, _state: None
    note: str = ""
    classes_from: str = ""

    @property
    def counts_classes(self) -> str:
        """The entry of a weights file whose rows are the classes, (K, D)."""
        return self.classes_from or f"{self.head}.weight"


def _efficientnet_lite0(num_classes: int) -> nn.Module:
    network: nn.Module = EfficientNet.from_name("efficientnet-lite0", num_classes=num_classes)
    return network


def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 class names of ImageNet-1k in the order of their indices."""
    return tuple(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])


def _cifar_resnet(depth: int) -> Architecture:
    layers = ("layer1", "layer2", "layer3")
    return Architecture(
        f"resnet{depth}",
        f"ResNet-{depth}",
        partial(CifarResNet, depth),
        FeatureHook("penultimate"),
        "linear",
        CIFAR_TRANSFORM,
        layers,
        note=torchvision_families.RELU_NOTE,
    )


def _cifar_densenet(depth: int, growth: int) -> Architecture:
    return Architecture(
        f"densenet_bc_{depth}_{growth}",
        f"DenseNet-BC-{depth}-{growth}",
        partial(CifarDenseNet, depth, growth),
        FeatureHook("penultimate"),
        "fc",
        CIFAR_TRANSFORM,
        ("trans1", "trans2", "penultimate"),
        note=torchvision_families.RELU_NOTE,
    )


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
    """The architecture ``name``: one of ``ARCHITECTURES``, torchvision's name, or ``timm:`` and timm's name.

    None for an unknown name. Raises UserError for a timm name without timm.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    if timm_networks.owns(name):
        return _timm(name)
    family = torchvision_families.family_of(name)
    if family is None:
        return None
    title, transform = torchvision_families.title(name), torchvision_families.transform(name)
    kept = family.layers, family.renamed, family.adapted, family.note
    return Architecture(name, title, family.build(name), family.hook, family.head, transform, *kept)


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
    """The names of our architectures, then torchvision's. timm's are in ``timm_networks.names``."""
    return (*ARCHITECTURES, *torchvision_families.names())
