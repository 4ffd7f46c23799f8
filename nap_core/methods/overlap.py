"""Images that stand in two sets of the same data: in the fit split and among those that are scored, or in ID and OOD.

A method that estimates from images which it then scores looks better than it is, and an image that is ID and OOD at
once cannot be told apart from itself. Images are taken for the same by the sha256 of their pixels. To keep tens of
thousands of images from being decoded for that, only those are whose activations agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from nap_core.datasets import ImageDataset
from nap_core.datasets.images import digest
from nap_core.datasets.subset import subset, whole
from nap_core.errors import UserError
from nap_core.methods.context import EvaluationData
from nap_core.methods.inputs import ImageSet
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

FIT: Final = ""
"""As the name of a set: the fit split."""
TOLERANCE = 5e-3
"""In standard deviations of a channel: batches of other sizes and half precision move activations by less."""
_CHANNELS = 16


@dataclass(frozen=True)
class Overlap:
    """Images of one set that stand in another set as well.

    Attributes:
        name: the set whose images these are, as in ``EvaluationData.parts``.
        other: the set in which they stand as well; ``FIT`` for the fit split.
        rows: their rows in the activations of ``name``, ascending.
        images: how many images ``name`` has.
        by_pixels: whether their pixels were compared; False where one of the sets has activations only.
    """

    name: str
    other: str
    rows: tuple[int, ...]
    images: int
    by_pixels: bool

    def sentence(self, titles: Mapping[str, str] | None = None) -> str:
        """The overlap in one sentence; ``titles`` by name of the set."""
        title, other = ((titles or {}).get(name, name) for name in (self.name, self.other))
        where = "the fit split" if self.other == FIT else other
        count = len(self.rows)
        stands = "stands" if count == 1 else "stand"
        how = "" if self.by_pixels else ", as far as their activations show"
        return f"{count:,} of the {self.images:,} images of {title} {stands} in {where} as well{how}."


def overlaps(data: EvaluationData, callbacks: RunCallbacks = NO_CALLBACKS, *, fit: bool = True) -> list[Overlap]:
    """The images that stand in two sets of ``data``.

    Args:
        data: the ID and OOD images.
        callbacks: progress of the fit split's extraction, and cancellation.
        fit: whether the fit split is compared, too. Its activations are extracted where that has not been done.

    Returns:
        ID and OOD images of the fit split, then OOD images that are among the ID images; without sets that share none.

    Raises:
        UserError: an image cannot be read.
        ExtractionStopped: when the callbacks stop it.
    """
    pairs = [(FIT, name) for name in data.parts] if fit and data.context.has_fit else []
    pairs += [(data.id_name, name) for name in data.ood]
    found = []
    for other, name in pairs:
        callbacks.raise_if_stopped()
        kept = data.context.fit("The overlap", callbacks) if other == FIT else data.id
        part = data.parts[name]
        rows, by_pixels = _shared_rows(part, kept)
        if rows:
            found.append(Overlap(name, other, tuple(rows), len(part.activations), by_pixels))
    return found


def without(data: EvaluationData, found: Sequence[Overlap]) -> EvaluationData:
    """The data without the images in ``found``: those of the fit split, and the ID images that are also OOD, stay.

    Raises UserError when no ID image is left, or none of an OOD dataset.
    """
    rows = {name: sorted({row for one in found if one.name == name for row in one.rows}) for name in data.parts}
    for name, part in data.parts.items():
        if len(rows[name]) == len(part.activations):
            raise UserError(f"Every image of {name} stands in another set as well: none is left. Take other images.")
    parts = {name: _without(part, rows[name]) for name, part in data.parts.items()}
    return replace(data, id=parts.pop(data.id_name), ood=parts)


def _without(part: ImageSet, rows: Sequence[int]) -> ImageSet:
    if not rows:
        return part
    kept = np.delete(np.arange(len(part.activations)), rows)
    images = None
    if part.images is not None:
        images = subset(whole(part.images), np.array([part.index(int(row)) for row in kept], np.int64))
    shared = tuple(part.index(row) for row in rows)
    return ImageSet(
        part.activations.take(kept), images, tuple(sorted({*part.left_out, *shared})), (*part.shared, *shared)
    )


def _shared_rows(part: ImageSet, other: ImageSet) -> tuple[list[int], bool]:
    """The rows of ``part`` whose images are in ``other``, and whether that was decided by pixels."""
    if not len(part.activations) or not len(other.activations):
        return [], True
    left, right = _signatures(part, other)
    candidates = KDTree(right).query_ball_point(left, TOLERANCE, p=np.inf)
    near = {row: rows for row, rows in enumerate(candidates) if rows}
    if part.images is None or other.images is None:
        return list(near), False
    ours = _digests(part.images, near)
    theirs = _digests(other.images, {row for rows in near.values() for row in rows})
    return [row for row, rows in near.items() if any(theirs[one] == ours[row] for one in rows)], True


def _signatures(part: ImageSet, other: ImageSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The channels whose maxima differ most between images, in standard deviations: (N, ≤ 16) and (M, ≤ 16)."""
    maxima = [np.asarray(one.activations.maximum, np.float64) for one in (part, other)]
    spread = np.concatenate([one[:: max(1, len(one) // 1000)] for one in maxima]).std(axis=0)
    used = np.argsort(-spread, kind="stable")[:_CHANNELS]
    scale = np.where(spread[used] > 0, spread[used], 1.0)
    return maxima[0][:, used] / scale, maxima[1][:, used] / scale


def _digests(images: ImageDataset, rows: Mapping[int, object] | set[int]) -> dict[int, bytes]:
    return {row: digest(np.asarray(images.image(row).convert("RGB"))) for row in rows}
