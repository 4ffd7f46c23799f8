"""The catalogue of methods in a dialog: by family, a line each, with the combination with NAP beside it."""

from __future__ import annotations

import streamlit as st

from nap_core import methods
from nap_core.methods import MethodRecord
from pages.components.methods import selected_methods

_DRAFT, _ASKED = "catalogue-draft", "catalogue-asked"
Entry = tuple[str, bool]  # a record's name, and whether it is combined with NAP


def entry_of(spec: str) -> Entry | None:
    """Where a chosen method is ticked in the catalogue, whatever its parameters; None where it is not listed."""
    method = methods.parse(spec)
    if method.prior is None:
        return method.record.name, False
    return (method.record.name, True) if method.prior.record.name == "nap" else None


def ask_for_catalogue() -> None:
    """Have the dialog opened on the methods that are chosen now, by the next ``show_catalogue``."""
    st.session_state[_DRAFT] = {entry_of(spec) for spec in selected_methods.current()} - {None}
    st.session_state[_ASKED] = True


def show_catalogue() -> None:
    """Open the dialog if somebody has asked for it."""
    if st.session_state.pop(_ASKED, False):
        _catalogue()


@st.dialog("Choose methods", width="large")
def _catalogue() -> None:
    draft: set[Entry] = st.session_state[_DRAFT]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Find", key="catalogue-find", placeholder="a name, a word of the formula, a year", width="stretch"
        )
        st.button("None", key="catalogue-none", on_click=draft.clear)
        count = len(draft)
        if st.button(
            f"Use {'this method' if count == 1 else f'these {count} methods'}",
            key="catalogue-use",
            type="primary",
            disabled=not count,
            on_click=lambda: selected_methods.choose(_apply(draft)),
        ):
            st.rerun()  # the whole page: a click in a dialog runs the dialog alone
    with st.container(height=460, border=False, key="catalogue-list"):
        shown = [record for record in methods.RECORDS.values() if _matches(record, words)]
        for family, title in methods.FAMILIES.items():
            records = [record for record in shown if record.family == family]
            if records:
                st.markdown(f"##### {title}")
            half = -(-len(records) // 2)  # two columns, read one after the other where they stack on a phone
            for column, part in zip(st.columns(2), (records[:half], records[half:]), strict=True):
                with column:
                    for record in part:
                        _line(record, draft)
        if not shown:
            st.caption("No method has these words. Try fewer.")


def _matches(record: MethodRecord, words: str) -> bool:
    text = f"{record.name} {record.title} {record.formula} {record.paper} {record.venue} {record.year}".casefold()
    return all(word in text for word in words.casefold().split())


def _line(record: MethodRecord, draft: set[Entry]) -> None:
    with st.container(gap=None):
        with st.container(horizontal=True, gap="medium"):
            _tick(f"**{record.title}** · {record.year}", (record.name, False), draft)
            if record.positive:
                _tick("with NAP", (record.name, True), draft)
        needs = [methods.NEED_SENTENCES[need] for need in record.needs]
        st.caption(
            f"{record.formula[:1].upper()}{record.formula[1:]}." + (f" Needs {'; '.join(needs)}." if needs else "")
        )


def _tick(label: str, entry: Entry, draft: set[Entry]) -> None:
    name, with_nap = entry
    key = f"catalogue-{'nap+' if with_nap else ''}{name}"
    st.session_state[key] = entry in draft
    st.checkbox(label, key=key, on_change=_ticked, args=(entry, key), width="content")


def _ticked(entry: Entry, key: str) -> None:
    draft: set[Entry] = st.session_state[_DRAFT]
    (draft.add if st.session_state[key] else draft.discard)(entry)


def _apply(draft: set[Entry]) -> list[str]:
    """The choice that the dialog leads to: what stays keeps its place and parameters, what is new comes after it."""
    before = selected_methods.current()
    kept = [spec for spec in before if entry_of(spec) is None or entry_of(spec) in draft]
    there = {entry_of(spec) for spec in kept}
    added = [entry for name in methods.RECORDS for entry in ((name, False), (name, True)) if entry in draft]
    return [*kept, *(f"nap+{name}" if with_nap else name for name, with_nap in added if (name, with_nap) not in there)]
