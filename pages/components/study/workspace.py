"""The visitor's study and its results, which every page reads first."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import streamlit as st
from PIL import Image

from nap_core import datasets, methods, models, studies
from nap_core.analysis import evaluation, weight_search
from nap_core.analysis.evaluation import MethodScores
from nap_core.datasets.labels import are_strangers
from nap_core.errors import UserError
from nap_core.extraction import describe_device
from nap_core.methods import EvaluationData, ImageSet, Weight, overlap
from nap_core.methods.overlap import Overlap
from nap_core.models import Variant, architectures
from nap_core.runs import disk_usage
from nap_core.runs.background import Jobs
from nap_core.storage import allowed_folders
from nap_core.storage.activation_store import Store
from nap_core.studies.study import SEARCHED, Study
from pages.components.study import cache, url_state
from pages.components.study.cache import cached
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
    study: Study = st.session_state.study
    return study


def open_own(study: Study) -> None:
    """Open what is the visitor's own in a study, with a bar where images are read for the first time.

    Raises UserError for what is no longer there or cannot be read.
    """
    if models.is_here(study.model) and (study.model not in models.RECORDS or not study.variant.is_plain):
        study.network()
    for name in own_datasets(study):
        if cache.note_stamp(name):  # files have come or gone: ended runs of this name are about other images
            jobs().forget(partial(cache.mentions, name=name))
        _read(name)


def own_datasets(study: Study) -> list[str]:
    """The visitor's own among the datasets of a study, the fit split included; what is of the Hub is none of them."""
    return [name for name in (*study.datasets, study.fit_dataset) if allowed_folders.is_own(name)]


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
            f"{models.find(model).title} comes without ID images; those of your study are taken: "
            "pick it in “Change the study”, with its ID dataset."
        )
    return study


def variant(model: str) -> Variant:
    """The model called ``model``, with layer and preprocessing of the visitor's study if that is about this model."""
    study: Study = st.session_state.get("study") or current_study()  # called for every image of a table
    return study.variant if study.model == model else Variant(model)


def choose_study(study: Study) -> None:
    """Make ``study`` the visitor's study; the address follows at the next run."""
    st.session_state.study = study
    st.session_state.pop("link_fault", None)


def write_address(study: Study) -> None:
    """Put the study into the page's address, so that the link opens the same study; other parameters stay."""
    url_state.write(**dict.fromkeys(studies.OPTIONAL) | study.to_query())


def device() -> str | None:
    """The device the visitor chose, None for the best there is."""
    name: str | None = st.session_state.get("device")
    return name


def device_title() -> str:
    """The device in words."""
    return cached((device(),), describe_device, device())


def missing_images(study: Study) -> dict[str, int]:
    """How many images of each dataset are still to be extracted."""
    return studies.missing_images(study, store())


def storage_words(study: Study) -> str:
    """What the study takes in the store, once it has run; nothing while a part of it has still to be downloaded."""
    return disk_usage.storage(study, store()).words() if studies.prepared(study) else ""


def start(study: Study) -> None:
    """Run the study in the background."""
    jobs().start(study, device())


def activations(study: Study) -> EvaluationData | None:
    """The study's activations when they are there or in the store, else None; nothing is downloaded for them."""
    job = jobs().get(study)
    if job is None and not missing_images(study) and studies.prepared(study):
        job = jobs().start(study)
        job.wait()
    return job.result if job else None


def image_index(name: str, row: int) -> int:
    """The index in the dataset ``name`` of a row of the current study's activations, which leave some images out."""
    data = activations(current_study())
    part = data.parts.get(name) if data else None
    return part.index(row) if part else row


def image(name: str, row: int) -> Image.Image:
    """The image of a row of the current study's activations."""
    return datasets.load(name).image(image_index(name, row))


def pseudo_ood(study: Study, data: EvaluationData) -> ImageSet | None:
    """The pseudo-OOD images on which w is searched; None while the store lacks some of them."""
    if weight_search.extraction_plan(data).missing(store()):
        return None
    return cached((study,), weight_search.extracted, data, entries=8, shared=True)


def overlaps(study: Study, data: EvaluationData) -> list[Overlap]:
    """The images that stand in two sets of the study; the fit split is compared once its activations are there."""
    fit = data.context.missing_fit() == 0
    return cached((study, fit), overlap.overlaps, data, fit=fit, spinner="Comparing images …")


def _searched(study: Study, method: str, data: EvaluationData, pseudo: ImageSet) -> float | None:
    key, spinner = (study, method), "Searching w …"
    return cached(key, weight_search.search_all, data, pseudo, [method], spinner=spinner).get(method)


def weights(study: Study, data: EvaluationData, specs: Sequence[str]) -> dict[str, Weight]:
    """The w of each combination in ``specs``: searched where the study wants that, the pseudo-OOD images are in the
    store and the method can score them, else the published one."""
    pseudo = None
    if study.weights:
        with suppress(UserError):  # without ID images
            pseudo = pseudo_ood(study, data)
    used = {}
    for spec in specs:
        method = methods.parse(spec)
        if method.prior is not None:
            w = _searched(study, method.spec, data, pseudo) if pseudo else None
            weight = methods.weight(method, data.context, None if w is None else Weight(w, SEARCHED))
            if weight:
                used[spec] = weight
    return used


def weight(study: Study, data: EvaluationData, method: str) -> Weight | None:
    """The w of ``weights`` for one method; None where it is no combination."""
    return weights(study, data, [method]).get(method)


def scores(study: Study, data: EvaluationData, method: str, w: float | None = None) -> MethodScores:
    """The study's scores under a method, computed once for each w; that of ``weights`` where none is given."""
    used = weight(study, data, method)
    w = used.w if used and w is None else w
    return cached((study, method, w), evaluation.method_scores, data, method, w=w)


def titles(study: Study) -> dict[str, str]:
    """Catalogue name → title for every dataset of the study."""
    return {name: datasets.title(name) for name in study.datasets}


def where_read(model: str, layer: str = "") -> str:
    """Where NAP is read in the model called ``model``, in a sentence or two: at ``layer`` if one is chosen, else as its
    architecture says, else as it was found in the network.

    Raises UserError for a network of the user's own that cannot be used.
    """
    if layer:
        return f"NAP is read from the output of {layer}, as this study says."
    blueprint = architectures.find(models.find(model).architecture)
    if blueprint and blueprint.note:
        return blueprint.note
    structure = models.load(model).structure
    return structure.sentence() if structure else ""


def id_is_foreign(study: Study) -> bool:
    """Whether the study's ID dataset shows none of the classes that its model was trained on."""
    return are_strangers(datasets.find(study.id_dataset).classes, models.find(study.model).classes())


def model_title(study: Study) -> str:
    """The title of the study's model."""
    return models.find(study.model).title
