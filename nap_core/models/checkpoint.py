"""Checkpoints: safetensors, or PyTorch files of tensors and inert values → networks; copies among the user's models."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

from nap_core.datasets.catalogue.bundled import CIFAR10_CLASSES
from nap_core.errors import UserError
from nap_core.models import architectures, checkpoint_files, fitting, state_dicts, user_models, weights_choice
from nap_core.models.architectures import Architecture
from nap_core.models.loaded_model import LoadedModel, assemble
from nap_core.models.map_check import require_neurons
from nap_core.models.preprocessing import Transform
from nap_core.models.weights_choice import Choice


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of the checkpoint at ``path`` that are tried first, by the names that they have in the file.

    Raises UserError for a missing or damaged file, one that is no checkpoint, and one with other objects than tensors
    and inert values: it could run code.
    """
    return dict(state_dicts.entries(checkpoint_files.read(path), path.name)[0].tensors)


def load_into(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Load ``state`` into ``network``. Raises UserError with missing, unexpected and misshapen entries."""
    wanted = network.state_dict()
    misfit = fitting.compare(wanted, state)
    if misfit:
        raise UserError(_misfit(misfit, source))
    # MNASNet rejects a state dict without version metadata, so the network's own is added.
    versioned = OrderedDict(state)
    versioned._metadata = wanted._metadata  # type: ignore[attr-defined]
    try:
        network.load_state_dict(versioned, strict=False)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        reason = str(error).strip().split("\n")[-1].strip().rstrip(".")
        raise UserError(
            f"The weights in {source} cannot be put into the network: {reason}. Save them as plain tensors of numbers."
        ) from error


def _misfit(misfit: fitting.Misfit, source: str) -> str:
    return (
        f"The weights in {source} do not fit this network: {misfit.sentence()}. "
        "Pick the architecture they were trained with."
    )


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
    entry: str = "",
) -> LoadedModel:
    """Load a weights file into an architecture; the number of classes is read from the file.

    Args:
        architecture: a name that ``architectures.find`` resolves.
        path: the weights file.
        transform: the preprocessing; None for the architecture's default.
        classes: class names in the order of the logits; None for "class 0", "class 1", ….
        entry: the entry of the file that holds the weights, as ``entries`` names it; "" for the first one that fits,
            an average of the weights (EMA) before the weights themselves.

    Returns:
        The model. Its ``notes`` say what was taken from the file and what was left.

    Raises:
        UserError: unknown architecture or entry, a file that does not fit it, or another number of class names.
    """
    blueprint = _architecture(architecture)
    chosen = _chosen(blueprint, path, entry)
    fit = chosen.fit
    network = blueprint.build(fit.classes)
    blueprint.adapted(network, fit.state)
    state = dict(fit.state)
    if fit.stem:
        state[fit.stem] = fitting.with_stem(state[fit.stem], network.state_dict()[fit.stem].shape[1])
    load_into(network, state, path.name)
    names = classes or tuple(f"class {index}" for index in range(fit.classes))
    if len(names) != fit.classes and (len(names), fit.classes) != (2, 1):  # one output has two classes
        raise UserError(f"{path.name} has {fit.classes} classes, but {len(names)} class names were given.")
    identity = chosen.identity(sha256_of(path))
    model = assemble(blueprint, network, transform or blueprint.transform, names, identity)
    return replace(model, notes=chosen.notes())


def entries(architecture: str, path: Path) -> tuple[str, ...]:
    """The names of a file's entries that fit an architecture, the one that is taken by default first.

    Raises:
        UserError: as ``load_checkpoint`` does.
    """
    return _chosen(_architecture(architecture), path).names


def _architecture(name: str) -> Architecture:
    blueprint = architectures.find(name)
    if blueprint is None:
        listed = ", ".join(architectures.names())
        raise UserError(f"There is no architecture called “{name}”. There are: {listed}, and timm's as timm:NAME.")
    return blueprint


def _chosen(blueprint: Architecture, path: Path, entry: str = "") -> Choice:
    chosen = weights_choice.choose(blueprint, checkpoint_files.read(path), path.name, entry)
    if isinstance(chosen, Choice):
        return chosen
    if chosen.head:
        raise UserError(f"{path.name} has no {chosen.head}: it is not a checkpoint of {blueprint.name}.")
    raise UserError(_misfit(chosen, path.name))


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
