"""Results that the server keeps, for all visitors: computed once for a key, anew when a folder of images changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, TypeVar

import streamlit as st

from nap_core import datasets, studies
from nap_core.storage import allowed_folders
from nap_core.studies.study import Study

Result = TypeVar("Result")

_stamps: dict[str, int] = {}


def cached(
    key: tuple[Any, ...],
    compute: Callable[..., Result],
    *args: Any,
    spinner: str | bool = False,
    entries: int = 256,
    shared: bool = False,
    **kwargs: Any,
) -> Result:
    """``compute(*args, **kwargs)``, computed once for ``key``.

    Args:
        key: What the result depends on: the study, names, numbers. Large arguments are not part of it.
        compute: A function of a module. Functions of a page have no name of their own and cannot be kept.
        *args: Its arguments.
        spinner: The text that is shown while it computes.
        entries: How many results of ``compute`` are kept.
        shared: One object for all visitors, for what is large and never changed; else each caller has a copy.
        **kwargs: Its arguments by name.

    Returns:
        The result.
    """
    result: Result = _kept(compute, spinner, entries, shared)(key, stamps(key), args, kwargs)
    return result


@cache
def _kept(compute: Callable[..., Any], spinner: str | bool, entries: int, shared: bool) -> Callable[..., Any]:
    def call(key: Any, changed: Any, _args: Any, _kwargs: Any) -> Any:
        return compute(*_args, **_kwargs)

    call.__module__, call.__qualname__ = compute.__module__, compute.__qualname__  # Streamlit's name of the cache
    decorate = st.cache_resource if shared else st.cache_data
    kept: Callable[..., Any] = decorate(show_spinner=spinner, max_entries=entries)(call)
    return kept


def note_stamp(name: str) -> bool:
    """Note the present state of a folder of the visitor's own; whether it has changed since it was noted last.

    Raises UserError when it is not there.
    """
    stamp = datasets.registry.stamp(name)
    changed = _stamps.setdefault(name, stamp) != stamp
    _stamps[name] = stamp
    return changed


def stamps(key: Hashable) -> tuple[int, ...]:
    """The states of the visitor's own folders that ``key`` mentions: a name stands for other images once they change.

    The store needs none: it keeps activations under what the images show.
    """
    return tuple(_stamps.get(name, 0) for name in _own_names(key))


def mentions(key: Hashable, name: str) -> bool:
    """Whether ``key`` holds a folder of the visitor's own called ``name``, or a study with it."""
    return name in _own_names(key)


def _own_names(key: Any) -> list[str]:
    if isinstance(key, Study):
        return [name for name in studies.needed_datasets(key) if allowed_folders.is_own(name)]
    if isinstance(key, str):
        return [name for name in _stamps if key == name or key.startswith(f"{name}:")]  # or an image of it
    return [name for part in key for name in _own_names(part)] if isinstance(key, tuple) else []
