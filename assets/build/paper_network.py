"""The network that the NAP, DICE and ASH papers evaluate on CIFAR-10, and real OOD images.

``reference`` is a folder with the checkpoint and the OOD images, ``cifar10`` one with cifar10_test.npz.
"""

from __future__ import annotations

from pathlib import Path

from nap_core import datasets, models
from nap_core.datasets import ImageDataset
from nap_core.methods import ScoringContext
from nap_core.models import LoadedModel
from nap_core.paper import published_tables
from nap_core.storage.activation_store import Store

ID = "CIFAR-10"


def network(reference: Path) -> LoadedModel:
    """DenseNet-BC-100-12, from the checkpoint of the DICE paper's repository."""
    weights = reference / "weights" / "densenet_bc_100_12_cifar10.pth.tar"
    return models.load_checkpoint("densenet_bc_100_12", weights, classes=models.CIFAR10_CLASSES)


def image_sets(reference: Path, cifar10: Path) -> dict[str, ImageDataset]:
    """CIFAR-10's test images, then the OOD datasets, by the names of ``published.OOD_NOTES``."""
    return {
        ID: datasets.from_npz(cifar10 / "cifar10_test.npz"),
        published_tables.SVHN: datasets.from_npz(reference / "data" / "svhn_1083.npz"),
        published_tables.CIFAR100: datasets.from_npz(reference / "data" / "cifar100_test.npz"),
        published_tables.TEXTURES: datasets.from_folder(reference / "data" / "textures"),
    }


def context(model: LoadedModel, store: Store) -> ScoringContext:
    """Methods estimate from the 5,000 bundled CIFAR-10 training images."""
    return ScoringContext(model, ID, datasets.load("cifar10-fit"), store=store)
