"""One table or figure of the paper on the reproduction page: what came of it, where it is shown, its own study."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from nap_core.errors import UserError
from nap_core.figures.published import difference_colour
from nap_core.figures.reproduction import picture_of, width
from nap_core.paper import Entry, PageLink, Setting, paper_study, tables
from nap_core.paper.running import Reproduced
from nap_core.paper.spec import BY_DATASET
from nap_core.studies.study import Study
from pages.components.methods import selected_methods
from pages.components.results import figure_view
from pages.components.study import hints, workspace

VERDICTS = {"holds": "check_circle", "holds in part": "contrast", "does not hold": "cancel"}


def result(done: Reproduced, metric: str) -> None:
    """What was measured, beside what the paper prints; where the paper slips, and what is not alike."""
    entry = done.entry
    if done.finding:
        st.markdown(
            f":material/{VERDICTS[done.finding.verdict]}: **It {done.finding.verdict} here.** {done.finding.sentence}"
        )
    drawn = picture_of(done, metric)
    if drawn:
        key = f"reproduced-{entry.name}"
        figure_view.show(drawn, key, scroll_width=width(done) if entry.kind in BY_DATASET else 0)
    _table(done, metric)
    for row, reason in done.unable.items():
        st.info(f"**{row}** is left out: {reason}", icon=":material/block:")
    _listed("Beside the paper", done.remarks)
    _listed("About the paper's figures", done.slips)


def _table(done: Reproduced, metric: str) -> None:
    by_dataset = done.entry.kind in BY_DATASET
    table = tables.by_dataset(done, metric) if by_dataset else tables.by_metric(done)
    w = tables.weights(done) if by_dataset else {}
    table.index = pd.Index([f"{name} (w = {w[name]:g})" if name in w else name for name in table.index], name="Method")
    apart: list[Any] = [column for column in table.columns if column[1] == tables.APART]
    places = tables.digits(done)
    figures: dict[Any, Any] = {column: f"{{:{'+' if column in apart else ''}.{places}f}}" for column in table.columns}
    shown = table.style.format(figures, na_rep="").map(difference_colour, subset=apart)
    st.dataframe(shown, key=f"table-{done.entry.name}", height="content")
    if by_dataset:
        st.caption(f"{tables.METRICS[metric]} in percent; ± is here less the paper's, in points.")
    else:
        st.caption("Shares in percent, the rest as it is; ± is here less the paper's.")


def _listed(title: str, sentences: tuple[str, ...]) -> None:
    if sentences:
        st.markdown("\n".join([f"**{title}**", "", *(f"- {one}" for one in sentences)]))


def links(entry: Entry) -> None:
    """Ways to the pages that show the entry on the visitor's study, with what it is about chosen there."""
    if not entry.links:
        return
    with st.container(horizontal=True, key=f"links-{entry.name}"):
        for place, link in enumerate(entry.links):
            if st.button(
                link.label,
                key=f"link-{entry.name}-{place}",
                icon=":material/arrow_forward:",
                type="tertiary",
            ):
                _go(link)


def _go(link: PageLink) -> None:
    if link.methods:
        selected_methods.choose(link.methods)
    st.switch_page(f"pages/{link.page}.py", query_params=dict(link.query) or None)


def own_study(entry: Entry, study: Study) -> None:
    """The paper's own experiment: what of it is here, what has to be put where, and the way to it."""
    if not entry.settings:
        return
    with st.expander("The paper's own study: which data it takes, and where they belong", type="compact"):
        for place, setting in enumerate(entry.settings):
            _setting(setting, study, f"{entry.name}-{place}")


def _setting(setting: Setting, chosen: Study, key: str) -> None:
    try:
        needs, study = paper_study.needs(setting), paper_study.study_of(setting)
    except UserError as error:
        st.warning(hints.sentence(error))
        return
    lines = [
        f"{':material/check:' if one.here else ':material/download:'} **{one.title}**"
        f"{f' (`{one.name}`)' if one.name else ''}: {one.how}"
        for one in needs
    ]
    st.markdown("  \n".join(lines))
    if study == chosen:
        st.caption("This is the study that you have open.")
    elif study is not None:
        st.button(
            f"Open this study: {setting.network.title}, {setting.trained_on}",
            key=f"open-{key}",
            icon=":material/tune:",
            on_click=workspace.choose_study,
            args=(study,),
        )
