"""The visitor's own images: what the allowed folders hold, a .zip that is added to them, files that cannot be read."""

from __future__ import annotations

import streamlit as st

from nap_core import datasets, roots
from nap_core.datasets import DatasetRecord, FolderImages, own, zips
from nap_core.errors import UserError
from nap_core.study import Study
from pages.parts import workspace

ZIP = "own-images-zip"
_SAID = "own-images-said"
_COUNT = "own-images-count"  # a new uploader, and an empty one, after each archive
MAXIMUM_MEGABYTES = 1024
LISTED = 100


def offered() -> dict[str, DatasetRecord]:
    """The visitor's own datasets that can be picked, by name; those that cannot be opened are left out."""
    found = {}
    for name in own.names():
        try:
            found[name] = datasets.find(name)
        except UserError:
            continue
    return found


def adder() -> None:
    """Draw where own images come from, and the drop zone for a .zip."""
    said = st.session_state.pop(_SAID, None)
    with st.container():  # there without a message, too: what lies below keeps its place and its files
        if said:
            (st.error if said[0] == "error" else st.success)(said[1])
    with st.expander("Your own images", icon=":material/folder_open:", key="own-images"):
        places = ", ".join(f"`{root}`" for root in roots.roots())
        st.markdown(
            f"Folders of images and .npz archives in {places} can be picked above; sub-folders are classes. "
            "Or add the images of a .zip:"
        )
        key = f"{ZIP}-{st.session_state.get(_COUNT, 0)}"
        file = st.file_uploader("A .zip of images", type="zip", key=key, max_upload_size=MAXIMUM_MEGABYTES)
        st.button("Add these images", disabled=file is None, on_click=_add, args=(key,), key="own-images-add")


def _add(key: str) -> None:
    file = st.session_state[key]
    try:
        name = zips.unpack(file, file.name)
        record = datasets.find(name)
    except UserError as error:
        st.session_state[_SAID] = "error", str(error)
        return
    classes = f" in {len(record.classes):,} classes" if record.classes else ""
    said = f"{record.title}: {record.size:,} image{'s' if record.size != 1 else ''}{classes}. Pick it above."
    st.session_state[_SAID] = "success", said
    st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1


def unreadable(chosen: Study) -> None:
    """Say which files of the visitor's own folders in a study could not be read and were left out."""
    for name in workspace.own_datasets(chosen):
        found = datasets.load(name)
        if not isinstance(found, FolderImages) or not found.unreadable:
            continue
        count = len(found.unreadable)
        label = f"{found.title}: {count:,} of {count + len(found):,} files could not be read and were left out"
        with st.expander(label, icon=":material/warning:"):
            st.markdown("\n".join(f"- `{file}`: {reason}" for file, reason in found.unreadable[:LISTED]))
            if count > LISTED:
                st.caption(f"and {count - LISTED:,} more")
