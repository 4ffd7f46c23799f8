"""What ε of NAP does, on the page of designs."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from nap_core import methods
from nap_core.analysis import score_variants
from nap_core.errors import UserError
from nap_core.figures import colours
from nap_core.figures.score_designs import epsilon_picture
from nap_core.methods import EvaluationData
from nap_core.metrics import Metric
from nap_core.studies.study import Study
from pages.components.results import figure_view
from pages.components.study import workspace
from pages.components.study.cache import cached

KINDS: tuple[Literal["alone", "combined"], ...] = ("alone", "combined")


def section(study: Study, data: EvaluationData, other: str, metric: Metric) -> None:
    """The metric over ε, of NAP alone and of NAP with ``other``."""
    st.subheader("Does ε matter?", anchor=False)
    try:
        weight = workspace.weight(study, data, f"nap+{other}")
        w = weight.w if weight else None
        curve = cached(
            (study, other, w), score_variants.epsilon_curve, data, other=other, w=w, spinner="Trying values of ε …"
        )
    except UserError as error:
        st.info(str(error), icon=":material/info:")
        return
    titles, palette = workspace.titles(study), colours(study.id_dataset, study.ood_datasets)
    for column, kind in zip(st.columns(2, gap="medium"), KINDS, strict=True):
        with column:
            st.markdown(f"**NAP {'alone' if kind == 'alone' else f'with {methods.title(other)}'}**")
            figure_view.show(epsilon_picture(curve, kind, metric, titles, palette), f"epsilon-{kind}", scroll_width=0)
    st.caption(
        "ε is added to the mean before the maximum is divided by it. Small, it lets silent channels count as much as "
        "loud ones; large, it leaves the mean without a say, and the score becomes the mean of max²."
    )
