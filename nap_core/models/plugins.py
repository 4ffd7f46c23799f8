"""Plug-ins: the modules that the environment variable NAP_MODELS names add models to the catalogue.

A plug-in has a list ``MODELS`` of records made by ``entry``; docs/own_models.md has an example. Plug-ins are imported
once a process, when model names are first listed. A plug-in that fails is reported by ``faults``; the others load.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import nn

from nap_core.errors import UserError
from nap_core.models.architectures import Architecture
from nap_core.models.catalogue import RECORDS
from nap_core.models.loaded_model import LoadedModel, assemble, with_layer
from nap_core.models.preprocessing import Transform
from nap_core.models.spec import ModelRecord, PluginNetwork

VARIABLE = "NAP_MODELS"
LIST = "MODELS"
_NAME = re.compile(r"\w[\w.-]*")


def entry(
    *,
    name: str,
    build: Callable[[], nn.Module],
    transform: Transform,
    classes: Sequence[str],
    title: str = "",
    trained_on: str = "",
    layer: str = "",
    head: str | None = None,
    layers: Sequence[str] = (),
    id_dataset: str | None = None,
    fit_dataset: str | None = None,
    ood_datasets: Sequence[str] = ("textures", "uniform-noise"),
    knows: str = "",
) -> ModelRecord:
    """The record of a user's own model, for the list ``MODELS`` of a module that ``NAP_MODELS`` names.

    Args:
        name: the model's name in addresses and on the command line: letters, digits, dots, hyphens.
        build: returns the network with its weights; images (B, 3, crop, crop) → logits (B, K).
        transform: the preprocessing that the network was evaluated with.
        classes: the K class names in the order of the logits.
        title: the model's name on the screen; ``name`` by default.
        trained_on: the dataset that the network was trained on, as papers call it ("CIFAR-10"); unknown by default.
        layer: dotted name of the module whose output is the penultimate feature map; located in the running network
            by default.
        head: dotted name of the last linear layer, "" if there is none; located by default.
        layers: dotted names of the modules whose outputs multi-layer methods read, earliest first; located by default.
        id_dataset: the default ID dataset: a name of the catalogue or of the user's own images.
        fit_dataset: the default fit split (ID training images that methods may use, never scored).
        ood_datasets: the default OOD datasets.
        knows: former name of ``trained_on``, accepted for plug-ins written for version 0.1.

    Returns:
        A record for ``MODELS``.

    Raises:
        UserError: invalid name, no class names, or an invalid transform.
    """
    if not _NAME.fullmatch(name):
        raise UserError(f"“{name}” is no name for a model: letters, digits, dots and hyphens are.")
    if not classes or not all(isinstance(one, str) for one in classes):
        raise UserError(f"The model “{name}” needs the names of its classes, in the order of its logits.")
    return ModelRecord(
        name=name,
        title=title or name,
        architecture=name,
        trained_on=trained_on or knows,
        id_dataset=id_dataset,
        fit_dataset=fit_dataset,
        ood_datasets=tuple(ood_datasets),
        weights=lambda: Path(os.devnull),
        classes=lambda: tuple(classes),
        licence="your own",
        source="your own module",
        transform=transform.checked(),
        plugin=PluginNetwork(build, layer, head, tuple(layers)),
    )


@dataclass(frozen=True)
class LoadedPlugins:
    """The records of all plug-ins by name, and an error message for each plug-in that failed."""

    records: dict[str, ModelRecord]
    faults: tuple[str, ...]


def records() -> dict[str, ModelRecord]:
    """The records of all plug-ins, by name."""
    return _loaded(os.environ.get(VARIABLE, "")).records


def names() -> tuple[str, ...]:
    """The names of the models of all plug-ins."""
    return tuple(records())


def owns(name: str) -> bool:
    """Whether a plug-in provides a model of that name."""
    return name in records()


def record(name: str) -> ModelRecord:
    """The record of a plug-in's model."""
    return records()[name]


def faults() -> tuple[str, ...]:
    """An error message for each plug-in that failed, with its module name and the exception."""
    return _loaded(os.environ.get(VARIABLE, "")).faults


@lru_cache(maxsize=8)
def _loaded(modules: str) -> LoadedPlugins:
    by_name, faults = dict[str, ModelRecord](), list[str]()
    for module in filter(None, (word.strip() for word in modules.split(","))):
        try:
            for record in _entries(module):
                if record.name in by_name or record.name in RECORDS:
                    raise UserError(f"there is another model called “{record.name}”")
                by_name[record.name] = record
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's module may raise anything
            faults.append(f"The models of “{module}”, which {VARIABLE} names, cannot be used: {_in_words(error)}.")
    return LoadedPlugins(by_name, tuple(faults))


def _entries(module: str) -> Iterable[ModelRecord]:
    listed = getattr(importlib.import_module(module), LIST, None)
    if not isinstance(listed, list | tuple):
        raise UserError(f"it has no list called {LIST}")
    for one in listed:
        if not isinstance(one, ModelRecord) or one.plugin is None:
            raise UserError(f"{LIST} holds a {type(one).__name__} that nap_core.models.entry did not make")
        yield replace(one, source=f"your own module {module}", plugin=replace(one.plugin, module=module))


def _in_words(error: BaseException) -> str:
    if isinstance(error, UserError):
        return str(error).rstrip(".")
    return f"{type(error).__name__}: {error}".strip().split("\n")[0].rstrip(".:")


def load(record: ModelRecord) -> LoadedModel:
    """Build the network of a plug-in and locate its feature map and head.

    Raises UserError with the module's name for any exception of its code and for a network that cannot be inspected.
    """
    plugin, transform = record.plugin, record.transform
    if plugin is None or transform is None:
        raise ValueError(f"{record.name} is not a plug-in")
    try:
        network = _build(plugin)
        blueprint = Architecture(
            record.name, record.title, lambda _classes: _build(plugin), None, plugin.head, transform, plugin.layers
        )
        model = assemble(blueprint, network, transform, record.classes(), _digest(network, plugin.module))
        return with_layer(model, plugin.layer) if plugin.layer else model
    except (Exception, SystemExit) as error:
        raise UserError(f"The model “{record.name}” of {plugin.module} cannot be used: {_in_words(error)}.") from error


def _build(plugin: PluginNetwork) -> nn.Module:
    network = plugin.build()
    if not isinstance(network, nn.Module):
        raise UserError(f"build gave a {type(network).__name__} in place of a network")
    return network


def _digest(network: nn.Module, module: str) -> str:
    """sha256 over the plug-in's source file and the weights: code decides what the weights compute."""
    digest = hashlib.sha256()
    place = getattr(sys.modules.get(module), "__file__", None)
    digest.update(Path(place).read_bytes() if place else module.encode())
    for name, value in network.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
