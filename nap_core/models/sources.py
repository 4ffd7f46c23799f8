"""Where model records come from: the catalogue, plug-ins, a user's checkpoints, torchvision."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from typing import Protocol, cast

from nap_core.errors import UserError
from nap_core.models.catalogue import RECORDS
from nap_core.models.spec import ModelRecord


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
