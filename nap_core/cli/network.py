"""The network that the arguments name, and passes over images with it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nap_core.cli import data
from nap_core.cli.data import Data
from nap_core.cli.progress import Meter
from nap_core.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nap_core.activations import Activations
    from nap_core.datasets import ImageDataset
    from nap_core.methods import ImageSet
    from nap_core.models import LoadedModel, ModelRecord

BENCHMARK_CLASSES = {10: "CIFAR-10", 100: "CIFAR-100"}


def record_of(args: argparse.Namespace) -> ModelRecord | None:
    """The catalogue's record of --model, None with --weights. Raises UserError for a name that is neither a model nor,
    with --weights, an architecture, and for a weights file that is not there."""
    from nap_core import models
    from nap_core.models import architectures

    name = args.model
    known = architectures.find(name)
    if args.weights is None:
        if name in models.names():
            return models.find(name)
        if known:
            ready = f"torchvision:{name}"
            other = f"{ready}, which torchvision has" if ready in models.names() else models.listing()
            raise UserError(
                f"“{name}” is an architecture, and its weights are missing: add --weights FILE, or take a model of the "
                f"catalogue: {other}."
            )
        return models.find(name)
    if known is None and name in models.names():
        record = models.find(name)
        if record.plugin:
            raise UserError(f"“{name}” makes its network with its weights. Leave --weights out.")
        raise UserError(
            f"“{name}” comes with its weights. With --weights, name the architecture: --model {record.architecture}."
        )
    if known is None:
        every = ", ".join(architectures.names())
        raise UserError(f"There is no architecture called “{name}”. There are: {every}, and timm's as timm:NAME.")
    if not Path(args.weights).expanduser().is_file():
        raise UserError(f"There is no weights file at {args.weights}. Check the path.")
    return None


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded model and what is known of it. ``as_published`` is False where --layer, --view, --mean or --std change
    what is read of it or what it is fed."""

    model: LoadedModel
    trained_on: str
    as_published: bool


def load(args: argparse.Namespace, meter: Meter) -> Network:
    """The network of --model and --weights, as --knows, --layer, --view, --mean and --std say, its weights downloaded
    where they are not here.

    Raises UserError for what cannot be loaded.
    """
    from nap_core import models
    from nap_core.models.loaded_model import with_layer, with_preprocessing
    from nap_core.storage.downloads import fetch

    record = record_of(args)
    if record:
        for download in record.downloads():
            fetch(download, progress=meter)
        meter.clear()
        model, trained_on = models.load(args.model), args.trained_on or record.trained_on
    else:
        model = models.load_checkpoint(args.model, Path(args.weights).expanduser())
        trained_on = args.trained_on or _guessed(args.model, len(model.classes))
        names = models.benchmark_classes(trained_on)
        if len(names) == len(model.classes):
            model = replace(model, classes=names)
    transform = model.transform
    changed = transform.changed(args.view) if args.view else transform
    changed = replace(changed, mean=args.mean or transform.mean, std=args.std or transform.std)
    if changed != transform:
        model = with_preprocessing(model, changed)
    if args.layer:
        model = with_layer(model, args.layer)
    return Network(model, "" if trained_on == "none" else trained_on, changed == transform and not args.layer)


def _guessed(architecture: str, classes: int) -> str:
    from nap_core.models import ARCHITECTURES
    from nap_core.models.architectures import CIFAR_TRANSFORM

    if classes == 1000:
        return "ImageNet-1k"
    known = ARCHITECTURES.get(architecture)
    return BENCHMARK_CLASSES.get(classes, "") if known and known.transform == CIFAR_TRANSFORM else ""


@dataclass(frozen=True, eq=False)
class Passes:
    """Passes over images with one network, by --store, --device and --batch-size; ``meter`` shows how far they are."""

    network: Network
    args: argparse.Namespace
    meter: Meter

    def open(self, asked: Data) -> Opened:
        """The images of ``asked``, or what a bank holds of them. Raises UserError for what cannot be used."""
        from nap_core import models
        from nap_core.extraction import precomputed

        model = self.network.model
        if asked.is_bank:
            owner = next(record for record in models.RECORDS.values() if record.id_dataset == asked.source)
            if owner.architecture != model.architecture.name:
                raise UserError(f"{asked.source} holds activations of {owner.title}, not of {model.title}.")
            if not self.network.as_published:
                raise UserError(
                    f"{asked.source} holds activations, which --layer, --view, --mean and --std cannot change any more."
                )
            return Opened(self, None, precomputed.load(asked.source, model))
        data.fetch(asked, self.meter)
        images = data.load(asked, self.meter.reading(asked.label))
        self.meter.clear()
        return Opened(self, images, None)

    def extract(self, images: ImageDataset, limit: int | None) -> Activations:
        """The activations of the first ``limit`` images, from the store or from a pass."""
        from nap_core.extraction import extract
        from nap_core.storage.activation_store import Store

        return extract(
            self.network.model,
            images,
            limit=limit,
            store=Store(self.args.store),
            device=self.args.device,
            batch_size=self.args.batch_size,
            progress=self.meter,
        )


@dataclass(frozen=True, eq=False)
class Opened:
    """A DATA that has been opened, before any pass over it: ``images``, or the activations of a ``bank``."""

    passes: Passes
    images: ImageDataset | None
    bank: Activations | None

    @property
    def fingerprint(self) -> str:
        """The identity of the images, empty for a bank."""
        return "" if self.images is None else self.images.fingerprint

    @cached_property
    def labels(self) -> NDArray[np.int64] | None:
        """The labels as classes of the network, None for a bank."""
        from nap_core.datasets.labels import labels_for

        return None if self.images is None else labels_for(self.images, self.passes.network.model.classes)

    @property
    def labelled_images(self) -> ImageDataset | None:
        """The images with labels that are classes of the network, None for a bank."""
        from nap_core.datasets.labels import relabelled

        return None if self.images is None or self.labels is None else relabelled(self.images, self.labels)

    def activations(self, limit: int | None) -> Activations:
        """Of the first ``limit`` images, all when None; labels are classes of the network."""
        if self.bank is not None:
            return self.bank if limit is None else self.bank.head(limit)
        if self.images is None or self.labels is None:
            raise ValueError("neither images nor a bank")
        found = self.passes.extract(self.images, limit)
        # The store keeps the labels that the images came with: whatever network asks, it is one entry.
        return replace(found, labels=self.labels[: len(found)])

    def part(self, limit: int | None) -> ImageSet:
        """The first ``limit`` images and their activations, for methods."""
        from nap_core.methods import ImageSet

        return ImageSet(self.activations(limit), self.images)


@contextmanager
def memory_in_words() -> Iterator[None]:
    """What torch raises when a device is full becomes a UserError."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise UserError("The device has too little memory for this. Try --batch-size 16 or --device cpu.") from error
