"""What the score page keeps of each image and each network, so that an answer is there at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from nap_core import corruptions, extraction, models, studies
from nap_core.activations import Activations
from nap_core.analysis import single_image
from nap_core.analysis.channels.kinds import kind_of
from nap_core.analysis.evaluation import EvaluationData
from nap_core.analysis.single_image import ImageVerdict
from nap_core.datasets.uploaded_images import UploadedImage
from nap_core.errors import UserError
from nap_core.extraction import Progress
from nap_core.methods import ImageSet, ScoringContext
from nap_core.models import Variant
from nap_core.studies.study import Study
from pages.components.study import workspace

PREVIEW = 320  # pixels of the long side of what is kept of an original


@dataclass(frozen=True)
class Known:
    """Of the images a network knows: the chosen methods' scores by name, and the NAP term of each image and channel.

    ``unable`` has the reasons of those that cannot be computed.
    """

    scores: dict[str, NDArray[np.float64]]
    terms: NDArray[np.float64]
    context: ScoringContext
    unable: dict[str, str]


@dataclass(frozen=True)
class AnalysedImage:
    """One image after one pass: the original, small; what the network saw; what it answered."""

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


def cases(model: str) -> EvaluationData:
    """The images that ``model`` knows, with what its methods stand on; extracted the first time, with a bar.

    Raises UserError where nothing is known.
    """
    place = st.empty()

    def note(progress: Progress) -> None:
        speed = f"{progress.speed:,.0f} images/s · about {progress.seconds_left:.0f} s left"
        text = f"Looking at {progress.total:,} images that the network knows, once: {progress.done:,} · {speed}"
        place.progress(progress.done / progress.total, text=text)

    among, store = workspace.reference_study(model), workspace.store()
    device = workspace.device()
    with st.spinner("Asking the network …"):  # a large one takes a while to open, before there is anything to count
        found = single_image.known_activations(among.variant, store, among.id_dataset, device=device, progress=note)
    place.empty()
    return _cases(among, device, found)


@st.cache_resource(show_spinner=False, max_entries=4)
def _cases(among: Study, device: str | None, _found: Activations) -> EvaluationData:
    return EvaluationData(among.id_dataset, ImageSet(_found), {}, studies.context(among, workspace.store(), device))


def known(model: str, about: EvaluationData, specs: Sequence[str]) -> Known:
    """What the methods ``specs`` say of the images that ``model`` knows, which are ``about``."""
    scores, unable = {}, {}
    with st.spinner("Scoring …"):
        for spec in specs:
            try:
                scores |= single_image.known_scores(about.id, about.context, [spec])
            except UserError as error:
                unable[spec] = str(error)
    return Known(scores, _terms(workspace.variant(model), about.id_name, about.id.activations), about.context, unable)


@st.cache_resource(show_spinner=False, max_entries=4)
def _terms(model: Variant, id_dataset: str, _found: Activations) -> NDArray[np.float64]:
    return kind_of(models.load(model)).terms(_found)


def look(model: str, key: str, read: Callable[[], UploadedImage]) -> AnalysedImage | UserError:
    """The image that ``read`` gives under ``model``, or why it cannot be read; ``key`` stands for it in the cache."""
    return _look(workspace.variant(model), key, workspace.device(), read)


# As many as one upload may hold: a table must not look at its first rows again while it fills its last.
@st.cache_resource(show_spinner=False, max_entries=128)
def _look(
    model: Variant, key: str, device: str | None, _read: Callable[[], UploadedImage]
) -> AnalysedImage | UserError:
    try:
        brought = _read()
    except UserError as error:
        return error
    loaded = models.load(model)
    view = loaded.transform.view(brought.image)
    activations, maps = extraction.look(loaded, view[None], device=device)
    preview = brought.image.copy()
    preview.thumbnail((PREVIEW, PREVIEW))
    return AnalysedImage(
        brought.name, brought.notes, brought.image.size, brought.tiny, preview, view, ImageSet(activations), maps[0]
    )


def placements(images: ImageSet, among: Known) -> list[dict[str, ImageVerdict]]:
    """Where each of the images stands under every method."""
    return single_image.place(images, among.scores, among.context)


def worsened(model: str, key: str, looked: AnalysedImage, corruption: str) -> tuple[NDArray[np.uint8], ImageSet]:
    """What the network sees of an image at severities 0 to 5, (6, H, W, 3), and its answers."""
    return _worsened(workspace.variant(model), key, corruption, workspace.device(), looked.view)


@st.cache_resource(show_spinner=False, max_entries=64)
def _worsened(
    model: Variant, key: str, corruption: str, device: str | None, _view: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], ImageSet]:
    views = corruptions.strip(corruption, _view)
    return views, ImageSet(extraction.look(models.load(model), views, device=device)[0])
