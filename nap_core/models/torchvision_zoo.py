"""Torchvision's classifiers with its ImageNet weights.

``torchvision:resnet50`` has torchvision's default weights, ``torchvision:resnet50:IMAGENET1K_V1`` a named set. Weights
are stored in torch's own download folder under torchvision's file names, so that both programs share the files.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import torch
from torchvision.models import Weights, WeightsEnum, get_model_weights

from nap_core.models import torchvision_families
from nap_core.models.spec import ModelRecord
from nap_core.storage.downloads import Download

PREFIX = "torchvision:"
TRAINED_ON = "ImageNet-1k"
CLASSES = 1000
_DIGEST = re.compile(r"-([0-9a-f]{8,64})\.pth$")
_SWAG = "CC BY-NC 4.0, for non-commercial use"
_TORCHVISION = "BSD-3-Clause, as torchvision; trained on ImageNet, whose terms are its own"


@cache
def names() -> tuple[str, ...]:
    """The names of all models: each architecture with its default weights, then with its other sets."""
    return tuple(name for architecture in torchvision_families.names() for name in _sets(architecture))


@cache
def _sets(architecture: str) -> dict[str, WeightsEnum]:
    """Model name → weights, for the weights of an architecture that classify ImageNet."""
    weights = get_model_weights(architecture)
    named = {PREFIX + architecture: weights.DEFAULT}
    named |= {f"{PREFIX}{architecture}:{one.name}": one for one in weights if one is not weights.DEFAULT}
    return {name: one for name, one in named.items() if _classifies(one)}


def _classifies(weights: WeightsEnum) -> bool:
    # One set of VGG-16's weights is for style transfer and has no classes.
    return len(weights.meta["categories"] or ()) == CLASSES


def owns(name: str) -> bool:
    """Whether the model is one of torchvision's."""
    return name.startswith(PREFIX) and name in names()


@cache
def record(name: str) -> ModelRecord:
    """The record of a model, from torchvision's metadata. Raises KeyError for a name that is not in ``names()``."""
    if name not in names():
        raise KeyError(name)
    architecture = name.removeprefix(PREFIX).split(":")[0]
    weights = _sets(architecture)[name]
    published: Weights = weights.value
    title = torchvision_families.title(architecture)
    return ModelRecord(
        name=name,
        title=title if name == PREFIX + architecture else f"{title} ({weights.name.removeprefix('IMAGENET1K_')})",
        architecture=architecture,
        trained_on=TRAINED_ON,
        weights=lambda: place(published.url),
        classes=lambda: tuple(published.meta["categories"]),
        accuracy=published.meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100,
        licence=_SWAG if "license" in published.meta else _TORCHVISION,
        source=f"torchvision, {weights.name}; how it was trained: {published.meta['recipe']}",
        transform=torchvision_families.transform_of(published),
        downloads=lambda: (_download(title, published),),
    )


def place(url: str) -> Path:
    """The path of a downloaded file: ``checkpoints`` in torch's hub folder, which TORCH_HOME sets."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(url).path).name


def _download(title: str, weights: Weights) -> Download:
    path = place(weights.url)
    digest = _DIGEST.search(path.name)
    # Torchvision publishes the size in units of 2**20 bytes, to three decimals.
    size = round(weights.meta["_file_size"] * 2**20)
    return Download(
        weights.url, path, f"{title}’s weights", size=size, checksum=f"sha256-prefix:{digest[1]}" if digest else ""
    )
