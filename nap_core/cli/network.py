"""The network that the arguments name, and passes over images with it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from nap_core import models
from nap_core.activations import Activations
from nap_core.analysis.accuracy_check import accuracy_warning
from nap_core.cli import choice, data, output
from nap_core.cli.arguments import BENCHMARKS
from nap_core.cli.choice import Choice
from nap_core.cli.data import Data
from nap_core.cli.progress import Meter
from nap_core.datasets import ImageDataset
from nap_core.datasets.images import relabelled
from nap_core.datasets.labels import label_notes, labels_for
from nap_core.errors import UserError
from nap_core.extraction import ExtractionPlan, ExtractionStep, choose_device, precomputed
from nap_core.methods import EvaluationData, Method, ScoringContext, overlap
from nap_core.methods.context import evaluation_data
from nap_core.models import LoadedModel, ModelRecord, architectures, findings, user_models
from nap_core.models.loaded_model import with_layer, with_preprocessing
from nap_core.storage.activation_store import Store
from nap_core.storage.downloads import fetch
from nap_core.storage.progress import RunCallbacks

UNKNOWN = (
    "What the network was trained on is unknown: say it with --trained-on ({choices}). Until then the parameters and "
    "the w that papers publish for these are not taken as its own; what is taken in their place is said with the "
    "results."
)


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
    """The network of --model and --weights, with --trained-on, --classes, --layer, --view, --mean and --std.

    Its weights are downloaded where they are not here. Raises UserError for what cannot be loaded.
    """
    record, named = record_of(args), _class_names(args)
    trained_on = _said(args, record)
    if record:
        for download in record.downloads():
            fetch(download, RunCallbacks(meter))
        meter.clear()
        model = models.load(args.model)
    else:
        model = models.load_checkpoint(
            args.model, Path(args.weights).expanduser(), classes=named, entry=args.weights_entry
        )
        names = models.benchmark_classes(trained_on)
        if named is None and len(names) == len(model.classes):
            model = replace(model, classes=names)
    transform = model.transform
    changed = transform.changed(args.view) if args.view else transform
    changed = replace(changed, mean=args.mean or transform.mean, std=args.std or transform.std)
    if changed.checked() != transform:
        model = with_preprocessing(model, changed)
    if args.layer:
        model = with_layer(model, args.layer)
    return Network(model, trained_on, changed == transform and not args.layer)


def _said(args: argparse.Namespace, record: ModelRecord | None) -> str:
    """What the network was trained on, by --trained-on, else by the catalogue's record; empty where neither says it."""
    said = args.trained_on or (record.trained_on if record else "")
    return "" if said == "none" else said


def _class_names(args: argparse.Namespace) -> tuple[str, ...] | None:
    """The names in the file of --classes, None without it. Raises UserError for a file that cannot be read, and for a
    model that comes with its class names."""
    if args.classes is None:
        return None
    if args.weights is None:
        raise UserError(f"“{args.model}” comes with its class names. Leave --classes out.")
    path = Path(args.classes).expanduser()
    try:
        return user_models.class_names(path.read_bytes(), path.name)
    except OSError as error:
        raise UserError(
            f"The class names in “{args.classes}” cannot be read ({error.strerror}). Check the path."
        ) from error


@dataclass(frozen=True, eq=False)
class Passes:
    """Passes over images with one network, by --store, --device and --batch-size; ``meter`` shows their progress."""

    network: Network
    args: argparse.Namespace
    meter: Meter

    def open(self, wanted: Data, limit: int | None) -> ImageDataset | Activations:
        """The images of ``wanted``, of a folder the first ``limit``, or its precomputed activations.

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
        return self.images(wanted, limit)

    def say_findings(self) -> None:
        """Write what the examination of the network showed to stderr."""
        self.meter.clear()
        for finding in findings.ordered(self.network.model.findings):
            print(f"{self.network.model.title}: {finding.sentence}", file=sys.stderr)
        for note in self.network.model.notes:
            print(f"{self.network.model.title}: {note}", file=sys.stderr)

    def images(self, wanted: Data, limit: int | None) -> ImageDataset:
        """The images of ``wanted``, of a folder the first ``limit``, downloaded where they are not here.

        Raises UserError for what cannot be used.
        """
        data.fetch(wanted, self.meter)
        images = data.load(wanted, self.meter.reading(wanted.label), limit, self.args.store)
        self.meter.clear()
        return images

    def extract(self, images: ImageDataset, limit: int | None) -> Activations:
        """The activations of the first ``limit`` images, from the store or from a pass."""
        step = ExtractionStep((self.network.model,), images, limit)
        plan = ExtractionPlan([step], self.args.device, self.args.batch_size)
        return plan.run(Store(self.args.store), RunCallbacks(self.meter))[0]

    def fit_split(self, wanted: Data | None, choices: list[Choice]) -> tuple[ImageDataset | None, list[Choice]]:
        """The images of the fit split where one of the methods needs them, and the methods that can run with it."""
        images = (
            self.images(wanted, self.args.fit_limit) if wanted and any(one.method.fits for one in choices) else None
        )
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
        """The activations of the fit split, and of the first ``limit`` images of each of ``sources``, by label.

        stderr says where the training data of the network are unknown, what is wrong with the images, and what is left
        out of them.
        """
        self.say_findings()
        if not self.network.trained_on and self.args.trained_on is None:
            print(UNKNOWN.format(choices=", ".join(BENCHMARKS)), file=sys.stderr)
        context, size, callbacks = self.context(fit), self.args.batch_size, RunCallbacks(self.meter)
        if fit is not None:
            activations = self.extract(fit, self.args.fit_limit)
            # The store keeps the labels that the images came with: whatever network reads them, it is one entry.
            labels = labels_for(fit, self.network.model.classes)
            labelled = replace(activations, labels=labels[: len(activations)])
            context = replace(context, fit_activations=labelled)
        evaluated = evaluation_data(id_name, sources, context, limit=limit, batch_size=size, callbacks=callbacks)
        shared = overlap.overlaps(evaluated, callbacks)
        if self.args.distinct:
            evaluated, shared = overlap.without(evaluated, shared), []
        self.meter.clear()
        # The accuracy first: where it is near chance, the rest hardly matters.
        output.warn(accuracy_warning(evaluated))
        for sentence in evaluated.left_out():
            output.warn(sentence)
        for one in shared:
            output.warn(f"{one.sentence()} --distinct leaves them out.")
        return evaluated


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[Passes]:
    """Passes with the network of the arguments. A device whose memory is full becomes a UserError."""
    choose_device(args.device)
    try:
        with Meter(args.quiet) as meter:
            network = load(args, meter)
            models.require_neurons(network.model)
            yield Passes(network, args, meter)
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
    trained_on = _said(args, record)
    if fit is None:
        choices = choice.keep(choices, choice.refusals_on(ScoringContext(trained_on=trained_on)))
    elif fit.is_precomputed:
        raise UserError(f"{fit.source} holds activations of test images: methods may not estimate from it.")
    return choices, data.read(id_name), fit
