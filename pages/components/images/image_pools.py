"""The images of a study that can be looked at: their pixels, captions and maps, each loaded when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core import datasets, extraction, models
from nap_core.activations import Activations
from nap_core.analysis.channels import ranking
from nap_core.analysis.channels.kinds import kind_of
from nap_core.figures import colours
from nap_core.figures.activation_maps import Subject, enlarged
from nap_core.figures.thumbnails import data_address, overlay
from nap_core.methods import EvaluationData
from nap_core.models import Variant
from nap_core.studies.study import Study
from pages.components.study import workspace
from pages.components.study.cache import cached

STAND_IN = "photos"  # looked at in place of a reference bank, whose images are not shipped


@dataclass(frozen=True, eq=False)
class Pool:
    """The images of one dataset beside what the model of a study answers to them; ``role`` is "ID" or "OOD"."""

    model: Variant
    role: str
    name: str
    title: str
    colour: str
    activations: Activations

    def __len__(self) -> int:
        return len(self.activations)

    @property
    def _labels(self) -> NDArray[np.int64]:
        # The dataset's own: those among the activations are classes of the network.
        return datasets.load(self.name).labels[: len(self)]

    @property
    def classes(self) -> list[str]:
        """The classes that occur, in the dataset's order; empty where no image has one."""
        labels = np.unique(self._labels)
        return [datasets.load(self.name).classes[label] for label in labels if label >= 0]

    def rows_of(self, shows: str | None) -> NDArray[np.int64]:
        """The images of one class, or of all for None."""
        if shows is None or shows not in self.classes:
            return np.arange(len(self))
        return np.flatnonzero(self._labels == datasets.load(self.name).classes.index(shows))

    def shows(self, row: int) -> str:
        """What an image shows as far as it is known: its class or its own title, else ""."""
        dataset = datasets.load(self.name)
        if isinstance(dataset, datasets.SamplePhotos):
            return dataset.photos[row].title
        label = int(self._labels[row])
        return dataset.classes[label] if label >= 0 else ""

    def caption(self, row: int) -> str:
        """What an image is called: what it shows, or its number."""
        return self.shows(row) or f"image {row}"

    def predicted(self, row: int) -> str:
        """The class that the model predicts."""
        return models.load(self.model).classes[int(self.activations.predictions[row])]

    def thumbnail(self, row: int) -> str:
        """The image as a small ``data:`` address."""
        return cached((self.name, row), _thumbnail, self.name, row, entries=4096)

    def values(self, row: int, order: str) -> NDArray[np.float64]:
        """What the channels of one image can be ordered by, (C,); ``order`` is one of ``orders_of`` the model."""
        one = self.activations.take(slice(row, row + 1))
        return ranking.values(one, order, models.load(self.model).head_weight)[0]

    def subject(self, row: int) -> Subject:
        """The image with its maps."""
        model = models.load(self.model)
        key = (self.model, self.name, row, workspace.device())
        return Subject(
            self.role,
            f"{self.caption(row)}, {self.title}",
            self.colour,
            self._view(row),
            cached(key, _maps, *key, entries=128),
            self.values(row, "contribution") if model.logits_from_means else None,
            kind_of(model),
        )

    def _view(self, row: int) -> NDArray[np.uint8]:
        return cached((self.model, self.name, row), _view, self.model, self.name, row, entries=512)

    def laid_over(self, rows: list[int], channel: int, opacity: float) -> list[str]:
        """Images with the map of one channel laid over them, on one colour scale, as ``data:`` addresses."""
        key = (self.model, self.name, tuple(rows), channel, workspace.device())
        maps = cached(key, _channel_maps, *key, entries=128)
        top = float(maps.max(initial=0.0))
        views = [enlarged(self._view(row), 64) for row in rows]
        return [data_address(overlay(view, one, top, opacity)) for view, one in zip(views, maps, strict=True)]


def id_pool(study: Study, data: EvaluationData) -> Pool:
    """The ID images; for a reference bank, whose images are not shipped, the sample photographs in their place."""
    name = study.id_dataset
    shown = name if datasets.find(name).images_shipped else STAND_IN
    answers = data.of(name) if shown == name else _answers_to(study, shown)
    return _pool(study, "ID", shown, name, answers)


def ood_pool(study: Study, data: EvaluationData, name: str) -> Pool:
    """The images of one of the study's OOD datasets."""
    return _pool(study, "OOD", name, name, data.of(name))


def _pool(study: Study, role: str, name: str, painted_as: str, activations: Activations) -> Pool:
    palette = colours(study.id_dataset, study.ood_datasets)
    return Pool(study.variant, role, name, datasets.title(name), palette[painted_as], activations)


def _answers_to(study: Study, name: str) -> Activations:
    device = workspace.device()
    return cached(
        (study.variant, name, device),
        extraction.extract,
        study.network(),
        datasets.load(name),
        store=workspace.store(),
        device=device,
        spinner="Extracting the sample photographs …",
        entries=4,
        shared=True,
    )


def _thumbnail(name: str, row: int) -> str:
    return data_address(datasets.load(name).image(row))


def _view(model: Variant, name: str, row: int) -> NDArray[np.uint8]:
    return models.load(model).transform.view(datasets.load(name).image(row))


def _maps(model: Variant, name: str, row: int, device: str | None) -> NDArray[np.float32]:
    maps: NDArray[np.float32] = extraction.maps(models.load(model), [datasets.load(name).image(row)], device=device)[0]
    return maps


def _channel_maps(
    model: Variant, name: str, rows: tuple[int, ...], channel: int, device: str | None
) -> NDArray[np.float32]:
    images: list[Image.Image] = [datasets.load(name).image(row) for row in rows]
    return extraction.maps(models.load(model), images, device=device)[:, channel].copy()
