"""The record of a table or figure of the NAP paper, available before it is run again.

Nothing here imports torch: the command line lists the entries at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["methods", "layers", "weights", "curves", "accuracy", "oracle", "cost", "statement", "picture"]
"""How an entry is run: ``measuring.MEASURES`` has a function for each but the last two, which have no numbers."""

BY_DATASET: tuple[Kind, ...] = ("methods", "layers")
"""Those that have FPR95 and AUROC on every OOD dataset."""

AVERAGE = "Average"
"""The heading of the last column of the paper's tables."""
CIFAR_HEADINGS = ("SVHN", "LSUN-Crop", "LSUN-Resize", "iSUN", "Textures", "Places365")
IMAGENET_HEADINGS = ("iNaturalist", "SUN", "Places", "Textures")

HEADINGS: dict[str, str] = {
    "svhn-test": "SVHN",
    "lsun-crop": "LSUN-Crop",
    "lsun-resize": "LSUN-Resize",
    "isun": "iSUN",
    "dtd": "Textures",
    "places365-val": "Places365",
    "inaturalist": "iNaturalist",
    "sun": "SUN",
    "places": "Places",
    "cifar100-test": "CIFAR-100",
}
"""Our catalogue's datasets and the headings under which the paper prints them."""

PAPER_IMAGES = {
    "SVHN": 26_032,
    "LSUN-Crop": 10_000,
    "LSUN-Resize": 10_000,
    "iSUN": 8_925,
    "Textures": 5_640,
    "Places365": 10_000,
    "iNaturalist": 10_000,
    "SUN": 10_000,
    "Places": 10_000,
    "CIFAR-100": 10_000,
}
"""How many images the benchmarks hold that the paper names; it does not count them itself."""


@dataclass(frozen=True)
class Network:
    """A network of the paper: its ``architecture`` and, where it can be fetched, the ``model`` of our catalogue."""

    title: str
    architecture: str
    model: str = ""
    transformer: bool = False


DENSENET_BC = Network("DenseNet-BC-100-12", "densenet_bc_100_12")
MOBILENET = Network("MobileNetV2", "mobilenet_v2", "torchvision:mobilenet_v2:IMAGENET1K_V1")
VGG16 = Network("VGG16", "vgg16", "torchvision:vgg16")
DENSENET121 = Network("DenseNet-121", "densenet121", "torchvision:densenet121")
RESNET50 = Network("ResNet-50", "resnet50", "torchvision:resnet50:IMAGENET1K_V1")
VIT = Network("ViT-B/16", "vit_b_16", "torchvision:vit_b_16", transformer=True)


@dataclass(frozen=True)
class Setting:
    """A network with its ID and OOD data.

    Attributes:
        network: The network.
        trained_on: The ID data as the paper prints it ("CIFAR-10").
        headings: The OOD datasets as the paper prints them.
    """

    network: Network
    trained_on: str
    headings: tuple[str, ...]


CIFAR10 = Setting(DENSENET_BC, "CIFAR-10", CIFAR_HEADINGS)
CIFAR100 = Setting(DENSENET_BC, "CIFAR-100", CIFAR_HEADINGS)


def imagenet(network: Network, headings: tuple[str, ...] = IMAGENET_HEADINGS) -> Setting:
    """The setting of Section 5.2, for one of the networks."""
    return Setting(network, "ImageNet-1k", headings)


@dataclass(frozen=True)
class Row:
    """A row of a table: the name under which the paper prints it and the method that it is, or the layers.

    ``w`` is the weight of a combination where the entry fixes it; None takes the paper's for the training data.
    ``beats`` are the rows that it exceeds by the paper's claim, as the paper prints them.
    """

    printed: str
    spec: str
    w: float | None = None
    beats: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageLink:
    """A page of the app that shows the entry on the visitor's study; ``methods`` are chosen on the way there."""

    label: str
    page: str
    methods: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A table or figure of the paper.

    Attributes:
        name: The key in the catalogue ("table-9").
        title: The title in the list.
        asks: The question that it answers.
        claim: The paper's answer.
        section: The section of the paper.
        group: The group of the list.
        kind: How it is measured.
        settings: The networks and data of the paper, the one to compare with first.
        rows: The rows, as methods or layers.
        table: The name of the table in ``published_tables.results``; empty where the paper prints no numbers.
        links: The pages of the app that show it on the visitor's study.
        notes: Remarks on it, errors of the paper among them.
    """

    name: str
    title: str
    asks: str
    claim: str
    section: str
    group: str
    kind: Kind
    settings: tuple[Setting, ...] = ()
    rows: tuple[Row, ...] = ()
    table: str = ""
    links: tuple[PageLink, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """ "Table 9", "Figure 4a", "Section 6.5"."""
        what, _, number = self.name.partition("-")
        return f"{what.capitalize()} {number}"

    @property
    def measured(self) -> bool:
        """Whether it has numbers, so that it can be run on a study."""
        return self.kind not in ("statement", "picture")

    def setting_for(self, trained_on: str, architecture: str, transformer: bool) -> Setting | None:
        """The setting whose figures stand beside a network's: of the same training data and, if the paper has it,
        of its own architecture. None where the paper has nothing of the kind, a CNN beside a Transformer included."""
        alike = [
            one for one in self.settings if one.trained_on == trained_on and one.network.transformer == transformer
        ]
        return next((one for one in alike if one.network.architecture == architecture), alike[0] if alike else None)
