"""How one of the visitor's datasets is read: its split or severity, how its labels count, which values are black."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nap_core import datasets
from nap_core.datasets import passed_over
from nap_core.datasets.user_data import options, registry
from nap_core.datasets.user_data.options import NUMBERINGS, Options
from nap_core.errors import UserError
from nap_core.figures.text import counted
from pages.components.study import kept_list

_OFFERED = "own-images-as"
_SAID = "own-images-as-said"
_KEY = "own-images-option"
_COUNTS = {"": "as their range shows", "from-0": "from 0", "from-1": "from 1", "in-order": "by place, as sorted words"}


def named() -> tuple[str, ...]:
    """The names with options that were added in this session."""
    return tuple(st.session_state.get(_OFFERED, ()))


def draw(names: Sequence[str]) -> None:
    """Draw the choice of one of ``names``, what is known of it, its options, and the button that adds it with them."""
    plain = list(dict.fromkeys(_without_options(name) for name in names))
    if not plain:
        return
    st.markdown("**How a dataset of yours is read**")
    kept_list.message(_SAID)
    name = st.selectbox("Dataset", plain, format_func=lambda one: one.removeprefix("own:"), key=f"{_KEY}-name")
    try:
        parts = registry.parts(name)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    columns = st.columns(3)
    part = ""
    if parts.names:
        offered = list(parts.names)
        first = offered.index(parts.usual) if parts.usual else 0
        label = {"split": "Split", "severity": "Severity", "column": "Column of labels"}[parts.what]
        part = columns[0].selectbox(label, offered, index=first, key=f"{_KEY}-part-{name}")
    numbering = columns[1].selectbox(
        "Labels count",
        list(_COUNTS),
        format_func=_COUNTS.__getitem__,
        key=f"{_KEY}-count-{name}",
        help="Whether class folders and labels that are numbers begin with 0 or 1.",
    )
    window = columns[2].text_input(
        "Black and white",
        key=f"{_KEY}-window-{name}",
        placeholder="as the values show",
        help="For images of more than 8 bits: the values that are shown black and white, as 0..4095, the same in all "
        "images.",
    )
    try:
        chosen = options.read([word for word in (part, NUMBERINGS.get(numbering, ""), window.strip()) if word])
        _state(chosen.behind(name))
        st.button("Add it, read like this", on_click=_add, args=(name, chosen), key=f"{_KEY}-add")
    except UserError as error:
        st.error(str(error), icon=":material/error:")


def _without_options(name: str) -> str:
    try:
        return registry.options_of(name)[0]
    except UserError:  # gone meanwhile
        return name


def _state(name: str) -> None:
    """What the dataset's record says."""
    record = datasets.find(name)
    classes = f", {len(record.classes):,} classes" if record.classes else ""
    st.caption(f"{record.format}: {counted(record.size, 'image')}{classes}.")
    if record.passed_over:
        with st.expander(passed_over.sentence(record.passed_over)):
            for one in record.passed_over:
                more = f" and {one.count - len(one.files):,} more" if one.count > len(one.files) else ""
                st.markdown(f"{one.kind}: " + ", ".join(f"`{file}`" for file in one.files) + more)


def _add(name: str, chosen: Options) -> None:
    with kept_list.answered(_SAID):
        whole = chosen.behind(name)
        title = datasets.find(whole).title
        kept_list.say(_SAID, f"{title} can be picked above.")
        st.session_state[_OFFERED] = (*named(), whole)
