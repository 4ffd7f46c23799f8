"""Models by name → networks with their weights; checkpoints of a user."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from nap_core.datasets.catalogue.bundled import CIFAR10_CLASSES
from nap_core.errors import UserError
from nap_core.models import architectures, plugins, user_models
from nap_core.models.checkpoint import load_into, read_state_dict, sha256_of
from nap_core.models.loaded_model import LoadedModel, Variant, assemble, with_layer, with_preprocessing
from nap_core.models.preprocessing import Transform
from nap_core.models.sources import find
from nap_core.models.spec import ModelRecord, PluginNetwork
from nap_core.storage import byte_size


def load(wanted: str | Variant) -> LoadedModel:
    """Load a model on the CPU, in evaluation mode.

    Args:
        wanted: a name of ``names()``, or a ``Variant`` with another penultimate layer or preprocessing.

    Returns:
        The network with preprocessing, class names and feature hook. The last four models are cached.

    Raises:
        UserError: unknown name, damaged weights, weights that are not downloaded yet, or a layer or preprocessing
            that the network does not have or accept.
    """
    variant = Variant(wanted) if isinstance(wanted, str) else wanted
    plugin = find(variant.name).plugin  # also raises for a removed model, which may still be in the cache
    model = _load(variant.name, plugin)
    return model if variant.is_plain else _varied(model, variant)


# Keyed by the model object: after a model leaves the cache and is loaded again, its variants share the new network.
@lru_cache(maxsize=4)
def _varied(model: LoadedModel, variant: Variant) -> LoadedModel:
    if variant.transform:
        model = with_preprocessing(model, model.transform.changed(variant.transform))
    return with_layer(model, variant.layer) if variant.layer else model


@lru_cache(maxsize=4)
def _load(name: str, plugin: PluginNetwork | None) -> LoadedModel:
    record = find(name)
    if plugin:
        return plugins.load(record)
    _check_downloads(record)
    model = load_checkpoint(record.architecture, record.weights(), transform=record.transform, classes=record.classes())
    return replace(model, name=record.name, title=record.title)


def _check_downloads(record: ModelRecord) -> None:
    for download in record.downloads():
        if not download.present:
            size = f" ({byte_size.in_words(download.size)})" if download.size else ""
            raise UserError(
                f"{download.title} are not on this machine yet. A run of a study fetches them{size} from "
                f"{download.host}; without a network, {download.instruction}."
            )


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
    benchmark = benchmark_classes(trained_on)
    if classes is None and len(benchmark) == len(model.classes):
        model = replace(model, classes=benchmark)
    about = user_models.About(title, architecture, trained_on, model.transform, model.classes, model.weights_sha256)
    return user_models.keep(about, weights)


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
    if len(names) != len(last):
        raise UserError(f"{path.name} has {len(last)} classes, but {len(names)} class names were given.")
    return assemble(blueprint, network, transform or blueprint.transform, names, sha256_of(path))
