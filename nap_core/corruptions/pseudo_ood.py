"""Pseudo-OOD data: corrupted ID images, on which w is searched (Section 4.3 and Appendix H of the NAP paper).

    >>> images = PseudoOod(id_images, model.transform, limit=500)
    >>> activations = extract(for_views(model), images, store=store)

Corruptions are applied after resize and crop, so a ``PseudoOod`` gives views, images of exactly the crop's size.
``for_views`` is the model with a preprocessing that leaves views unchanged; normalisation and weights stay.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core import corruptions, models
from nap_core.corruptions import Scale
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.models import Transform

if TYPE_CHECKING:
    from nap_core.models import LoadedModel

Indices = NDArray[np.int64]


class Plan(NamedTuple):
    """Source image, corruption and severity of each of N images, all (N,) int64.

    ``source`` is an index into the dataset, ``corruption`` one into ``PseudoOod.corruptions``, ``severity`` 1 to 5.
    """

    source: Indices
    corruption: Indices
    severity: Indices


def for_views(model: LoadedModel) -> LoadedModel:
    """The same network with a preprocessing that leaves views unchanged, for extracting a ``PseudoOod``."""
    side = model.transform.crop
    return models.with_preprocessing(model, model.transform.changed(f"{side}/{side}"))


@dataclass(frozen=True, eq=False)
class PseudoOod:
    """Corrupted views of a dataset: an ``ImageDataset`` for ``for_views`` of the model with this transform.

    Labels are those of the source images. Datasets that differ only in ``limit`` share the fingerprint, because the
    smaller one is the beginning of the larger.

    Args:
        dataset: the ID images.
        transform: the model's preprocessing; resize and crop are applied before the corruption.
        severities: the severities to use in turn: 75 images have every corruption at each of five severities.
        seed: determines the order of corruptions and severities, and the noise.
        limit: number of source images from the start; None for all.
        each: False for one corruption an image, so that each group of 15 has them all; True for all corruptions of
            every image, 15 times as many images.
        corruptions: names of the catalogue.
        scale: the list of parameters, see ``corrupt_batch``.

    Raises:
        UserError: unknown corruption.
        ValueError: a severity other than 1 to 5, or no corruption or severity.
    """

    dataset: ImageDataset
    transform: Transform
    severities: tuple[int, ...] = (1, 2, 3, 4, 5)
    seed: int = 0
    limit: int | None = None
    each: bool = False
    corruptions: tuple[str, ...] = tuple(corruptions.RECORDS)
    scale: Scale = "auto"

    def __post_init__(self) -> None:
        unknown = [name for name in self.corruptions if name not in corruptions.RECORDS]
        if unknown:
            names = ", ".join(corruptions.RECORDS)
            raise UserError(f"There is no corruption called “{unknown[0]}”. There are: {names}.")
        if not self.corruptions or not self.severities or not set(self.severities) <= set(range(1, 6)):
            raise ValueError(f"needs corruptions, and severities of 1 to 5, not {self.corruptions}, {self.severities}")

    @property
    def name(self) -> str:
        return f"{self.dataset.name}-corrupted"

    @property
    def title(self) -> str:
        return f"{self.dataset.title}, corrupted"

    @property
    def classes(self) -> tuple[str, ...]:
        return self.dataset.classes

    @cached_property
    def labels(self) -> Indices:
        return self.dataset.labels[self.plan.source]

    @cached_property
    def fingerprint(self) -> str:
        parameters = (self.severities, self.seed, self.each, self.corruptions, self.scale, corruptions.REVISION)
        identity = "\n".join((self.dataset.fingerprint, self.transform.geometry, *map(repr, parameters)))
        return hashlib.sha256(identity.encode()).hexdigest()

    @cached_property
    def plan(self) -> Plan:
        """Source, corruption and severity of each image, in the order of presentation."""
        count, kinds, steps = len(self), len(self.corruptions), len(self.severities)
        place = np.arange(count, dtype=np.int64)
        turn = place // kinds
        turns = -(-count // kinds)
        # In random order, so that no corruption correlates with a class or another regularity of the dataset.
        corruption = self._orders("corruptions", turns, kinds).ravel()[:count]
        start = self._orders("severities", -(-turns // steps), steps).ravel()[turn]
        severity = np.array(self.severities, np.int64)[(start + corruption) % steps]
        return Plan(turn if self.each else place, corruption, severity)

    def _orders(self, what: str, count: int, size: int) -> Indices:
        """(count, size): random permutations, one a row; a larger ``count`` extends the same rows."""
        # Raw output is stable between NumPy versions; NumPy's shuffles are not.
        keys = np.random.Philox(key=_key(self.seed, what)).random_raw(count * size).reshape(count, size)
        return np.argsort(keys, axis=1, kind="stable").astype(np.int64)

    def __len__(self) -> int:
        sources = len(self.dataset) if self.limit is None else min(self.limit, len(self.dataset))
        return sources * len(self.corruptions) if self.each else sources

    def image(self, index: int) -> Image.Image:
        """View ``index``, crop × crop pixels. Raises UserError when the image cannot be read."""
        source, corruption, severity = (int(column[index]) for column in self.plan)
        view = self.transform.view(self.dataset.image(source))
        made = corruptions.corrupt_batch(
            self.corruptions[corruption],
            view[None],
            severity,
            [_key(self.seed, str(source)) % 2**64],
            scale=self.scale,
        )
        return Image.fromarray(made[0])


def _key(seed: int, what: str) -> int:
    """A 128-bit number for a purpose or an image."""
    return int.from_bytes(hashlib.sha256(f"{seed} {what}".encode()).digest()[:16], "little")
