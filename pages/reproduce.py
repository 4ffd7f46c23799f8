"""The paper, reproduced: every table and figure of it, run on the visitor's study and set beside what it prints."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from nap_core import models
from nap_core.analysis.channels import kinds
from nap_core.errors import UserError
from nap_core.methods import EvaluationData
from nap_core.paper import ENTRIES, GROUPS, Entry
from nap_core.paper.claims import orthogonality
from nap_core.paper.running import Reproduced, ReproductionInput, run
from nap_core.runs.background import Task
from nap_core.storage.progress import RunCallbacks
from nap_core.studies.study import Study
from pages.components.results import paper_entry, published_section
from pages.components.results.comparison_choice import pick_metric
from pages.components.runs import run_panel, task
from pages.components.study import hints, url_state, workspace
from pages.components.study.cache import cached

ADDRESS = "item"
TABS = {
    "study": ("Your study", "Does the paper hold on my study?"),
    "published": ("The paper's own network", "Do our numbers agree with the paper's?"),
}
_SHOWN = "entries-shown"
MEASURED = [entry for entry in ENTRIES.values() if entry.measured]
# What takes a pass of its own comes last.
WORDS = {"holds": "as it says", "holds in part": "in part", "does not hold": "not at all"}
IN_ORDER = sorted(MEASURED, key=lambda entry: entry.kind in ("weights", "layers"))


def results(study: Study) -> dict[str, Reproduced]:
    """What has been reproduced on a study so far, by entry: passes lie in the store, these numbers only here."""
    return cached((study, "reproduced"), dict, entries=16, shared=True)


def reproduce(entry: Entry, study: Study, data: EvaluationData, callbacks: RunCallbacks) -> Reproduced:
    """Run one entry and keep what came of it."""
    done = run(entry, ReproductionInput(data), callbacks)
    results(study)[entry.name] = done
    return done


def reproduce_all(study: Study, data: EvaluationData, callbacks: RunCallbacks) -> dict[str, str]:
    """Run every entry that has not been; by entry, why it could not be."""
    unable = {}
    for entry in IN_ORDER:
        if entry.name in results(study):
            continue
        try:
            reproduce(entry, study, data, callbacks)
        except UserError as error:
            unable[entry.name] = hints.sentence(error)
    return unable


def opened() -> str:
    """The entry that is open: of this session, else of the address."""
    return url_state.at_first(ADDRESS, ADDRESS, lambda name: name or "")


def switch(name: str, key: str) -> None:
    """Open the entry that was clicked and close the others, or close it."""
    st.session_state[ADDRESS] = name if st.session_state[key] else ""


def status(entry: Entry, study: Study) -> tuple[str, str]:
    """The icon of an entry, and what its line says at the end."""
    done = results(study).get(entry.name)
    job = workspace.jobs().task_of(("reproduction", study, entry.name))
    if job is not None and job.state == "running":
        return "spinner", ""
    if done is None:
        icons = {"picture": "image", "statement": "article"}
        return f":material/{icons.get(entry.kind, 'radio_button_unchecked')}:", ""
    if done.finding is None:
        return ":material/check:", ""
    finding = done.finding
    colour = {"holds": "green", "holds in part": "orange", "does not hold": "red"}[finding.verdict]
    return (
        f":material/{paper_entry.VERDICTS[finding.verdict]}:",
        f" :{colour}-badge[{finding.verdict}: {finding.held} of {finding.of}]",
    )


def controls(study: Study, data: EvaluationData | None) -> str:
    """The metric, the button that runs everything, and how far that is."""
    owner = ("reproduction", study)
    job = workspace.jobs().task_of(owner)
    with st.container(horizontal=True, vertical_alignment="center", key="reproduce-controls"):
        metric = pick_metric("metric", labelled=False)
        beside = st.container(width="content")
    # The bar takes the whole width, a button only its own.
    place = st.container() if job is not None and job.state != "done" else beside
    with place:
        if data is None:
            return metric
        left = sum(entry.name not in results(study) for entry in MEASURED)
        if left:
            label = f"Reproduce all {len(MEASURED)}" if left == len(MEASURED) else f"Reproduce the other {left}"
            work = partial(reproduce_all, study, data)
            unable = task.result_of(owner, work, label, key="reproduce-all", progress=progress)
            if unable:
                st.caption(f"{len(unable)} of them cannot be run on this study; each says why.")
    return metric


def progress(job: Task[Any]) -> tuple[float, str]:
    """How far a run of everything is."""
    study = workspace.current_study()
    count = len(results(study))
    if st.session_state.setdefault(_SHOWN, count) != count:
        st.session_state[_SHOWN] = count
        st.rerun()  # the lines below the bar say what has come of their entries
    now = job.progress
    passing = now is not None and now.done < now.total
    share, text = run_panel.share_done(job) if passing else (0.0, "Computing …")
    return (count + share) / len(MEASURED), f"{count} of {len(MEASURED)} · {text}"


def summary(study: Study) -> None:
    """How the paper stands on this study, in a sentence."""
    done = [one for one in results(study).values() if one.finding]
    if not done:
        st.caption(
            f"The paper's {len(ENTRIES)} tables and figures. Those with numbers are run on **your** study: "
            f"{study.sentence()}."
        )
        return
    verdicts = [one.finding.verdict for one in done if one.finding]
    parts = [f"{verdicts.count(word)} {words}" for word, words in WORDS.items() if word in verdicts]
    st.caption(f"What the paper says, on {study.sentence()}: {', '.join(parts)}, of {len(done)} that were run.")


def statement(entry: Entry, study: Study) -> None:
    """What an entry without numbers is on this study, in words."""
    if entry.name == "table-1":
        st.dataframe(orthogonality(), hide_index=True, key="table-1", height="content")
        st.caption("From the records of this app's catalogue; the paper's count of parameters beside ours.")
    elif entry.name == "figure-7":
        said = kinds.how_read(study.network()) if models.is_here(study.model) else ""
        st.markdown(said or f"{workspace.model_title(study)} is no Transformer: NAP is read from its last maps.")
    elif models.is_here(study.model):
        st.markdown(workspace.where_read(study.model, study.layer))


def show(entry: Entry, study: Study, data: EvaluationData | None, metric: str) -> None:
    """One entry, open."""
    st.markdown(f"{entry.asks} **The paper:** {entry.claim} :gray[({entry.section})]")
    if not entry.measured:
        statement(entry, study)
    elif data is None:
        st.caption("It can be reproduced here as soon as your study has been run, above.")
    else:
        done = results(study).get(entry.name)
        everything = workspace.jobs().task_of(("reproduction", study))
        reason = (everything.result or {}).get(entry.name) if everything else None
        if done is None and reason:
            st.info(reason, icon=":material/block:")
        elif done is None:
            owner = ("reproduction", study, entry.name)
            work = partial(reproduce, entry, study, data)
            done = task.result_of(owner, work, "Reproduce on my study", key=entry.name)
        if done is not None:
            paper_entry.result(done, metric)
    paper_entry.links(entry)
    paper_entry.own_study(entry, study)


def on_study(study: Study) -> None:
    """The entries of the paper, each of which runs on the visitor's study."""
    activations = workspace.activations(study)
    if activations is None:
        run_panel.offer(study, key="main")
    metric_shown = controls(study, activations)
    summary(study)
    current = opened()
    url_state.write(**{ADDRESS: current or None})
    for group in GROUPS:
        st.subheader(group, anchor=False)
        with st.container(gap="xxsmall", key=f"group-{GROUPS.index(group)}"):
            for one in (entry for entry in ENTRIES.values() if entry.group == group):
                key = f"entry-{one.name}"
                icon, said = status(one, study)
                st.session_state[key] = one.name == current
                box = st.expander(
                    f"**{one.label}** {one.title}{said}", key=key, icon=icon, on_change=switch, args=(one.name, key)
                )
                if one.name == current:
                    with box:
                        show(one, study, activations, metric_shown)


study_shown = workspace.current_study()
heading = st.container()  # the title depends on the tab, which is chosen below it
url_state.at_first("tab", "tab", lambda name: name if name in TABS else "study")
chosen = st.segmented_control(
    "Reproduced on",
    list(TABS),
    required=True,
    format_func=lambda name: TABS[name][0],
    key="tab",
    label_visibility="collapsed",
)
tab = str(chosen)  # one is always chosen
url_state.write(tab=None if tab == "study" else tab)
heading.title(TABS[tab][1])
if tab == "study":
    on_study(study_shown)
else:
    published_section.section()
