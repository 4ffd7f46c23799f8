"""A study, what the sidebar picks and a link shares: a model, an ID dataset, OOD datasets, how many images of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nap_core import bank, datasets, models
from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.extraction import Progress, extract, store_key
from nap_core.methods.ground import Ground, Part
from nap_core.store import Store

MAX_IMAGES = 1_000_000


@dataclass(frozen=True)
class Study:
    """Names are those of the catalogues; ``images`` is how many of each dataset are used (fewer where there are fewer).

    Raises UserError when a name is unknown, no OOD dataset is given, the number is not positive, or a dataset is a
    bank made by another model.
    """

    model: str
    id_dataset: str
    ood_datasets: tuple[str, ...]
    images: int

    def __post_init__(self) -> None:
        if self.model not in models.RECORDS:
            raise UserError(f"There is no model called “{self.model}”. There are: {', '.join(models.RECORDS)}.")
        unknown = [name for name in self.datasets if name not in datasets.RECORDS]
        if unknown:
            known = ", ".join(datasets.RECORDS)
            raise UserError(f"There is no dataset called “{unknown[0]}”. There are: {known}.")
        if not self.ood_datasets:
            raise UserError("A study needs at least one OOD dataset. Pick one.")
        if len(set(self.datasets)) < len(self.datasets):
            raise UserError("A study meets each dataset once. Take the repeated one out.")
        if not 1 <= self.images <= MAX_IMAGES:
            raise UserError(f"The number of images must lie between 1 and {MAX_IMAGES:,}, not {self.images:,}.")
        own = models.RECORDS[self.model].id_dataset
        foreign = [name for name in self.datasets if datasets.RECORDS[name].role == "bank" and name != own]
        if foreign:
            title = datasets.RECORDS[foreign[0]].title
            raise UserError(f"{title} holds the activations of another model. Pick that model or another dataset.")

    @property
    def datasets(self) -> tuple[str, ...]:
        """The ID dataset, then the OOD datasets."""
        return (self.id_dataset, *self.ood_datasets)

    @property
    def knows(self) -> str:
        """What the model was trained on, as the papers call it ("CIFAR-10"): picks the published parameters."""
        return models.RECORDS[self.model].knows

    def sentence(self) -> str:
        """ "ResNet-20 · knows CIFAR-10 · meets MNIST, Textures · 500 images each"."""
        record = models.RECORDS[self.model]
        met = ", ".join(datasets.RECORDS[name].title for name in self.ood_datasets)
        known = datasets.RECORDS[self.id_dataset].title
        return f"{record.title} · knows {known} · meets {met} · {self.images:,} images each"

    def to_query(self) -> dict[str, str]:
        """The study as address parameters."""
        return {
            "model": self.model,
            "id": self.id_dataset,
            "ood": ",".join(self.ood_datasets),
            "n": str(self.images),
        }

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Study:
        """The study in an address; what is left out is the model's default.

        Raises UserError for what cannot be read.
        """
        base = default_study(query.get("model", DEFAULT_MODEL))
        try:
            images = int(query.get("n", base.images))
        except ValueError as error:
            raise UserError(f"The link asks for “{query['n']}” images: that is not a whole number.") from error
        chosen = query.get("ood")
        met = tuple(name for name in chosen.split(",") if name) if chosen is not None else base.ood_datasets
        return cls(base.model, query.get("id", base.id_dataset), met, images)


DEFAULT_MODEL = "resnet20-cifar10"


def default_study(model: str = DEFAULT_MODEL) -> Study:
    """The study that is offered for a model. Raises UserError for an unknown model."""
    if model not in models.RECORDS:
        raise UserError(f"There is no model called “{model}”. There are: {', '.join(models.RECORDS)}.")
    record = models.RECORDS[model]
    return Study(model, record.id_dataset or "cifar10", record.ood_datasets, record.images)


@dataclass(frozen=True)
class StudyActivations:
    """The activations of a study: of the ID dataset, and of each OOD dataset by its catalogue name, in study order.

    ``ground`` is what methods may use beside them; without one, those run that need nothing more.
    """

    study: Study
    id: Activations
    ood: dict[str, Activations]
    ground: Ground = field(default_factory=Ground)

    def __post_init__(self) -> None:
        self.ground.knows = self.ground.knows or self.study.knows

    def of(self, name: str) -> Activations:
        """The activations of one of the study's datasets."""
        return self.id if name == self.study.id_dataset else self.ood[name]

    @cached_property
    def parts(self) -> dict[str, Part]:
        """Activations and images of each dataset, the ID dataset first; a bank has no images."""
        return {
            name: Part(self.of(name), datasets.load(name) if datasets.RECORDS[name].images_shipped else None)
            for name in self.study.datasets
        }


def run(
    study: Study,
    store: Store,
    *,
    device: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> StudyActivations:
    """The study's activations; what the store holds is read, the rest is extracted into it.

    Raises ExtractionStopped when ``should_stop`` says so; a second call goes on from there.
    """
    model = models.load(study.model)
    found = {}
    for name in study.datasets:
        if datasets.RECORDS[name].role == "bank":
            found[name] = bank.load(name, model).head(study.images)
        else:
            found[name] = extract(
                model,
                datasets.load(name),
                limit=study.images,
                store=store,
                device=device,
                progress=progress,
                should_stop=should_stop,
            )
    return StudyActivations(study, found.pop(study.id_dataset), found, ground(study, store, device))


def ground(study: Study, store: Store, device: str | None = None) -> Ground:
    """What the methods of ``study`` may use: its network, and the network's fit split where the catalogue has one."""
    record = models.RECORDS[study.model]
    fit = datasets.load(record.fit_dataset) if record.fit_dataset else None
    return Ground(models.load(study.model), record.knows, fit, store=store, device=device)


def missing_images(study: Study, store: Store) -> dict[str, int]:
    """How many images of each dataset are not in the store yet; empty when the study opens at once."""
    model = models.load(study.model)
    missing = {}
    for name in study.datasets:
        if datasets.RECORDS[name].role == "bank":
            continue
        dataset = datasets.load(name)
        wanted = min(study.images, len(dataset))
        have = store.entry(store_key(model, dataset)).rows
        if have < wanted:
            missing[name] = wanted - have
    return missing
