"""Models by name: their records, and loading them with their weights and preprocessing."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from nap_core.errors import UserError
from nap_core.models import architectures, plugins, torchvision_zoo, user_models
from nap_core.models.bundled import CIFAR10_CLASSES, RECORDS
from nap_core.models.checkpoint import load_into, read_state_dict, sha256_of
from nap_core.models.loaded_model import LoadedModel, Variant, assemble, with_layer, with_preprocessing
from nap_core.models.preprocessing import Transform
from nap_core.models.spec import Made, ModelRecord
from nap_core.storage import allowed_folders, byte_size


def names() -> tuple[str, ...]:
    """Every model there is: the catalogue's, the user's own, then torchvision's, whose weights may still be far."""
    return (*RECORDS, *plugins.records(), *user_models.names(), *torchvision_zoo.names())


def find(name: str) -> ModelRecord:
    """What is known of the model ``name``: bundled, the user's own or torchvision's.

    Raises UserError when there is none, or what is kept of it is damaged.
    """
    if name in RECORDS:
        return RECORDS[name]
    if name in plugins.records():
        return plugins.records()[name]
    if name in torchvision_zoo.names():
        return torchvision_zoo.record(name)
    if not allowed_folders.is_own(name) or name not in user_models.names():
        said = f"There is no model called “{name}”. There are: {listing()}."
        raise UserError(" ".join([said, *plugins.faults()]))
    return user_models.record(name)


def listing() -> str:
    """The models that there are, for a sentence; of torchvision's, which are many, how they are named."""
    listed = ", ".join((*RECORDS, *plugins.records(), *user_models.names()))
    return f"{listed}, and torchvision's, as {torchvision_zoo.PREFIX}resnet50"


def is_here(name: str) -> bool:
    """Whether the weights of the model ``name`` need no download. Raises as ``find`` does."""
    return all(download.present for download in find(name).downloads())


def load(wanted: str | Variant) -> LoadedModel:
    """Load a model of ``names``, on the CPU: as it comes, or as a variant of it.

    Raises UserError for an unknown name, damaged weights, weights that have still to be fetched, and what ``read_at``
    and ``fed_by`` refuse.
    """
    variant = Variant(wanted) if isinstance(wanted, str) else wanted
    made = find(variant.name).made  # what has been removed is not loaded from memory
    model = _load(variant.name, made)
    return model if variant.is_plain else _varied(model, variant)


# By the model itself, not by its name: one that was let go and loaded again shares its network with its variants.
@lru_cache(maxsize=4)
def _varied(model: LoadedModel, variant: Variant) -> LoadedModel:
    if variant.transform:
        model = with_preprocessing(model, model.transform.changed(variant.transform))
    return with_layer(model, variant.layer) if variant.layer else model


@lru_cache(maxsize=4)
def _load(name: str, made: Made | None) -> LoadedModel:
    record = find(name)
    if made:
        return plugins.load(record)
    for download in record.downloads():
        if not download.present:
            size = f" ({byte_size.in_words(download.size)})" if download.size else ""
            raise UserError(
                f"{download.title} are not on this machine yet. A run of a study fetches them{size} from "
                f"{download.host}; without a network, {download.instruction}."
            )
    model = load_checkpoint(record.architecture, record.weights(), transform=record.transform, classes=record.classes())
    return replace(model, name=record.name, title=record.title)


def add(
    weights: Path,
    architecture: str,
    title: str,
    *,
    trained_on: str = "",
    transform: Transform | None = None,
    classes: tuple[str, ...] | None = None,
) -> str:
    """Keep a copy of a checkpoint as one of the user's own models; its name, ``own:…``.

    ``knows`` is what it was trained on, ``classes`` are the class names, in the order of the logits: where they are not
    given, those of the benchmark that ``knows`` names, if there are as many. Raises UserError for a checkpoint that
    ``load_checkpoint`` does not take, and for a title without a letter or digit.
    """
    model = load_checkpoint(architecture, weights, transform=transform and transform.checked(), classes=classes)
    known = benchmark_classes(trained_on)
    if classes is None and len(known) == len(model.classes):
        model = replace(model, classes=known)
    about = user_models.About(title, architecture, trained_on, model.transform, model.classes, model.weights_sha256)
    return user_models.keep(about, weights)


def benchmark_classes(trained_on: str) -> tuple[str, ...]:
    """The class names of CIFAR-10 and ImageNet-1k, in the order of their indices; none for what else there is."""
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
    """Load a weights file for an architecture that ``architectures.find`` knows; the file tells the number of classes.

    ``transform`` defaults to the architecture's, ``classes`` to "class 0" … Raises UserError when the architecture is
    unknown or the file does not fit it.
    """
    blueprint = architectures.find(architecture)
    if blueprint is None:
        known = ", ".join(architectures.names())
        raise UserError(
            f"There is no architecture called “{architecture}”. There are: {known}, and timm's as timm:NAME."
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
