"""Controls that pick one of several options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st


def pick_one(
    label: str,
    options: Sequence[str] | Mapping[Any, str],
    key: str,
    *,
    titled: Callable[[str], str] | None = None,
    first: str | None = None,
    segments: bool = False,
    linked: bool = True,
    place: Any = st,
    **more: Any,
) -> str:
    """Draw a select box, or segments side by side, and return the option that is chosen.

    Args:
        label: The label.
        options: The options, or their titles by option.
        key: The key in the session, and the name in the address where it is ``linked``. A value of the session that is
            no option is forgotten: it belongs to another study.
        titled: The title of an option.
        first: The option that is chosen at first; the first one by default.
        segments: Whether to draw segments.
        linked: Whether the value is in the address; else it outlives a change of page.
        place: Where to draw: a column or a container.
        **more: Further arguments of Streamlit's control.
    """
    names = list(options)
    if st.session_state.get(key, names[0]) not in names:
        del st.session_state[key]
    first = names[0] if first is None else first
    titled = titled or (options.__getitem__ if isinstance(options, Mapping) else str)
    more |= {"key": key, "format_func": titled} | ({"bind": "query-params"} if linked else {"persist_state": "session"})
    if segments:
        chosen = place.segmented_control(label, names, default=first, required=True, **more)
    else:
        chosen = place.selectbox(label, names, index=names.index(first), filter_mode=None, **more)
    return str(chosen)
