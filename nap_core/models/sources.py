"""Models by name: records of the catalogue, plug-ins, a user's checkpoints and torchvision → networks with weights.

Records are found without torch; ``load`` imports it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from nap_core import models
from nap_core.errors import UserError
from nap_core.models.catalogue import RECORDS
from nap_core.models.spec import ModelRecord, PluginNetwork
from nap_core.storage import byte_size

if TYPE_CHECKING:
    from nap_core.models.loaded_model import LoadedModel


@dataclass(frozen=True)
class Variant:
    """A model's name with an optional penultimate layer and preprocessing.

    ``layer`` is the dotted name of the module whose output is the penultimate feature map, ``transform`` the text that
    ``Transform.changed`` takes. Empty values mean the model's own.
    """

    name: str
    layer: str = ""
    transform: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether layer and preprocessing are the model's own."""
        return not (self.layer or self.transform)


class Source(Protocol):
    """A module that provides models. ``record`` takes names for which ``owns`` is true."""

    def names(self) -> tuple[str, ...]: ...

    def owns(self, name: str) -> bool: ...

    def record(self, name: str) -> ModelRecord: ...


MODULES = ("plugins", "user_models", "torchvision_zoo")
"""The sources beside the catalogue. Each is imported when the ones before it do not own a name: they load torch."""


def _sources() -> Iterator[Source]:
    return (cast(Source, pkgutil.resolve_name(f"nap_core.models.{module}")) for module in MODULES)


def names() -> tuple[str, ...]:
    """The names of all models: bundled, plug-ins, the user's checkpoints, torchvision's (downloaded or not)."""
    return (*RECORDS, *(name for source in _sources() for name in source.names()))


def find(name: str) -> ModelRecord:
    """Look up the record of a model.

    Args:
        name: one of ``names()``.

    Returns:
        The record; nothing is loaded or downloaded.

    Raises:
        UserError: there is no such model, or the stored description of a user's checkpoint is damaged.
    """
    if name in RECORDS:
        return RECORDS[name]
    for source in _sources():
        if source.owns(name):
            return source.record(name)
    faults = pkgutil.resolve_name("nap_core.models.plugins:faults")()
    raise UserError(" ".join([f"There is no model called “{name}”. There are: {listing()}.", *faults]))


def listing() -> str:
    """The names of all models but torchvision's, as text for an error message, and one example of torchvision's."""
    prefix = "torchvision:"
    listed = ", ".join(name for name in names() if not name.startswith(prefix))
    return f"{listed}, and torchvision's, as {prefix}resnet50"


def is_here(name: str) -> bool:
    """Whether all weights of the model ``name`` are on this machine. Raises UserError for an unknown name."""
    return all(download.present for download in find(name).downloads())


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
        model = models.with_preprocessing(model, model.transform.changed(variant.transform))
    return models.require_neurons(models.with_layer(model, variant.layer) if variant.layer else model)


@lru_cache(maxsize=4)
def _load(name: str, plugin: PluginNetwork | None) -> LoadedModel:
    record = find(name)
    if plugin:
        network: LoadedModel = pkgutil.resolve_name("nap_core.models.plugins:load")(record)
        return network
    _check_downloads(record)
    model = models.load_checkpoint(
        record.architecture, record.weights(), transform=record.transform, classes=record.classes()
    )
    return replace(model, name=record.name, title=record.title, record_accuracy=record.accuracy)


def _check_downloads(record: ModelRecord) -> None:
    for download in record.downloads():
        if not download.present:
            size = f" ({byte_size.in_words(download.size)})" if download.size else ""
            raise UserError(
                f"{download.title} are not on this machine yet. A run of a study fetches them{size} from "
                f"{download.host}; without a network, {download.instruction}."
            )
