"""The specification of a model: data that the catalogue states before the network is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nap_core.models.preprocessing import Transform
from nap_core.storage.downloads import Download

if TYPE_CHECKING:
    from torch import nn


def _nothing() -> tuple[Download, ...]:
    return ()


@dataclass(frozen=True)
class Made:
    """How the network of a user's own module is made; see ``entries.entry``. ``module`` is where it was found."""

    build: Callable[[], nn.Module]
    layer: str
    head: str | None
    layers: tuple[str, ...]
    module: str = ""


@dataclass(frozen=True)
class ModelRecord:
    """What is known of a model before it is loaded.

    ``id_dataset`` and ``fit_dataset`` are catalogue names of ``nap_core.datasets``: what the model was trained to know.
    ``accuracy`` is top-1 on its test set, between 0 and 1, or None where nobody has measured it.
    ``transform`` is the preprocessing, None for the architecture's usual one. ``downloads`` are the files that have to
    be there before ``weights`` can be opened, each in its place or still to be fetched. ``made`` is how the network of
    a user's own module is made (``entries``), in place of ``architecture`` and ``weights``.
    """

    name: str
    title: str
    architecture: str
    trained_on: str
    id_dataset: str | None
    fit_dataset: str | None
    ood_datasets: tuple[str, ...]
    images: int
    weights: Callable[[], Path]
    classes: Callable[[], tuple[str, ...]]
    accuracy: float | None
    licence: str
    source: str
    transform: Transform | None = None
    downloads: Callable[[], tuple[Download, ...]] = _nothing
    made: Made | None = None
