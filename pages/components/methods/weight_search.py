"""The search for w on the w page: a w that no OOD image was looked at for."""

from __future__ import annotations

from functools import partial

import streamlit as st

from nap_core.analysis import weight_search
from nap_core.analysis.weight_search import WeightSearch
from nap_core.errors import UserError
from nap_core.figures import colours
from nap_core.figures.weight_search import search_picture, steps_table, unknowable
from nap_core.methods import ImageSet
from nap_core.studies.study import Study, StudyActivations
from pages.components.results import figure_view
from pages.components.runs import task
from pages.components.study import hints, workspace


def section(study: Study, found: StudyActivations, method: str) -> None:
    """The search for the w of ``method``, a combination, or the button that makes it possible."""
    st.subheader("A w found without OOD images", anchor=False)
    try:
        pseudo = _pseudo(study)
        if pseudo is not None:
            _result(study, method, _search(study, method, found, pseudo))
    except UserError as error:
        st.info(hints.sentence(error), icon=":material/info:")


def _pseudo(study: Study) -> ImageSet | None:
    """What is stored of the pseudo-OOD images; None, with the bar or the button, while there is not all of it."""
    missing = weight_search.missing(study, workspace.store())
    work = partial(weight_search.extracted, study, workspace.store(), workspace.device())
    if not missing:
        return work()
    label = f"Search w on distorted images ({missing:,} to go through)"
    found: ImageSet | None = task.result_of(("pseudo-OOD", study), work, label, key="w-search")
    st.caption(
        "As the paper does (section 4.3): ID images are made worse by 15 corruptions at severities 1 to 5, with "
        "ImageNet-C's parameters, and stand for OOD images. One pass over them serves every combination."
    )
    return found


@st.cache_data(show_spinner="Searching …", max_entries=64)
def _search(study: Study, method: str, _found: StudyActivations, _pseudo: ImageSet) -> WeightSearch:
    return weight_search.search(_found, _pseudo, method)


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
