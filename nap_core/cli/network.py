"""The network that the arguments name, and passes over images with it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nap_core import models
from nap_core.activations import Activations
from nap_core.cli import data
from nap_core.cli.data import Data
from nap_core.cli.progress import Meter
from nap_core.datasets import ImageDataset
from nap_core.datasets.images import labels_for, relabelled
from nap_core.errors import UserError
from nap_core.extraction import extract, precomputed
from nap_core.methods import EvaluationData, ScoringContext
from nap_core.methods.context import evaluation_data
from nap_core.models import ARCHITECTURES, LoadedModel, ModelRecord, architectures
from nap_core.models.architectures import CIFAR_TRANSFORM
from nap_core.models.loaded_model import with_layer, with_preprocessing
from nap_core.storage.activation_store import Store
from nap_core.storage.downloads import fetch
from nap_core.storage.progress import RunCallbacks

BENCHMARK_CLASSES = {10: "CIFAR-10", 100: "CIFAR-100"}


def record_of(args: argparse.Namespace) -> ModelRecord | None:
    """The catalogue's record of --model, None with --weights. Raises UserError for a name that is neither a model nor,
    with --weights, an architecture, and for a weights file that is not there."""
    name = args.model
    architecture = architectures.find(name)
    if args.weights is None:
        if name in models.names():
            return models.find(name)
        if architecture:
            ready = f"torchvision:{name}"
            other = f"{ready}, which torchvision has" if ready in models.names() else models.listing()
            raise UserError(
                f"“{name}” is an architecture, and its weights are missing: add --weights FILE, or take a model of the "
                f"catalogue: {other}."
            )
        return models.find(name)
    if architecture is None and name in models.names():
        record = models.find(name)
        if record.plugin:
            raise UserError(f"“{name}” makes its network with its weights. Leave --weights out.")
        raise UserError(
            f"“{name}” comes with its weights. With --weights, name the architecture: --model {record.architecture}."
        )
    if architecture is None:
        every = ", ".join(architectures.names())
        raise UserError(f"There is no architecture called “{name}”. There are: {every}, and timm's as timm:NAME.")
    if not Path(args.weights).expanduser().is_file():
        raise UserError(f"There is no weights file at {args.weights}. Check the path.")
    return None


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded model and its training dataset. ``as_published`` is False where --layer, --view, --mean or --std change
    the feature map or the input."""

    model: LoadedModel
    trained_on: str
    as_published: bool


def load(args: argparse.Namespace, meter: Meter) -> Network:
    """The network of --model and --weights, as --knows, --layer, --view, --mean and --std say, its weights downloaded
    where they are not here.

    Raises UserError for what cannot be loaded.
    """
    record = record_of(args)
    if record:
        for download in record.downloads():
            fetch(download, RunCallbacks(meter))
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
    if classes == 1000:
        return "ImageNet-1k"
    ours = ARCHITECTURES.get(architecture)
    return BENCHMARK_CLASSES.get(classes, "") if ours and ours.transform == CIFAR_TRANSFORM else ""


@dataclass(frozen=True, eq=False)
class Passes:
    """Passes over images with one network, by --store, --device and --batch-size; ``meter`` shows how far they are."""

    network: Network
    args: argparse.Namespace
    meter: Meter

    def open(self, wanted: Data) -> Opened:
        """The images of ``wanted``, or what a bank holds of them. Raises UserError for what cannot be used."""
        model = self.network.model
        if wanted.is_bank:
            owner = next(record for record in models.RECORDS.values() if record.id_dataset == wanted.source)
            if owner.architecture != model.architecture.name:
                raise UserError(f"{wanted.source} holds activations of {owner.title}, not of {model.title}.")
            if not self.network.as_published:
                raise UserError(
                    f"{wanted.source} holds activations, which --layer, --view, --mean and --std cannot change."
                )
            return Opened(self, None, precomputed.load(wanted.source, model))
        data.fetch(wanted, self.meter)
        images = data.load(wanted, self.meter.reading(wanted.label))
        self.meter.clear()
        return Opened(self, images, None)

    def extract(self, images: ImageDataset, limit: int | None) -> Activations:
        """The activations of the first ``limit`` images, from the store or from a pass."""
        return extract(
            self.network.model,
            images,
            limit=limit,
            store=Store(self.args.store),
            device=self.args.device,
            batch_size=self.args.batch_size,
            callbacks=RunCallbacks(self.meter),
        )

    def data(self, id_name: str, opened: Mapping[str, Opened], context: ScoringContext) -> EvaluationData:
        """The activations of the first --limit images of each of ``opened``, by label."""
        evaluated = evaluation_data(
            id_name,
            {label: one.source for label, one in opened.items()},
            context,
            limit=self.args.limit,
            batch_size=self.args.batch_size,
            callbacks=RunCallbacks(self.meter),
        )
        self.meter.clear()
        return evaluated


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
        return None if self.images is None else labels_for(self.images, self.passes.network.model.classes)

    @property
    def labelled_images(self) -> ImageDataset | None:
        """The images with labels that are classes of the network, None for a bank."""
        return None if self.images is None or self.labels is None else relabelled(self.images, self.labels)

    def activations(self, limit: int | None) -> Activations:
        """Of the first ``limit`` images, all when None; labels are classes of the network."""
        if self.bank is not None:
            return self.bank if limit is None else self.bank.head(limit)
        if self.images is None or self.labels is None:
            raise ValueError("neither images nor a bank")
        activations = self.passes.extract(self.images, limit)
        # The store keeps the labels that the images came with: whatever network reads them, it is one entry.
        return replace(activations, labels=self.labels[: len(activations)])

    @property
    def source(self) -> ImageDataset | Activations:
        """The images, else what a bank holds of them. Raises ValueError where there is neither."""
        source = self.bank if self.images is None else self.images
        if source is None:
            raise ValueError("neither images nor a bank")
        return source


@contextmanager
def memory_in_words() -> Iterator[None]:
    """What torch raises when a device is full becomes a UserError."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise UserError("The device has too little memory for this. Try --batch-size 16 or --device cpu.") from error
