"""Torchvision's networks whose logits are a linear head on the spatial mean of their last map, built by name.

Each family ends in a map (B, C, H, W), its mean over H × W, dropout perhaps, and one linear layer. Families that end
otherwise are left out: MobileNetV3, VGG and AlexNet have more than one layer after the mean, ConvNeXt normalises it,
SqueezeNet averages its logits, the Inception networks carry auxiliary heads in their files, Transformers have no map.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torchvision.models as torchvision_models
from torch import nn
from torchvision.models import get_model, list_models

from nap_core.models.tap import Tap
from nap_core.models.transform import Transform

IMAGENET_TRANSFORM = Transform(256, 224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


@dataclass(frozen=True)
class Family:
    """What the networks have in common whose names start alike; see ``Architecture`` for the words."""

    tap: Tap
    head: str
    layers: tuple[str, ...]
    prepare: Callable[[nn.Module], None] = lambda _network: None
    renamed: Callable[[str], str] = lambda name: name

    def build(self, name: str) -> Callable[[int], nn.Module]:
        """What makes the network ``name`` with random weights for a number of classes."""
        return partial(self._built, name)

    def _built(self, name: str, num_classes: int) -> nn.Module:
        network: nn.Module = get_model(name, weights=None, num_classes=num_classes)
        self.prepare(network)
        return network


def _with_last_relu(network: nn.Module) -> None:
    # DenseNet's last ReLU is a function within forward(), where no tap reaches. A second ReLU changes nothing.
    network.get_submodule("features").add_module("relu5", nn.ReLU())


_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)")


def _today(name: str) -> str:
    """An entry of torchvision's DenseNet files, whose names are older than its code."""
    return _OLD_DENSENET.sub(r"\1", name)


_RESIDUAL = Family(Tap("avgpool", side="input"), "fc", ("layer1", "layer2", "layer3", "layer4"))
_EFFICIENT = Family(
    Tap("avgpool", side="input"), "classifier.1", ("features.2", "features.3", "features.5", "features")
)
FAMILIES: dict[str, Family] = {
    "resnet": _RESIDUAL,
    "resnext": _RESIDUAL,
    "wide_resnet": _RESIDUAL,
    "densenet": Family(
        Tap("features.relu5"),
        "classifier",
        ("features.transition1", "features.transition2", "features.transition3", "features.relu5"),
        _with_last_relu,
        _today,
    ),
    "mobilenet_v2": Family(Tap("features"), "classifier.1", ("features.3", "features.6", "features.13", "features")),
    "efficientnet_b": _EFFICIENT,
    "efficientnet_v2": _EFFICIENT,
    "regnet": Family(Tap("avgpool", side="input"), "fc", tuple(f"trunk_output.block{stage}" for stage in (1, 2, 3, 4))),
    "shufflenet_v2": Family(Tap("conv5"), "fc", ("stage2", "stage3", "stage4", "conv5")),
    "mnasnet": Family(Tap("layers"), "classifier.1", ("layers.8", "layers.9", "layers.11", "layers")),
}
"""By the start of the names."""


def family_of(name: str) -> Family | None:
    """The family of a name that torchvision knows; None for others and for networks that end in another way."""
    if name not in list_models(module=torchvision_models):
        return None
    return next((family for start, family in FAMILIES.items() if name.startswith(start)), None)


def names() -> tuple[str, ...]:
    """Every name of torchvision's that can be built."""
    return tuple(name for name in list_models(module=torchvision_models) if family_of(name))
