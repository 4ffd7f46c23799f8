"""The record types of the catalogue of models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from nap_core.models.preprocessing import Transform
from nap_core.storage.downloads import Download


@dataclass(frozen=True)
class PluginNetwork:
    """How a plug-in makes its network; see ``nap_core.models.entry``. ``module`` is the plug-in's dotted name."""

    build: Callable[[], object]
    layer: str
    head: str | None
    layers: tuple[str, ...]
    module: str = ""


@dataclass(frozen=True)
class ModelRecord:
    """What the catalogue states of a model before it is loaded.

    Attributes:
        name: the name in addresses and on the command line.
        title: the name on the screen and in figures.
        architecture: a name that ``architectures.find`` resolves.
        trained_on: the dataset that the network was trained on, as papers call it; empty where it was not said.
        weights: returns the path of the weights file.
        classes: returns the class names in the order of the logits.
        licence: licence of the weights.
        source: where the weights come from.
        id_dataset: the default ID dataset, a name of ``nap_core.datasets``; None for no default.
        fit_dataset: the default fit split (training images that methods may use, never scored); None for no default.
        ood_datasets: the default OOD datasets.
        images: the default number of images of each dataset.
        accuracy: top-1 accuracy on the test set, between 0 and 1; None if it was not measured.
        transform: the preprocessing; None for the architecture's default.
        downloads: returns the files that must be present before ``weights`` can be opened.
        plugin: how a plug-in makes the network; it replaces ``architecture`` and ``weights``.
    """

    name: str
    title: str
    architecture: str
    trained_on: str
    weights: Callable[[], Path]
    classes: Callable[[], tuple[str, ...]]
    licence: str
    source: str
    _: KW_ONLY
    id_dataset: str | None = None
    fit_dataset: str | None = None
    ood_datasets: tuple[str, ...] = ("textures", "uniform-noise")
    images: int = 200
    accuracy: float | None = None
    transform: Transform | None = None
    downloads: Callable[[], tuple[Download, ...]] = tuple
    plugin: PluginNetwork | None = None

    @property
    def training_data(self) -> str:
        """What the network was trained on, in words for a sentence."""
        return self.trained_on or f"{self.title}’s training data"
