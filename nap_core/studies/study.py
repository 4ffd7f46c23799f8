"""A study, which a link shares: a model, an ID dataset, OOD datasets, how many images of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nap_core import datasets, extraction, methods, models
from nap_core.datasets.images import relabelled
from nap_core.datasets.labels import labels_for
from nap_core.errors import UserError
from nap_core.extraction import precomputed
from nap_core.methods.context import EvaluationData, ScoringContext, evaluation_data
from nap_core.models import ModelRecord, Variant
from nap_core.storage.activation_store import Store
from nap_core.storage.downloads import Download, fetch
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

if TYPE_CHECKING:
    from nap_core.models import LoadedModel

MAX_IMAGES = 1_000_000
OPTIONAL = ("fit", "layer", "view", "w", "distinct")
"""The address parameters that a study may do without."""
SEARCHED: Final = "searched"
"""As the ``weights`` of a study: the w that ``analysis.weight_search`` finds."""


@dataclass(frozen=True)
class Study:
    """A model, an ID dataset and OOD datasets.

    Attributes:
        model: The catalogue name of the model (``models.names``).
        id_dataset: The catalogue name of the ID dataset (``datasets.names``).
        ood_datasets: Those of the OOD datasets, at least one.
        images: How many images of each dataset are used, fewer where there are fewer.
        fit_dataset: The fit split; empty for the one that the model comes with, if any.
        layer: The layer that NAP reads, as in ``models.Variant``; empty for the model's own.
        transform: The preprocessing, as in ``models.Variant``; empty for the model's own.
        weights: The w of combinations: empty for the published ones, or ``SEARCHED``.
        distinct: "1" to leave out the images that stand in two sets (``methods.overlap``): ID and OOD images of the
            fit split, OOD images that are ID images as well. Empty to keep them.

    Raises:
        UserError: A name is unknown, no OOD dataset is given, the number is not positive, a dataset is a bank made by
            another model or another variant, or the fit split is an OOD dataset as well or no training data. A layer
            or a preprocessing that the network does not have is refused when it is loaded (``network``).
    """

    model: str
    id_dataset: str
    ood_datasets: tuple[str, ...]
    images: int
    fit_dataset: str = ""
    layer: str = ""
    transform: str = ""
    # Two studies are equal when they run the same images through the same network, whatever w is then used.
    weights: str = field(default="", compare=False)
    distinct: str = ""

    def __post_init__(self) -> None:
        record = models.find(self.model)
        roles = {name: datasets.find(name).role for name in (*self.datasets, *filter(None, [self.fit_dataset]))}
        if self.weights not in ("", SEARCHED):
            raise UserError(f"The w of a study is “{SEARCHED}” or left out, not “{self.weights}”.")
        if self.distinct not in ("", "1"):
            raise UserError(f"“distinct” of a study is “1” or left out, not “{self.distinct}”.")
        if not self.ood_datasets:
            raise UserError("A study needs at least one OOD dataset. Pick one.")
        if len(set(self.datasets)) < len(self.datasets):
            raise UserError("A study meets each dataset once. Take the repeated one out.")
        if not 1 <= self.images <= MAX_IMAGES:
            raise UserError(f"The number of images must lie between 1 and {MAX_IMAGES:,}, not {self.images:,}.")
        if self.fit_dataset in self.datasets:
            title = datasets.title(self.fit_dataset)
            raise UserError(
                f"{title} cannot be the fit split as well: methods would be scored on what they are fitted to."
            )
        if self.fit_dataset and roles[self.fit_dataset] not in ("fit", "own"):
            raise UserError(f"{datasets.title(self.fit_dataset)} is no training data. Pick another fit split.")
        banks = [name for name in self.datasets if roles[name] == "precomputed"]
        foreign = [datasets.title(name) for name in banks if name != record.id_dataset]
        if foreign:
            raise UserError(f"{foreign[0]} holds the activations of another model. Pick that model or another dataset.")
        if banks and not self.variant.is_plain:
            raise UserError(
                f"{datasets.title(banks[0])} holds activations, of the model's own layer and preprocessing. "
                "Keep to these, or pick images of your own as the ID dataset."
            )

    @property
    def variant(self) -> Variant:
        """The model in the variant that this study uses."""
        return Variant(self.model, self.layer, self.transform)

    def network(self) -> LoadedModel:
        """The model, loaded, in the variant that this study uses.

        Returns:
            The network with its preprocessing, class names and feature hook, on the CPU.

        Raises:
            UserError: The weights are missing or damaged, the network does not have the layer or the preprocessing, or
                its feature map has one neuron.
        """
        return models.require_neurons(models.load(self.variant))

    @property
    def datasets(self) -> tuple[str, ...]:
        """The ID dataset, then the OOD datasets."""
        return (self.id_dataset, *self.ood_datasets)

    @property
    def trained_on(self) -> str:
        """What the model was trained on, as the papers call it ("CIFAR-10"): picks the published parameters."""
        return models.find(self.model).trained_on

    def sentence(self) -> str:
        """ "ResNet-20 · ID: CIFAR-10 · OOD: MNIST, Textures · 500 images each", and what is not the model's own."""
        record = models.find(self.model)
        ood = ", ".join(datasets.title(name) for name in self.ood_datasets)
        id_title = datasets.title(self.id_dataset)
        return " · ".join(
            [record.title, f"ID: {id_title}", f"OOD: {ood}", f"{self.images:,} images each", *self.changes()]
        )

    def changes(self) -> list[str]:
        """What is not the model's own, in words: the layer, the preprocessing and the weights."""
        said = {
            f"read at {self.layer}": self.layer,
            f"seen at {self.transform}": self.transform,
            "w searched on distorted images": self.weights,
            "without images that stand in two sets": self.distinct,
        }
        return [words for words, chosen in said.items() if chosen]

    def to_query(self) -> dict[str, str]:
        """The study as address parameters.

        Returns:
            The parameters "model", "id", "ood" (names joined by commas) and "n", and those of ``OPTIONAL`` that are not
            empty.
        """
        query = {
            "model": self.model,
            "id": self.id_dataset,
            "ood": ",".join(self.ood_datasets),
            "n": str(self.images),
        }
        return query | {key: value for key, value in zip(OPTIONAL, self._optional, strict=True) if value}

    @property
    def _optional(self) -> tuple[str, ...]:
        return self.fit_dataset, self.layer, self.transform, self.weights, self.distinct

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Study:
        """The study in an address.

        Args:
            query: Address parameters as ``to_query`` gives them. One that is left out has the model's default; unknown
                ones are ignored.

        Returns:
            The study. ``weights`` is empty where "w" is not ``SEARCHED``.

        Raises:
            UserError: The number of images is not a whole number, or ``Study`` refuses what the address names.
        """
        base = default_study(query.get("model", DEFAULT_MODEL))
        try:
            images = int(query.get("n", base.images))
        except ValueError as error:
            raise UserError(f"The link asks for “{query['n']}” images: that is not a whole number.") from error
        named = query.get("ood")
        ood = tuple(name for name in named.split(",") if name) if named is not None else base.ood_datasets
        optional = {key: query.get(key, "") for key in OPTIONAL}
        if optional["w"] != SEARCHED:  # a number is that of a page's slider
            optional["w"] = ""
        return cls(base.model, query.get("id", base.id_dataset), ood, images, *optional.values())


DEFAULT_MODEL = "resnet20-cifar10"


def default_study(model: str = DEFAULT_MODEL) -> Study:
    """The study that is offered for a model.

    A model that comes without images is offered the first of the user's datasets whose classes it has, then ImageNet's
    validation set if that is here and its training data, then the first of the user's datasets, then CIFAR-10.

    Args:
        model: Catalogue name of the model.

    Returns:
        The study with the ID and OOD datasets and the number of images that the model's record gives.

    Raises:
        UserError: The model is unknown.
    """
    record = models.find(model)
    return Study(model, record.id_dataset or _likely_id(record), record.ood_datasets, record.images)


def _likely_id(record: ModelRecord) -> str:
    own, classes = datasets.registry.names(), record.classes()
    for name in own:
        try:
            names = datasets.find(name).classes
        except UserError:  # it cannot be opened
            continue
        if names and set(names) <= set(classes):
            return name
    if record.trained_on == "ImageNet-1k" and datasets.prepared("imagenet-val"):
        return "imagenet-val"
    return own[0] if own else "cifar10"


def run(
    study: Study, store: Store, *, device: str | None = None, callbacks: RunCallbacks = NO_CALLBACKS
) -> EvaluationData:
    """The activations of a study; what the store holds is read, the rest is extracted into it.

    The labels of the ID dataset are classes of the model (``labels.labels_for``), those of the OOD datasets their own.

    Args:
        study: The model and the datasets.
        store: Where activations are kept.
        device: "cpu", "cuda" …; None for the best there is.
        callbacks: Progress over the images of all datasets, and cancellation.

    Returns:
        The ID and OOD images by the catalogue names of their datasets, with what methods may use besides them. The
        images of a dataset of precomputed activations are None.

    Raises:
        UserError: For what cannot be loaded.
        ExtractionStopped: On request; a second call goes on from there.
    """
    model = study.network()
    sources = {
        name: precomputed.load(name, model) if _is_precomputed(name) else datasets.load(name) for name in study.datasets
    }
    scoring = context(study, store, device)
    data = evaluation_data(study.id_dataset, sources, scoring, limit=study.images, callbacks=callbacks)
    return methods.overlap.without(data, methods.overlap.overlaps(data, callbacks)) if study.distinct else data


def extraction_plan(study: Study, device: str | None = None) -> extraction.ExtractionPlan:
    """What ``run`` extracts.

    Args:
        study: The model and the datasets.
        device: "cpu", "cuda" …; None for the best there is.

    Returns:
        A step for each dataset that is no bank of precomputed activations, the ID dataset first.

    Raises:
        UserError: The network or a dataset cannot be loaded.
    """
    return extraction.ExtractionPlan(
        [_step(study, name) for name in study.datasets if not _is_precomputed(name)], device
    )


def _is_precomputed(name: str) -> bool:
    return datasets.find(name).role == "precomputed"


def _step(study: Study, name: str) -> extraction.ExtractionStep:
    return extraction.ExtractionStep((study.network(),), datasets.load(name), study.images)


def needed_datasets(study: Study) -> tuple[str, ...]:
    """The datasets that a study reads.

    Args:
        study: The model and the datasets.

    Returns:
        Catalogue names: the ID dataset, the OOD datasets and, if any, the fit split: the study's, else the model's.
    """
    fit = study.fit_dataset or models.find(study.model).fit_dataset
    return (*study.datasets, *((fit,) if fit else ()))


def missing_downloads(study: Study) -> list[Download]:
    """The files that have to be fetched before the study can run.

    Args:
        study: The model and the datasets.

    Returns:
        The files of the weights, the datasets and the fit split that are not on disk, each once. Datasets of the Hub
        are not among them, because their files are not listed in advance.
    """
    files = {one.path: one for one in _missing_weights(study)}
    for name in needed_datasets(study):
        for one in datasets.missing_downloads(name):
            files.setdefault(one.path, one)  # two splits may lie in one archive
    return list(files.values())


def _missing_weights(study: Study) -> list[Download]:
    return [one for one in models.find(study.model).downloads() if not one.present]


def prepared(study: Study) -> bool:
    """Whether everything that the study is made of can be opened without fetching or unpacking.

    Args:
        study: The model and the datasets, the fit split among them.

    Returns:
        True where nothing is missing.
    """
    return models.is_here(study.model) and all(datasets.prepared(name) for name in needed_datasets(study))


def prepare(study: Study, callbacks: RunCallbacks = NO_CALLBACKS) -> None:
    """Fetch what a study is missing and unpack it; a second call goes on where a cancelled one stopped.

    Args:
        study: The model and the datasets, the fit split among them.
        callbacks: Progress in bytes, and cancellation.

    Raises:
        UserError: A file cannot be fetched, or an archive is damaged.
        ExtractionStopped: On request.
    """
    for download in _missing_weights(study):
        fetch(download, callbacks)
    for name in needed_datasets(study):
        datasets.prepare(name, callbacks)


def context(study: Study, store: Store, device: str | None = None) -> ScoringContext:
    """What the methods of a study may use besides the activations of its images.

    Args:
        study: The model and the datasets.
        store: Where activations are kept.
        device: "cpu", "cuda" …; None for the best there is.

    Returns:
        The network, its training data, and the fit split, if any, labelled with the network's classes.

    Raises:
        UserError: The network or the fit split cannot be loaded.
    """
    record, model = models.find(study.model), study.network()
    name = study.fit_dataset or record.fit_dataset
    images = datasets.load(name) if name else None
    fit = relabelled(images, labels_for(images, model.classes)) if images else None
    return ScoringContext(model, record.trained_on, fit, store=store, device=device)


def missing_images(study: Study, store: Store) -> dict[str, int]:
    """How many images of each dataset are not in the store yet.

    Nothing that has still to be downloaded is opened: all its images are taken to be missing.

    Args:
        study: The model and the datasets.
        store: Where activations are kept.

    Returns:
        Catalogue name → number of images, without datasets that lack none; empty when all are stored.

    Raises:
        UserError: The network or a dataset that is here cannot be loaded.
    """
    here = models.is_here(study.model)
    counts = {
        name: _step(study, name).missing(store)
        if here and datasets.prepared(name)
        else min(study.images, datasets.find(name).size or study.images)
        for name in study.datasets
        if not _is_precomputed(name)
    }
    return {name: count for name, count in counts.items() if count}
