"""The network that the NAP, DICE and ASH papers evaluate on CIFAR-10, and real OOD images.

Scripts take ``--reference``, a folder with the checkpoint and the OOD images, and ``--cifar10``, one with
cifar10_test.npz.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from repository import REFERENCE, parser

from nap_core import datasets, models
from nap_core.datasets import ImageDataset
from nap_core.methods import EvaluationData, ScoringContext
from nap_core.methods.context import evaluation_data
from nap_core.models import LoadedModel
from nap_core.paper import published_tables
from nap_core.storage.activation_store import Store

ID = "CIFAR-10"
FAR, NEAR = (published_tables.SVHN, published_tables.TEXTURES), published_tables.CIFAR100


def arguments(description: str | None, *, write_only: bool = False) -> argparse.Namespace:
    """The arguments of a script; with ``write_only`` it can also make its document from stored figures."""
    reader = parser(description)
    reader.add_argument("--reference", type=Path, default=REFERENCE)
    reader.add_argument("--cifar10", type=Path, required=not write_only, help="the folder with cifar10_test.npz")
    if write_only:
        reader.add_argument("--write-only", action="store_true", help="measure nothing")
    given = reader.parse_args()
    if given.cifar10 is None and not given.write_only:
        reader.error("--cifar10 names the folder with cifar10_test.npz")
    return given


def network(reference: Path) -> LoadedModel:
    """DenseNet-BC-100-12, from the checkpoint of the DICE paper's repository."""
    weights = reference / "weights" / "densenet_bc_100_12_cifar10.pth.tar"
    return models.load_checkpoint("densenet_bc_100_12", weights, classes=models.CIFAR10_CLASSES)


def image_sets(args: argparse.Namespace) -> dict[str, ImageDataset]:
    """CIFAR-10's test images, then the OOD datasets, by the names of ``published_tables.OOD_NOTES``."""
    data = args.reference / "data"
    return {
        ID: datasets.from_npz(args.cifar10 / "cifar10_test.npz"),
        published_tables.SVHN: datasets.from_npz(data / "svhn_1083.npz"),
        published_tables.CIFAR100: datasets.from_npz(data / "cifar100_test.npz"),
        published_tables.TEXTURES: datasets.from_folder(data / "textures"),
    }


def evaluation_sets(args: argparse.Namespace, limit: int | None = None) -> EvaluationData:
    """The activations of the first ``limit`` images of each set, kept in the user's store.

    Methods estimate from the 5,000 bundled CIFAR-10 training images.
    """
    context = ScoringContext(network(args.reference), ID, datasets.load("cifar10-fit"), store=Store())
    return evaluation_data(ID, image_sets(args), context, limit=limit)
