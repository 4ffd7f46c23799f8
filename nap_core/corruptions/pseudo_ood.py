"""Pseudo-OOD data: ID images made worse, on which w is searched (Section 4.3 and Appendix H of the NAP paper).

    >>> images = PseudoOod(id_images, model.transform, limit=500)
    >>> activations = extract(fed_views(model), images, store=store)

Corruptions apply to what the network sees, after the resize and the crop, so a ``PseudoOod`` gives views: pictures of
exactly the crop's size. ``fed_views`` is the model whose preprocessing leaves such a picture as it is; mean, standard
deviation and weights stay.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nap_core import corruptions
from nap_core.corruptions import Scale
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.models import LoadedModel, Transform, with_preprocessing

Indices = NDArray[np.int64]


class Plan(NamedTuple):
    """What each of N images is made of: all (N,) int64.

    ``source`` is the index of the image in the dataset, ``corruption`` that of the corruption in
    ``PseudoOod.corruptions``, ``severity`` from 1 to 5.
    """

    source: Indices
    corruption: Indices
    severity: Indices


def for_views(model: LoadedModel) -> LoadedModel:
    """The same network with a preprocessing that takes views as they are: what a ``PseudoOod`` is extracted with."""
    side = model.transform.crop
    return with_preprocessing(model, model.transform.changed(f"{side}/{side}"))


@dataclass(frozen=True, eq=False)
class PseudoOod:
    """The first ``limit`` images of ``dataset`` (all when None) as ``transform`` shows them, corrupted: an
    ``ImageDataset`` for ``fed_views`` of the model that has this transform.

    Each image meets one of ``corruptions``, so that any 15 in a row (from a multiple of 15) meet them all; with
    ``each``, every image meets them all and there are 15 times as many. ``severities`` take turns, so that after 75
    images every corruption has been met at each of five. Which comes when, and the noise, follow from ``seed``.
    ``scale`` chooses the parameters, see ``corruptions.corrupt_batch``. The labels are those of the dataset: a
    corrupted dog is a dog.

    Sets that differ in ``limit`` alone share the fingerprint: the smaller one is the beginning of the larger.

    Raises UserError for an unknown corruption, ValueError for a severity other than 1 to 5, or none of either.
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
            known = ", ".join(corruptions.RECORDS)
            raise UserError(f"There is no corruption called “{unknown[0]}”. There are: {known}.")
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
        made_with = (self.severities, self.seed, self.each, self.corruptions, self.scale, corruptions.REVISION)
        told = "\n".join((self.dataset.fingerprint, self.transform.geometry, *map(repr, made_with)))
        return hashlib.sha256(told.encode()).hexdigest()

    @cached_property
    def plan(self) -> Plan:
        """What each image is made of, in the order of presentation."""
        count, kinds, steps = len(self), len(self.corruptions), len(self.severities)
        place = np.arange(count, dtype=np.int64)
        turn = place // kinds
        turns = -(-count // kinds)
        # In random order: neither classes nor anything else that recurs in the dataset may go with a corruption.
        corruption = self._orders("corruptions", turns, kinds).ravel()[:count]
        start = self._orders("severities", -(-turns // steps), steps).ravel()[turn]
        severity = np.array(self.severities, np.int64)[(start + corruption) % steps]
        return Plan(turn if self.each else place, corruption, severity)

    def _orders(self, what: str, count: int, size: int) -> Indices:
        """``count`` random permutations of ``size``, one a row; more of them begin with these."""
        # The raw output, which NumPy keeps unchanged between versions; its shuffles may change.
        keys = np.random.Philox(key=_key(self.seed, what)).random_raw(count * size).reshape(count, size)
        return np.argsort(keys, axis=1, kind="stable").astype(np.int64)

    def __len__(self) -> int:
        sources = len(self.dataset) if self.limit is None else min(self.limit, len(self.dataset))
        return sources * len(self.corruptions) if self.each else sources

    def image(self, index: int) -> Image.Image:
        """View ``index``, crop × crop pixels. Raises UserError when the image can no longer be read."""
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
    """A number of 128 bits for a purpose or an image."""
    return int.from_bytes(hashlib.sha256(f"{seed} {what}".encode()).digest()[:16], "little")
