"""Checkpoints: safetensors, or PyTorch files that contain only tensors → networks; copies among the user's models."""

from __future__ import annotations

import hashlib
import pickle
import struct
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from nap_core.datasets.catalogue.bundled import CIFAR10_CLASSES
from nap_core.errors import UserError
from nap_core.models import architectures, user_models
from nap_core.models.loaded_model import LoadedModel, assemble
from nap_core.models.map_check import require_neurons
from nap_core.models.preprocessing import Transform

# Exceptions of the two readers on files with flipped and missing bytes, in addition to UnpicklingError.
_BAD_VALUES = (RuntimeError, ValueError, LookupError, TypeError, AssertionError)
_DAMAGED = (SafetensorError, EOFError, OSError, struct.error, *_BAD_VALUES)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The state dict in ``path``: plain, or under ``state_dict``; a ``module.`` prefix on every name is removed.

    Raises UserError for a missing or damaged file, and for one with other objects than tensors: it could run code.
    """
    if not path.is_file():
        raise UserError(f"There is no weights file at {path}. Check the path.")
    content: Any
    try:
        content = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path.name} holds more than tensors (or is no checkpoint), and loading it could run code, so it was "
            "not opened. Save its state_dict alone with torch.save(model.state_dict(), …) or as safetensors."
        ) from error
    except _DAMAGED as error:
        raise UserError(
            f"{path.name} could not be read as weights: it looks damaged. Download or save it again."
        ) from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise UserError(f"{path.name} holds no state dict: expected a dict of tensors, plain or under 'state_dict'.")
    if all(name.startswith("module.") for name in content):
        content = {name.removeprefix("module."): value for name, value in content.items()}
    return dict(content)


def load_into(network: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Load ``state`` into ``network``. Raises UserError with missing, unexpected and misshapen entries."""
    wanted = network.state_dict()
    # Old checkpoints lack this counter, which evaluation never reads.
    missing = sorted(name for name in wanted.keys() - state.keys() if not name.endswith("num_batches_tracked"))
    unexpected = sorted(state.keys() - wanted.keys())
    misshapen = sorted(name for name in wanted.keys() & state.keys() if wanted[name].shape != state[name].shape)
    faults = {"missing": missing, "unexpected": unexpected, "of another shape": misshapen}
    said = [
        f"{len(names)} {what} ({', '.join(names[:3])}{' …' if len(names) > 3 else ''})"
        for what, names in faults.items()
        if names
    ]
    if said:
        raise UserError(
            f"The weights in {source} do not fit this network: {'; '.join(said)}. "
            "Pick the architecture they were trained with."
        )
    # MNASNet rejects a state dict without version metadata, so the network's own is added.
    versioned = OrderedDict(state)
    versioned._metadata = wanted._metadata  # type: ignore[attr-defined]
    network.load_state_dict(versioned, strict=False)


def benchmark_classes(trained_on: str) -> tuple[str, ...]:
    """The class names of CIFAR-10 or ImageNet-1k in the order of their indices; empty for other datasets."""
    if trained_on == "ImageNet-1k":
        return architectures.imagenet_classes()
    return CIFAR10_CLASSES if trained_on == "CIFAR-10" else ()


def load_checkpoint(
    architecture: str,
    path: Path,
    *,
    transform: Transform | None = None,
    classes: tuple[str, ...] | None = None,
) -> LoadedModel:
    """Load a weights file into an architecture; the number of classes is read from the file.

    Args:
        architecture: a name that ``architectures.find`` resolves.
        path: the weights file.
        transform: the preprocessing; None for the architecture's default.
        classes: class names in the order of the logits; None for "class 0", "class 1", ….

    Raises:
        UserError: unknown architecture, a file that does not fit it, or another number of class names.
    """
    blueprint = architectures.find(architecture)
    if blueprint is None:
        listed = ", ".join(architectures.names())
        raise UserError(
            f"There is no architecture called “{architecture}”. There are: {listed}, and timm's as timm:NAME."
        )
    state = {blueprint.renamed(name): value for name, value in read_state_dict(path).items()}
    last = state.get(blueprint.counts_classes)
    if last is None or last.ndim < 2:
        raise UserError(f"{path.name} has no {blueprint.counts_classes}: it is not a checkpoint of {architecture}.")
    network = blueprint.build(len(last))
    blueprint.adapted(network, state)
    load_into(network, state, path.name)
    names = classes or tuple(f"class {index}" for index in range(len(last)))
    if len(names) != len(last) and (len(names), len(last)) != (2, 1):  # one output has two classes
        raise UserError(f"{path.name} has {len(last)} classes, but {len(names)} class names were given.")
    return assemble(blueprint, network, transform or blueprint.transform, names, sha256_of(path))


def add(
    weights: Path,
    architecture: str,
    title: str,
    *,
    trained_on: str = "",
    transform: Transform | None = None,
    classes: tuple[str, ...] | None = None,
) -> str:
    """Copy a checkpoint into the user's models.

    Args:
        weights: the checkpoint, ``.safetensors`` or a PyTorch file with tensors only.
        architecture: a name that ``architectures.find`` resolves.
        title: the model's name on the screen.
        trained_on: the dataset that the network was trained on.
        transform: the preprocessing; None for the architecture's default.
        classes: class names in the order of the logits; None for those of the benchmark that ``trained_on`` names if
            their number fits, else "class 0", "class 1", ….

    Returns:
        The model's name, ``own:…``.

    Raises:
        UserError: the checkpoint does not load, or the title has no letter or digit.
    """
    model = load_checkpoint(architecture, weights, transform=transform and transform.checked(), classes=classes)
    require_neurons(model)
    benchmark = benchmark_classes(trained_on)
    if classes is None and len(benchmark) == len(model.classes):
        model = replace(model, classes=benchmark)
    about = user_models.About(title, architecture, trained_on, model.transform, model.classes, model.weights_sha256)
    return user_models.keep(about, weights)
