"""The network that the arguments name, and passes over images with it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from nap_core import models
from nap_core.activations import Activations
from nap_core.cli import choice, data
from nap_core.cli.choice import Choice
from nap_core.cli.data import Data
from nap_core.cli.progress import Meter
from nap_core.datasets import ImageDataset
from nap_core.datasets.images import relabelled
from nap_core.datasets.labels import label_notes, labels_for
from nap_core.datasets.user_data import registry
from nap_core.errors import UserError
from nap_core.extraction import ExtractionPlan, ExtractionStep, choose_device, precomputed
from nap_core.methods import EvaluationData, Method, ScoringContext
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
    """The network of --model and --weights, with --trained-on, --layer, --view, --mean and --std.

    Its weights are downloaded where they are not here. Raises UserError for what cannot be loaded.
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
    """Passes over images with one network, by --store, --device and --batch-size; ``meter`` shows their progress."""

    network: Network
    args: argparse.Namespace
    meter: Meter

    def open(self, wanted: Data, first: int | None = None) -> ImageDataset | Activations:
        """The images of ``wanted``, or its precomputed activations; only the ``first`` images will be used.

        Raises UserError for what cannot be used.
        """
        model = self.network.model
        if wanted.is_precomputed:
            owner = next(record for record in models.RECORDS.values() if record.id_dataset == wanted.source)
            if owner.architecture != model.architecture.name:
                raise UserError(f"{wanted.source} holds activations of {owner.title}, not of {model.title}.")
            if not self.network.as_published:
                raise UserError(
                    f"{wanted.source} holds activations, which --layer, --view, --mean and --std cannot change."
                )
            return precomputed.load(wanted.source, model)
        return self.images(wanted, first)

    def images(self, wanted: Data, first: int | None = None) -> ImageDataset:
        """The images of ``wanted``, downloaded where they are not here; only the ``first`` of them will be used.

        Raises UserError for what cannot be used.
        """
        data.fetch(wanted, self.meter)
        cache = Store(self.args.store).root / registry.FOLDERS
        images = data.load(wanted, self.meter.reading(wanted.label), cache, first)
        self.meter.clear()
        return images

    def extract(self, images: ImageDataset, limit: int | None) -> Activations:
        """The activations of the first ``limit`` images, from the store or from a pass."""
        step = ExtractionStep((self.network.model,), images, limit)
        plan = ExtractionPlan([step], self.args.device, self.args.batch_size)
        return plan.run(Store(self.args.store), RunCallbacks(self.meter))[0]

    def fit_split(self, wanted: Data | None, choices: list[Choice]) -> tuple[ImageDataset | None, list[Choice]]:
        """The images of the fit split where one of the methods needs them, and the methods that can run with it."""
        first = self.args.fit_limit
        images = self.images(wanted, first) if wanted and any(one.method.fits for one in choices) else None
        return images, choice.keep(choices, choice.refusals_on(self.context(images)))

    def context(self, fit: ImageDataset | None) -> ScoringContext:
        """What methods may use: the network, and a fit split whose labels are classes of the network."""
        model, trained_on, args = self.network.model, self.network.trained_on, self.args
        labelled = None if fit is None else relabelled(fit, labels_for(fit, model.classes))
        return ScoringContext(model, trained_on, labelled, None, args.fit_limit, Store(args.store), args.device)

    def say_labels(self, id_name: str, id_images: ImageDataset | Activations, fit: ImageDataset | None) -> None:
        """Say on stderr how the labels of the ID images and of the fit split became classes of the network."""
        for name, images in ((id_name, id_images), ("The fit split", fit)):
            if images is not None and not isinstance(images, Activations):
                data.say(name, label_notes(images, self.network.model.classes))

    def data(
        self,
        id_name: str,
        sources: Mapping[str, ImageDataset | Activations],
        fit: ImageDataset | None,
        limit: int | None,
    ) -> EvaluationData:
        """The activations of the fit split, and of the first ``limit`` images of each of ``sources``, by label."""
        context, size, callbacks = self.context(fit), self.args.batch_size, RunCallbacks(self.meter)
        if fit is not None:
            activations = self.extract(fit, self.args.fit_limit)
            # The store keeps the labels that the images came with: whatever network reads them, it is one entry.
            labels = labels_for(fit, self.network.model.classes)
            labelled = replace(activations, labels=labels[: len(activations)])
            context = replace(context, fit_activations=labelled)
        evaluated = evaluation_data(id_name, sources, context, limit=limit, batch_size=size, callbacks=callbacks)
        self.meter.clear()
        return evaluated


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[Passes]:
    """Passes with the network of the arguments. A device whose memory is full becomes a UserError."""
    choose_device(args.device)
    try:
        with Meter(args.quiet) as meter:
            yield Passes(load(args, meter), args, meter)
    except torch.OutOfMemoryError as error:
        raise UserError("The device has too little memory for this. Try --batch-size 16 or --device cpu.") from error


def asked(
    args: argparse.Namespace, refusal: Callable[[Method], UserError | None]
) -> tuple[list[Choice], Data, Data | None]:
    """The methods, the ID images and the fit split of the arguments; the catalogue's record has what they leave out.

    Methods with a ``refusal`` are left out, and methods that need a fit split where there is none. Raises UserError
    for what cannot be used.
    """
    choices, record = choice.keep(choice.read(args.methods), refusal), record_of(args)
    id_name = args.id or (record and record.id_dataset)
    fit_name = args.fit or (record and record.fit_dataset)
    if not id_name:
        raise UserError("ID images are missing: name them with --id DATA.")
    fit = data.read(fit_name) if fit_name else None
    if fit is None:
        trained_on = args.trained_on or (record.trained_on if record else "")
        choices = choice.keep(choices, choice.refusals_on(ScoringContext(trained_on=trained_on)))
    elif fit.is_precomputed:
        raise UserError(f"{fit.source} holds activations of test images: methods may not estimate from it.")
    return choices, data.read(id_name), fit
