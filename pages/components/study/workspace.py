"""The visitor's study and its results: what every page asks for first."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from nap_core import datasets, methods, models, studies
from nap_core.analysis import evaluation, weight_search
from nap_core.analysis.evaluation import MethodScores
from nap_core.datasets.labels import are_strangers
from nap_core.errors import UserError
from nap_core.extraction import describe_device
from nap_core.methods import EvaluationData, ImageSet, Weight
from nap_core.models import Variant, architectures
from nap_core.runs import disk_usage
from nap_core.runs.background import Jobs, StudyJob
from nap_core.storage import allowed_folders
from nap_core.storage.activation_store import Store
from nap_core.studies.study import SEARCHED, Study
from pages.components.study.frame import require_frame


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The store of this server."""
    return Store()


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The runs of this server."""
    return Jobs(store())


def current_study() -> Study:
    """The visitor's study: from this session, else from the address, else the default.

    An address that cannot be read, and a model or images of one's own that are no longer there, are answered with a
    sentence, and the default study is taken.
    """
    require_frame()
    try:
        if "study" not in st.session_state:
            st.session_state.study = Study.from_query(st.query_params.to_dict())
        open_own(st.session_state.study)
    except UserError as error:
        st.session_state.study = studies.default_study()
        st.session_state.link_fault = str(error)
    chosen: Study = st.session_state.study
    return chosen


def open_own(study: Study) -> None:
    """Open what is the visitor's own in a study, with a bar where images are read for the first time.

    Raises UserError for what is no longer there or cannot be read.
    """
    if models.is_here(study.model) and (study.model not in models.RECORDS or not study.variant.is_plain):
        study.network()
    for name in own_datasets(study):
        _forget_if_changed(name)
        _read(name)


def own_datasets(study: Study) -> list[str]:
    """The visitor's own among the datasets of a study, the fit split included; what is of the Hub is none of them."""
    return [name for name in (*study.datasets, study.fit_dataset) if allowed_folders.is_own(name)]


_stamps: dict[str, int] = {}


def _forget_if_changed(name: str) -> None:
    """Let go of all that was computed, when files have come into one of the visitor's folders or gone.

    Results and pictures are kept under names, and the name now stands for other images. Activations need no care: the
    store keeps them under what the images show.
    """
    stamp = datasets.registry.stamp(name)
    if _stamps.setdefault(name, stamp) != stamp:
        _stamps[name] = stamp
        st.cache_data.clear()
        st.cache_resource.clear()


def _read(name: str) -> None:
    place = None

    def note(done: int, total: int) -> None:
        nonlocal place
        if done % max(1, total // 50) == 0:
            place = place or st.empty()
            place.progress(done / total, text=f"Reading {datasets.title(name)}: {done:,} of {total:,} images")

    datasets.load(name, note)
    if place is not None:
        place.empty()


def reference_study(model: str) -> Study:
    """The study whose ID dataset and fit split ``model`` is compared with when a single image is asked about.

    It is the one that the model comes with. For one that comes with none (the user's own, torchvision's), and for a
    model that the visitor's study reads at another layer or feeds in another way, it is the visitor's. Raises UserError
    where the visitor's study is about another model.
    """
    study = current_study()
    if model in models.RECORDS and variant(model).is_plain:
        return replace(studies.default_study(model), weights=study.weights)
    if study.model != model:
        raise UserError(
            f"{models.find(model).title} comes without images that it knows; those of your study are taken: "
            "pick it in “Change the study”, with its ID dataset."
        )
    return study


def variant(model: str) -> Variant:
    """The model called ``model`` as it is asked: as the visitor's study asks it if that is about this model."""
    study: Study = st.session_state.get("study") or current_study()  # for every image that is looked at: be quick
    return study.variant if study.model == model else Variant(model)


def choose_study(study: Study) -> None:
    """Make ``chosen`` the visitor's study; the address follows at the next run."""
    st.session_state.study = study
    st.session_state.pop("link_fault", None)


def write_address(study: Study) -> None:
    """Put the study into the page's address, so that the link opens the same study; other parameters stay."""
    query = study.to_query()
    for name in studies.OPTIONAL:
        if name not in query:
            st.query_params.pop(name, None)
    for name, value in query.items():
        if st.query_params.get(name) != value:
            st.query_params[name] = value


def device() -> str | None:
    """The device the visitor chose, None for the best there is."""
    name: str | None = st.session_state.get("device")
    return name


@st.cache_data(show_spinner=False)
def _device_title(name: str | None) -> str:
    return describe_device(name)


def device_title() -> str:
    """The device in words."""
    return _device_title(device())


def missing_images(study: Study) -> dict[str, int]:
    """How many images of each dataset are still to be extracted."""
    return studies.missing_images(study, store())


def storage_words(study: Study) -> str:
    """What the study takes in the store, once it has run; nothing while a part of it has still to be downloaded."""
    return disk_usage.storage(study, store()).words() if studies.prepared(study) else ""


def start(study: Study) -> StudyJob:
    """Run the study in the background."""
    return jobs().start(study, device())


def activations(study: Study) -> EvaluationData | None:
    """The study's activations when they are there or in the store, else None; nothing is downloaded for them."""
    job = jobs().get(study)
    if job is None and not missing_images(study) and studies.prepared(study):
        job = jobs().start(study)
        job.wait()
    return job.result if job else None


def pseudo_ood(study: Study, found: EvaluationData) -> ImageSet | None:
    """The pseudo-OOD images on which w is searched; None while the store lacks some of them."""
    return None if weight_search.extraction_plan(found).missing(store()) else _pseudo_ood(study, found)


@st.cache_resource(show_spinner=False, max_entries=8)
def _pseudo_ood(study: Study, _found: EvaluationData) -> ImageSet:
    return weight_search.extracted(_found)


@st.cache_data(show_spinner="Searching w …", max_entries=256)
def _searched(study: Study, method: str, _found: EvaluationData, _pseudo: ImageSet) -> float | None:
    return weight_search.search_all(_found, _pseudo, [method]).get(method)


def weights(study: Study, found: EvaluationData, specs: Sequence[str]) -> dict[str, Weight]:
    """The w of each combination in ``specs``: searched where the study wants that, the pseudo-OOD images are in the
    store and the method can score them, else the published one."""
    pseudo = None
    if study.weights:
        with suppress(UserError):  # without ID images
            pseudo = pseudo_ood(study, found)
    used = {}
    for spec in specs:
        method = methods.parse(spec)
        if method.prior is not None:
            w = _searched(study, method.spec, found, pseudo) if pseudo else None
            weight = methods.weight(method, found.context, None if w is None else Weight(w, SEARCHED))
            if weight:
                used[spec] = weight
    return used


def weight(study: Study, found: EvaluationData, method: str) -> Weight | None:
    """The w of ``weights`` for one method; None where it is no combination."""
    return weights(study, found, [method]).get(method)


def scores(study: Study, found: EvaluationData, method: str, w: float | None = None) -> MethodScores:
    """The study's scores under a method, computed once for each w; that of ``weights`` where none is given."""
    used = weight(study, found, method)
    return _scores(study, method, used.w if used and w is None else w, found)


@st.cache_data(show_spinner=False, max_entries=256)
def _scores(study: Study, method: str, w: float | None, _found: EvaluationData) -> MethodScores:
    return evaluation.method_scores(_found, method, w=w)


def titles(study: Study) -> dict[str, str]:
    """Catalogue name → title for every dataset of the study."""
    return {name: datasets.title(name) for name in study.datasets}


def where_read(model: str, layer: str = "") -> str:
    """Where NAP is read in the model called ``model``, in a sentence or two: at ``layer`` if one is chosen, else as its
    architecture says, else as it was found in the network.

    Raises UserError for a network of the user's own that cannot be used.
    """
    if layer:
        return f"NAP is read from what {layer} puts out, as this study asks."
    blueprint = architectures.find(models.find(model).architecture)
    if blueprint and blueprint.note:
        return blueprint.note
    structure = models.load(model).structure
    return structure.sentence() if structure else ""


def knows_a_stranger(study: Study) -> bool:
    """Whether the study's ID dataset shows none of the classes that its model knows."""
    return are_strangers(datasets.find(study.id_dataset).classes, models.find(study.model).classes())


def model_title(study: Study) -> str:
    """The title of the study's model."""
    return models.find(study.model).title
