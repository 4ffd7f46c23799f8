"""What the score page keeps of each image and each network, so that an answer is there at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from nap_core import corruptions, datasets, extraction, models
from nap_core.activations import Activations
from nap_core.analysis import single_image
from nap_core.analysis.channels.kinds import ChannelKind, kind_of
from nap_core.analysis.single_image import ImageVerdict
from nap_core.datasets.uploaded_images import UploadedImage
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, ScoringContext, Weight
from nap_core.models import Variant
from nap_core.storage.progress import Progress, RunCallbacks
from nap_core.studies.study import Study
from nap_core.studies.study import context as scoring_context
from pages.components.study import workspace
from pages.components.study.cache import cached

PREVIEW = 320  # pixels of the long side of what is kept of an original


@dataclass(frozen=True)
class IdScores:
    """Of a network's ID images: the scores (N,) by method, and the NAP term of each image and channel, (N, C).

    ``unable`` has the reasons of those that cannot be computed.
    """

    scores: dict[str, NDArray[np.float64]]
    terms: NDArray[np.float64]
    context: ScoringContext
    weights: dict[str, float]
    unable: dict[str, str]


@dataclass(frozen=True)
class AnalysedImage:
    """One image after one pass: the original, small; the view of the network; activations and maps."""

    name: str
    notes: tuple[str, ...]
    size: tuple[int, int]
    tiny: bool
    preview: Image.Image
    view: NDArray[np.uint8]
    part: ImageSet
    maps: NDArray[np.float32]

    @property
    def activations(self) -> Activations:
        return self.part.activations


def data(model: str) -> EvaluationData:
    """The ID images of ``model`` with the scoring context of its methods; extracted the first time, with a bar.

    Raises UserError where there are none.
    """
    place = st.empty()

    def note(progress: Progress) -> None:
        speed = f"{progress.speed:,.0f} images/s · about {progress.seconds_left:.0f} s left"
        text = f"Extracting {progress.total:,} ID images, once: {progress.done:,} · {speed}"
        place.progress(progress.done / progress.total, text=text)

    among, store = workspace.reference_study(model), workspace.store()
    device = workspace.device()
    with st.spinner("Loading the network …"):  # a large one takes a while to open, before there is anything to count
        stored = single_image.known_activations(
            among.variant, store, among.id_dataset, device=device, callbacks=RunCallbacks(note)
        )
    place.empty()
    return cached((among, device), _data, among, device, stored, entries=4, shared=True)


def _data(among: Study, device: str | None, stored: Activations) -> EvaluationData:
    return EvaluationData(among.id_dataset, ImageSet(stored), {}, scoring_context(among, workspace.store(), device))


def id_scores(model: str, about: EvaluationData, specs: Sequence[str]) -> IdScores:
    """The scores of the ID images of ``model``, which are ``about``, under the methods ``specs``."""
    scores: dict[str, NDArray[np.float64]] = {}
    unable = {}
    weights = {spec: one.w for spec, one in searched_or_published(model, about, specs).items()}
    with st.spinner("Scoring …"):
        for spec in specs:
            try:
                scores |= single_image.id_scores(about, [spec], weights)
            except UserError as error:
                unable[spec] = str(error)
    variant = workspace.variant(model)
    kind, activations = kind_of(models.load(variant)), about.id.activations
    terms = cached((variant, about.id_name), _terms, kind, activations, entries=4, shared=True)
    return IdScores(scores, terms, about.context, weights, unable)


def searched_or_published(model: str, about: EvaluationData, specs: Sequence[str]) -> dict[str, Weight]:
    """The w of each combination in ``specs``: that of the study with which ``model`` is compared."""
    among = workspace.reference_study(model)
    shipped = datasets.find(among.id_dataset).images_shipped
    images = datasets.load(among.id_dataset) if shipped else None
    # As many images as the study has: w is searched on the same ones on every page.
    id_images = ImageSet(about.id.activations.head(among.images), images)
    return workspace.weights(among, replace(about, id=id_images), specs)


def _terms(kind: ChannelKind, activations: Activations) -> NDArray[np.float64]:
    return kind.terms(activations)


def look(model: str, key: str, read: Callable[[], UploadedImage]) -> AnalysedImage | UserError:
    """The image that ``read`` gives under ``model``, or why it cannot be read; ``key`` stands for it in the cache."""
    arguments = workspace.variant(model), workspace.device()
    # As many as one upload may hold: a table must not look at its first rows again while it fills its last.
    return cached((*arguments, key), _look, *arguments, read, entries=128, shared=True)


def _look(model: Variant, device: str | None, read: Callable[[], UploadedImage]) -> AnalysedImage | UserError:
    try:
        brought = read()
    except UserError as error:
        return error
    loaded = models.load(model)
    view = loaded.transform.view(brought.image)
    activations, maps = extraction.look(loaded, view[None], device=device)
    if not activations.finite.all():
        return UserError(f"{loaded.title} does not answer “{brought.name}” with finite numbers, so it has no scores.")
    preview = brought.image.copy()
    preview.thumbnail((PREVIEW, PREVIEW))
    return AnalysedImage(
        brought.name, brought.notes, brought.image.size, brought.tiny, preview, view, ImageSet(activations), maps[0]
    )


def placements(images: ImageSet, among: IdScores) -> list[dict[str, ImageVerdict]]:
    """Where each of the images stands under every method."""
    return single_image.place(images, among.scores, among.context, among.weights)


def worsened(model: str, key: str, looked: AnalysedImage, corruption: str) -> tuple[NDArray[np.uint8], ImageSet]:
    """What the network sees of an image at severities 0 to 5, (6, H, W, 3), and its answers."""
    arguments = workspace.variant(model), corruption, workspace.device()
    return cached((*arguments, key), _worsened, *arguments, looked.view, entries=64, shared=True)


def _worsened(
    model: Variant, corruption: str, device: str | None, view: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], ImageSet]:
    views = corruptions.strip(corruption, view)
    return views, ImageSet(extraction.look(models.load(model), views, device=device)[0])
