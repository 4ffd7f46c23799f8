"""Torchvision's image classifiers by family: penultimate feature map and last linear layer.

Most families end in a feature map (B, C, H, W), its mean over H × W, optional dropout and one linear layer. Others have
more layers or a norm in between; NAP reads the map, and extraction stores the head's input for the other methods.
SqueezeNet, which averages its logits, and the Inception networks, whose files contain auxiliary heads, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, cast

import torchvision.models as torchvision_models
from torch import Tensor, nn
from torchvision.models import VisionTransformer, Weights, get_model, get_model_weights, list_models
from torchvision.models.vgg import cfgs as vgg_plans

from nap_core.errors import UserError
from nap_core.models.attention_hook import AttentionHook
from nap_core.models.feature_hook import FeatureHook
from nap_core.models.preprocessing import Transform


@dataclass(frozen=True)
class Family:
    """What networks with the same name prefix share; the fields are those of ``Architecture``.

    By default a network is used as built, its files have today's names, and it does not depend on the file.
    """

    hook: FeatureHook | AttentionHook
    head: str
    layers: tuple[str, ...]
    note: str
    prepare: Callable[[nn.Module], None] = lambda _network: None
    renamed: Callable[[str], str] = lambda name: name
    adapted: Callable[[nn.Module, Mapping[str, Tensor]], None] = lambda _network, _state: None

    def build(self, name: str) -> Callable[[int], nn.Module]:
        """A function from the number of classes to the network ``name`` with random weights."""
        return partial(self._built, name)

    def _built(self, name: str, num_classes: int) -> nn.Module:
        network: nn.Module = get_model(name, weights=None, num_classes=num_classes)
        self.prepare(network)
        return network


def _with_last_relu(network: nn.Module) -> None:
    # DenseNet's last ReLU is functional, inside forward(), where no hook can be set. A second ReLU changes nothing.
    network.get_submodule("features").add_module("relu5", nn.ReLU())


# Entries of torchvision's files whose names are older than its code.
_today_densenet = partial(re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)").sub, r"\1")
_VIT_LAYER = {"1": "0", "2": "3"}
_today_vit = partial(re.compile(r"mlp\.linear_([12])(?=\.)").sub, lambda match: f"mlp.{_VIT_LAYER[match[1]]}")


def _sized_vit(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Resizes a ViT's position embedding to the number of patches in the file, before loading it."""
    positions = state.get("encoder.pos_embedding")
    if positions is None or positions.ndim != 3:
        return  # load_into reports missing entries
    count = positions.shape[1] - 1
    side = round(count**0.5)
    if side * side != count:
        raise UserError(f"The file has positions for {count} patches, which form no square: it is no classifier's ViT.")
    vit = cast(VisionTransformer, network)
    vit.image_size, vit.seq_length = side * vit.patch_size, positions.shape[1]
    vit.encoder.pos_embedding = nn.Parameter(positions.new_empty(positions.shape))


RELU_NOTE = (
    "NAP is read at the input of the global average pooling, after the last ReLU: the map whose means the last layer "
    "reads."
)
_NO_RELU = (
    "The last block ends without a ReLU, so its map is cut at zero before NAP is read from it; the last layer reads "
    "the whole map's means{norm}, which are kept beside it."
)
_LAYER_NORM = " after a norm"
_SMOOTH = (
    "NAP is read at the input of the global average pooling, after the last {name}, whose values a little below zero "
    "are left as they are."
)
_VGG = (
    "There is no global pooling: NAP is read where the last max-pooling ends{size}, the last map before the fully "
    "connected layers. The map before that max-pooling has the same maxima and lower means, and so a higher NAP; the "
    "paper does not say which of the two it reads. What the last layer reads is kept beside it."
)
_ATTENTION = (
    "NAP is the highest attention that the class token gives to a patch in the last block (Appendix K of the paper): "
    "of the mean over the heads, or of one head."
)

_POOLED = FeatureHook("avgpool", side="input")
_RESIDUAL = Family(_POOLED, "fc", ("layer1", "layer2", "layer3", "layer4"), RELU_NOTE)
_EFFICIENT = Family(
    _POOLED,
    "classifier.1",
    ("features.2", "features.3", "features.5", "features"),
    _SMOOTH.format(name="SiLU"),
)
_SWIN = Family(FeatureHook("avgpool", side="input", rectified=True), "head", (), _NO_RELU.format(norm=""))
_MOBILE_V3 = Family(
    FeatureHook("features"),
    "classifier.3",
    ("features.3", "features.6", "features.12", "features"),
    _SMOOTH.format(name="Hardswish") + " Another layer follows; what the last one reads is kept.",
)


def _vgg(plan: str, batch_norm: bool) -> Family:
    """A VGG by torchvision's letter; ``layers`` are the ends of its blocks, from the second on."""
    ends, position = [], 0
    for step in vgg_plans[plan]:
        if step == "M":
            ends.append(f"features.{position}")
        position += 1 if step == "M" else 3 if batch_norm else 2
    return Family(FeatureHook("features"), "classifier.6", tuple(ends[1:]), _VGG.format(size=" (7 × 7 at 224 pixels)"))


FAMILIES: dict[str, Family] = {
    "resnet": _RESIDUAL,
    "resnext": _RESIDUAL,
    "wide_resnet": _RESIDUAL,
    "densenet": Family(
        FeatureHook("features.relu5"),
        "classifier",
        ("features.transition1", "features.transition2", "features.transition3", "features.relu5"),
        RELU_NOTE,
        _with_last_relu,
        _today_densenet,
    ),
    "mobilenet_v2": Family(
        FeatureHook("features"), "classifier.1", ("features.3", "features.6", "features.13", "features"), RELU_NOTE
    ),
    "mobilenet_v3_small": replace(_MOBILE_V3, layers=("features.1", "features.3", "features.8", "features")),
    "mobilenet_v3_large": _MOBILE_V3,
    "efficientnet_b": _EFFICIENT,
    "efficientnet_v2": _EFFICIENT,
    "regnet": Family(
        _POOLED,
        "fc",
        tuple(f"trunk_output.block{stage}" for stage in (1, 2, 3, 4)),
        RELU_NOTE,
    ),
    "shufflenet_v2": Family(FeatureHook("conv5"), "fc", ("stage2", "stage3", "stage4", "conv5"), RELU_NOTE),
    "mnasnet": Family(
        FeatureHook("layers"), "classifier.1", ("layers.8", "layers.9", "layers.11", "layers"), RELU_NOTE
    ),
    "alexnet": Family(
        FeatureHook("features"),
        "classifier.6",
        ("features.2", "features.5", "features.9", "features"),
        _VGG.format(size=" (6 × 6 at 224 pixels)"),
    ),
    **{
        f"vgg{depth}{'_bn' if norm else ''}": _vgg(plan, norm)
        for depth, plan in ((11, "A"), (13, "B"), (16, "D"), (19, "E"))
        for norm in (True, False)  # the longer name first: names are matched by their start
    },
    "convnext": Family(
        FeatureHook("features", rectified=True),
        "classifier.2",
        ("features.1", "features.3", "features.5", "features.7"),
        _NO_RELU.format(norm=_LAYER_NORM),
    ),
    "swin": _SWIN,
    "maxvit": Family(
        FeatureHook("classifier.0", side="input", rectified=True),
        "classifier.5",
        ("blocks.0", "blocks.1", "blocks.2", "blocks.3"),
        "The last block ends without a ReLU, so its map is cut at zero before NAP is read from it. A norm and another "
        "layer follow; what the last one reads is kept beside it.",
    ),
    **{
        f"vit_{size}": Family(
            AttentionHook(f"encoder.layers.encoder_layer_{blocks - 1}.self_attention"),
            "heads.head",
            (),
            _ATTENTION,
            renamed=_today_vit,
            adapted=_sized_vit,
        )
        for size, blocks in (("b", 12), ("l", 24), ("h", 32))
    },
}
"""Families by name prefix."""


@cache
def family_of(name: str) -> Family | None:
    """The family of a torchvision name; None for unknown names and unsupported networks."""
    if name not in list_models(module=torchvision_models):
        return None
    return next((family for start, family in FAMILIES.items() if name.startswith(start)), None)


@cache
def transform(name: str) -> Transform:
    """The preprocessing that the default weights of the network ``name`` are evaluated with; nothing is downloaded."""
    return transform_of(get_model_weights(name).DEFAULT.value)


def transform_of(weights: Weights) -> Transform:
    """The preprocessing that weights are evaluated with."""
    preset: Any = weights.transforms()
    (resize,), (crop,) = preset.resize_size, preset.crop_size
    return Transform(resize, crop, tuple(preset.mean), tuple(preset.std), preset.interpolation.value)


@cache
def names() -> tuple[str, ...]:
    """The names of torchvision's networks that can be built."""
    return tuple(name for name in list_models(module=torchvision_models) if family_of(name))


# The first pattern that matches the whole name.
_TITLES: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"wide_resnet(\d+)_2", r"Wide ResNet-\1-2"),
    (r"resnext(\d+)_(\d+)x(\d+)d", r"ResNeXt-\1 \2×\3d"),
    (r"resnet(\d+)", r"ResNet-\1"),
    (r"densenet(\d+)", r"DenseNet-\1"),
    (r"vgg(\d+)_bn", r"VGG-\1 with batch norm"),
    (r"vgg(\d+)", r"VGG-\1"),
    (r"alexnet", "AlexNet"),
    (r"mobilenet_v2", "MobileNetV2"),
    (r"mobilenet_v3_(\w)(\w+)", lambda match: f"MobileNetV3-{match[1].upper()}{match[2]}"),
    (r"efficientnet_b(\d)", r"EfficientNet-B\1"),
    (r"efficientnet_v2_(\w)", lambda match: f"EfficientNetV2-{match[1].upper()}"),
    (r"regnet_([xy])_(\w+)([mg]f)", lambda match: f"RegNet{match[1].upper()}-{_point(match[2])}{match[3].upper()}"),
    (r"shufflenet_v2_x(\w+)", lambda match: f"ShuffleNetV2 ×{_point(match[1])}"),
    (r"mnasnet(\w+)", lambda match: f"MNASNet ×{_point(match[1])}"),
    (r"convnext_(\w)(\w+)", lambda match: f"ConvNeXt-{match[1].upper()}{match[2]}"),
    (r"vit_(\w)_(\d+)", lambda match: f"ViT-{match[1].upper()}/{match[2]}"),
    (r"swin_v2_(\w)", lambda match: f"SwinV2-{match[1].upper()}"),
    (r"swin_(\w)", lambda match: f"Swin-{match[1].upper()}"),
    (r"maxvit_(\w)", lambda match: f"MaxViT-{match[1].upper()}"),
)  # fmt: skip


def _point(number: str) -> str:
    return number.replace("_", ".")


@cache
def title(name: str) -> str:
    """The title as papers write it: "ResNet-50", "ViT-B/16"; the name itself if no pattern matches."""
    for pattern, written in _TITLES:
        match = re.fullmatch(pattern, name)
        if match:
            return match.expand(written) if isinstance(written, str) else written(match)
    return name
