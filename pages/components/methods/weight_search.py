"""The search for w on the w page: a w that no OOD image was looked at for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from nap_core.analysis import weight_search
from nap_core.analysis.weight_search import WeightSearch
from nap_core.errors import UserError
from nap_core.figures import colours
from nap_core.figures.weight_search import search_picture, steps_table, unknowable
from nap_core.methods import EvaluationData, ImageSet
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import RunCallbacks
from nap_core.studies.study import SEARCHED, Study, run
from pages.components.results import figure_view
from pages.components.runs import task
from pages.components.study import hints, workspace
from pages.components.study.cache import cached

USE = "use-searched-w"


def section(study: Study, data: EvaluationData, method: str) -> None:
    """The search for the w of ``method``, a combination, or the button that makes it possible; and whether every page
    takes the searched w."""
    st.subheader("A w found without OOD images", anchor=False)
    try:
        pseudo = workspace.pseudo_ood(study, data)
        if pseudo is None:
            offer(study, data, key="w-search")
        else:
            _result(study, method, _search(study, method, data, pseudo))
    except UserError as error:
        st.info(hints.sentence(error), icon=":material/info:")
        return
    st.session_state[USE] = bool(study.weights)
    st.toggle(
        "Use the searched w on every page",
        key=USE,
        on_change=_use,
        args=(study,),
        help="The link then says so, too. Combinations that cannot be searched keep the paper's w.",
    )
    if workspace.current_study().weights != study.weights:
        st.rerun()  # the whole page: this one is a part of it


def _use(study: Study) -> None:
    workspace.choose_study(replace(study, weights=SEARCHED if st.session_state[USE] else ""))


def offer(study: Study, data: EvaluationData, key: str) -> None:
    """The button that runs the pseudo-OOD images through the network, or the bar while it does."""
    plan = weight_search.extraction_plan(data)
    caption = (
        "As the paper does (section 4.3): ID images are made worse by 15 corruptions at severities 1 to 5, with "
        "ImageNet-C's parameters, and stand for OOD images. One pass over them serves every combination."
    )
    label = "Search w on distorted images ({images} to go through)"
    if task.is_extracted(("pseudo-OOD", study), plan, label, caption, key=key):
        st.rerun()  # what was missing is in the store now


def waiting(study: Study, data: EvaluationData | None) -> None:
    """Say it, with the button, where the study is to use the searched w and the store lacks what it is searched on."""
    if not study.weights:
        return
    if data is None:
        st.warning("The link asks for the searched w, and w still has to be searched. The study has to run first.")
        job = workspace.jobs().get(study)
        if job is None or job.state != "running":
            work = partial(_run_and_search, study, workspace.store(), workspace.device())
            task.result_of(("study and w", study), work, "Run the study and search w", key="w-search-sidebar")
        return
    try:
        if workspace.pseudo_ood(study, data) is None:
            st.warning("The link asks for the searched w, and nothing has been searched yet: the paper's w is used.")
            offer(study, data, key="w-search-sidebar")
    except UserError as error:
        st.warning(f"The link asks for the searched w. {error} The paper's w is used.")


def _run_and_search(study: Study, store: Store, device: str | None, callbacks: RunCallbacks) -> ImageSet:
    return weight_search.extracted(run(study, store, device=device, callbacks=callbacks), callbacks)


def _search(study: Study, method: str, data: EvaluationData, pseudo: ImageSet) -> WeightSearch:
    return cached((study, method), weight_search.search, data, pseudo, method, spinner="Searching …")


def _result(study: Study, method: str, result: WeightSearch) -> None:
    titles = workspace.titles(study)
    hues = colours(study.id_dataset, study.ood_datasets)
    figure_view.show(search_picture(result, method, titles, hues), "w-search")
    if words := unknowable(result, titles):
        st.caption(words)
    with st.expander("The steps of the search", icon=":material/linear_scale:", key="w-search-steps"):
        percent = {name: st.column_config.NumberColumn(format="%.2f") for name in ("AUROC", "its AUROC")}
        st.dataframe(steps_table(result), hide_index=True, column_config=percent, key="w-search-table")
        st.caption(
            "Binary search on the AUROC of ID against distorted images: two neighbours in the middle tell in which "
            "half the best w lies. The OOD images of the study are not looked at."
        )
