"""The visitor's own images: what the allowed folders hold, how it is read, a .zip that is added to them."""

from __future__ import annotations

import streamlit as st

from nap_core import datasets
from nap_core.datasets import DatasetRecord, hub, passed_over
from nap_core.datasets.passed_over import Tally
from nap_core.datasets.user_data import registry, uploads, zip_upload
from nap_core.errors import UserError
from nap_core.figures.text import counted
from nap_core.storage import allowed_folders
from pages.components.study import kept_list, own_image_options

ZIP = "own-images-zip"
_SAID = "own-images-said"
_COUNT = "own-images-count"  # a new uploader, and an empty one, after each archive
_ASKED = "own-images-asked"  # the uploader whose archive is to be unpacked
_HUB, _NAMED = "own-images-hub", "own-images-hub-names"
MAXIMUM_MEGABYTES = 1024


def offered() -> dict[str, DatasetRecord]:
    """The visitor's own datasets that can be picked, by name; those that cannot be opened are left out.

    Those of the Hugging Face Hub are among them: what has been fetched, and what was named in this session.
    """
    records = {}
    named = (*st.session_state.get(_NAMED, ()), *own_image_options.named())
    for name in dict.fromkeys((*registry.names(), *hub.names(), *named)):
        try:
            records[name] = datasets.find(name)
        except UserError:
            continue
    return records


def adder() -> None:
    """Draw where own images come from: the folders, the drop zone for a .zip, a name of the Hub; and what can go."""
    unpack_asked()
    kept_list.message(_SAID)
    with st.expander("Your own images", icon=":material/folder_open:", key="own-images"):
        uploaded = {name: datasets.title(name) for name in uploads.names()}
        kept_list.removable(_SAID, uploaded, _removed, "own-images-remove")
        places = ", ".join(f"`{root}`" for root in allowed_folders.paths())
        st.markdown(
            f"Folders of images, arrays, lists and other files in {places} can be picked above; sub-folders are "
            "classes. Or add the images of a .zip:"
        )
        key = f"{ZIP}-{st.session_state.get(_COUNT, 0)}"
        file = st.file_uploader("A .zip of images", type="zip", key=key, max_upload_size=MAXIMUM_MEGABYTES)
        st.button("Add these images", disabled=file is None, on_click=_ask, args=(key,), key="own-images-add")
        st.text_input(
            "Or a dataset of the Hugging Face Hub",
            key=_HUB,
            placeholder="owner/name or owner/name:split",
            on_change=_add_hub,
            help="Its column of images and its column of classes are found by their types. It is fetched when a study "
            "with it is run.",
        )
        own_image_options.draw(registry.names())


def _ask(key: str) -> None:
    st.session_state[_ASKED] = key


def unpack_asked() -> None:
    """Unpack the archive that was given, with a bar, before anything lists datasets; once for each click."""
    key = st.session_state.pop(_ASKED, None)
    file = st.session_state.get(key) if key else None
    if file is None:
        return
    place = st.empty()

    def note(done: int, total: int) -> None:
        if done % max(1, total // 50) == 0 or done == total:
            place.progress(done / total, text=f"Unpacking {file.name}: {done:,} of {total:,} images")

    with kept_list.answered(_SAID):
        tally = Tally()
        record = datasets.find(zip_upload.unpack(file, file.name, note, tally))
        classes = f" in {len(record.classes):,} classes" if record.classes else ""
        left = passed_over.sentence(tally.all())
        kept_list.say(_SAID, f"{record.title}: {counted(record.size, 'image')}{classes}. Pick it above. {left}")
        st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1
    place.empty()


def _add_hub() -> None:
    """Offer the dataset that was named; a bare “owner/name” is taken for one of the Hub, too."""
    text = (st.session_state[_HUB] or "").strip()
    if not text:
        return
    name = text if hub.owns(text) else f"{hub.PREFIX}{text}"
    with kept_list.answered(_SAID):
        title = datasets.find(name).title
        kept_list.say(_SAID, f"{title} can be picked above; it is fetched when a study with it is run.")
        st.session_state[_NAMED] = (*st.session_state.get(_NAMED, ()), name)
        st.session_state[_HUB] = ""


def _removed(name: str) -> str:
    title = datasets.title(name)
    uploads.remove(name)
    return title
