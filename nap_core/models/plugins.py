"""A user's own architectures by entry point: modules that NAP_MODELS names add models to the catalogue.

Such a module has a list ``MODELS`` of what ``entry`` makes. docs/own_models.md has an example. The modules are imported
once a process, when the models are first asked for; one that cannot be used is told in a sentence (``faults``), and the
others are there all the same.
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
from nap_core.models.bundled import RECORDS
from nap_core.models.loaded_model import LoadedModel, assemble, with_layer
from nap_core.models.preprocessing import Transform
from nap_core.models.spec import Made, ModelRecord

VARIABLE = "NAP_MODELS"
LIST = "MODELS"
IMAGES = 200
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
        name: the model's name in addresses and on the command line.
        build: makes the network with its weights.
        transform: the preprocessing that the network was evaluated with.
        classes: names of the classes, in the order of the logits.
        title: the model's name on the screen.
        trained_on: the dataset that the network was trained on, as the papers call it ("CIFAR-10").
        layer: the module that puts out the penultimate feature map; found in the network where it is not given.
        head: the last linear layer; found in the network where it is not given.
        layers: the modules at whose ends methods of several layers look; found in the network where they are not given.
        id_dataset: the ID dataset that is offered first: a name of the catalogue or of the user's own images.
        fit_dataset: the fit split that is offered first.
        ood_datasets: the OOD datasets that are offered first.
        knows: the former name of ``trained_on``, read for plug-ins that were written for version 0.1.

    Returns:
        The record that the catalogue lists.

    Raises:
        UserError: a name that cannot stand in an address, no classes, or a transform that no image can go through.
    """
    if not _NAME.fullmatch(name):
        raise UserError(f"“{name}” is no name for a model: letters, digits, dots and hyphens are.")
    if not classes or not all(isinstance(one, str) for one in classes):
        raise UserError(f"The model “{name}” needs the names of its classes, in the order of its logits.")
    return ModelRecord(
        name=name,
        title=title or name,
        architecture=name,
        trained_on=trained_on or knows or title or name,
        id_dataset=id_dataset,
        fit_dataset=fit_dataset,
        ood_datasets=tuple(ood_datasets),
        images=IMAGES,
        weights=lambda: Path(os.devnull),
        classes=lambda: tuple(classes),
        accuracy=None,
        licence="your own",
        source="your own module",
        transform=transform.checked(),
        made=Made(build, layer, head, tuple(layers)),
    )


@dataclass(frozen=True)
class Found:
    """The records of all modules by name, and a sentence for each that could not be used."""

    records: dict[str, ModelRecord]
    faults: tuple[str, ...]


def records() -> dict[str, ModelRecord]:
    """The models that the modules of NAP_MODELS add, by name."""
    return _found(os.environ.get(VARIABLE, "")).records


def faults() -> tuple[str, ...]:
    """A sentence for each module that could not be used, which names it and what it raised."""
    return _found(os.environ.get(VARIABLE, "")).faults


@lru_cache(maxsize=8)
def _found(named: str) -> Found:
    found, faults = dict[str, ModelRecord](), list[str]()
    for module in filter(None, (word.strip() for word in named.split(","))):
        try:
            for record in _entries(module):
                if record.name in found or record.name in RECORDS:
                    raise UserError(f"there is another model called “{record.name}”")
                found[record.name] = record
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's module may raise anything
            faults.append(f"The models of “{module}”, which {VARIABLE} names, cannot be used: {_in_words(error)}.")
    return Found(found, tuple(faults))


def _entries(module: str) -> Iterable[ModelRecord]:
    listed = getattr(importlib.import_module(module), LIST, None)
    if not isinstance(listed, list | tuple):
        raise UserError(f"it has no list called {LIST}")
    for one in listed:
        if not isinstance(one, ModelRecord) or one.made is None:
            raise UserError(f"{LIST} holds a {type(one).__name__} that nap_core.models.entry did not make")
        yield replace(one, source=f"your own module {module}", made=replace(one.made, module=module))


def _in_words(error: BaseException) -> str:
    if isinstance(error, UserError):
        return str(error).rstrip(".")
    return f"{type(error).__name__}: {error}".strip().split("\n")[0].rstrip(".:")


def load(record: ModelRecord) -> LoadedModel:
    """Make the network of an entry and find its map and head. Raises UserError, naming the module, for what its code
    raises and for a network that cannot be read."""
    made, transform = record.made, record.transform
    if made is None or transform is None:
        raise ValueError(f"{record.name} is no entry")
    try:
        network = made.build()
        if not isinstance(network, nn.Module):
            raise UserError(f"build gave a {type(network).__name__} in place of a network")
        blueprint = Architecture(
            record.name, record.title, lambda _classes: made.build(), None, made.head, transform, made.layers
        )
        model = assemble(blueprint, network, transform, record.classes(), _digest(network, made.module))
        return with_layer(model, made.layer) if made.layer else model
    except (Exception, SystemExit) as error:
        raise UserError(f"The model “{record.name}” of {made.module} cannot be used: {_in_words(error)}.") from error


def _digest(network: nn.Module, module: str) -> str:
    """What stands for a network: its weights, and the code that makes it, which may say what they are used for."""
    digest = hashlib.sha256()
    place = getattr(sys.modules.get(module), "__file__", None)
    digest.update(Path(place).read_bytes() if place else module.encode())
    for name, value in network.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
