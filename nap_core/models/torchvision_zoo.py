"""Torchvision's classifiers with its own ImageNet weights: models that need a download and nothing else.

``torchvision:resnet50`` is the network with torchvision's default weights, ``torchvision:resnet50:IMAGENET1K_V1`` with
another set of them. The files lie where torch keeps them, under torchvision's names: what either of the two has fetched
the other finds.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torchvision.models import Weights, WeightsEnum, get_model_weights

from nap_core.models import torchvision_families
from nap_core.models.preprocessing import Transform
from nap_core.models.spec import ModelRecord
from nap_core.storage.downloads import Download

PREFIX = "torchvision:"
KNOWS = "ImageNet-1k"
IMAGES = 200
CLASSES = 1000
_OOD = ("textures", "uniform-noise")
_DIGEST = re.compile(r"-([0-9a-f]{8,64})\.pth$")
_SWAG = "CC BY-NC 4.0, for non-commercial use"
_TORCHVISION = "BSD-3-Clause, as torchvision; trained on ImageNet, whose terms are its own"


@cache
def names() -> tuple[str, ...]:
    """Every model there is: each architecture with its default weights, then with the others."""
    return tuple(name for architecture in torchvision_families.names() for name in _sets(architecture))


@cache
def _sets(architecture: str) -> dict[str, WeightsEnum]:
    """The sets of weights of an architecture that classify ImageNet, by the names of the models."""
    every = get_model_weights(architecture)
    found = {PREFIX + architecture: every.DEFAULT}
    found |= {f"{PREFIX}{architecture}:{one.name}": one for one in every if one is not every.DEFAULT}
    return {name: one for name, one in found.items() if _classifies(one)}


def _classifies(weights: WeightsEnum) -> bool:
    # One set of VGG-16's holds features for style transfer, without classes.
    return len(weights.meta["categories"] or ()) == CLASSES


@cache
def record(name: str) -> ModelRecord:
    """What torchvision knows of a model of ``names``. Raises KeyError for another name."""
    if name not in names():
        raise KeyError(name)
    architecture = name.removeprefix(PREFIX).split(":")[0]
    weights = _sets(architecture)[name]
    told: Weights = weights.value
    title = torchvision_families.title(architecture)
    return ModelRecord(
        name=name,
        title=title if name == PREFIX + architecture else f"{title} ({weights.name.removeprefix('IMAGENET1K_')})",
        architecture=architecture,
        trained_on=KNOWS,
        id_dataset=None,
        fit_dataset=None,
        ood_datasets=_OOD,
        images=IMAGES,
        weights=lambda: place(told.url),
        classes=lambda: tuple(told.meta["categories"]),
        accuracy=told.meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100,
        licence=_SWAG if "license" in told.meta else _TORCHVISION,
        source=f"torchvision, {weights.name}; how it was trained: {told.meta['recipe']}",
        transform=_transform(told),
        downloads=lambda: (_download(title, told),),
    )


def place(url: str) -> Path:
    """Where torch keeps the file of an address: ``checkpoints`` in its hub folder, which TORCH_HOME moves."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(url).path).name


def _download(title: str, weights: Weights) -> Download:
    path = place(weights.url)
    digest = _DIGEST.search(path.name)
    # Torchvision tells the size in units of 2**20 bytes, to three decimals.
    size = round(weights.meta["_file_size"] * 2**20)
    return Download(
        weights.url, path, f"{title}’s weights", size=size, checksum=f"sha256-prefix:{digest[1]}" if digest else ""
    )


def _transform(weights: Weights) -> Transform:
    preset: Any = weights.transforms()
    (resize,), (crop,) = preset.resize_size, preset.crop_size
    return Transform(resize, crop, tuple(preset.mean), tuple(preset.std), preset.interpolation.value)
