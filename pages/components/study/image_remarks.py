"""What was concluded when the visitor's images were opened: how they are read, what was left out, how labels match."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from nap_core import datasets, models, studies
from nap_core.datasets import ImageDataset, hub, passed_over
from nap_core.datasets.labels import label_notes
from nap_core.studies.study import Study
from pages.components.study import workspace

LISTED = 100


def draw(study: Study) -> None:
    """Draw the remarks on each dataset of the visitor's own and of the Hub, and on the labels of ID and fit images."""
    from_hub = [name for name in studies.needed_datasets(study) if hub.owns(name) and datasets.prepared(name)]
    for name in dict.fromkeys((*workspace.own_datasets(study), *from_hub)):
        images = datasets.load(name)
        _unreadable(images)
        remarks = list(_remarks(study, name, images))
        if remarks:
            with st.expander(f"{images.title}: how it is read", icon=":material/info:", key=f"remarks-{name}"):
                st.markdown("\n".join(f"- {remark}" for remark in remarks))


def _remarks(study: Study, name: str, images: ImageDataset) -> Iterator[str]:
    yield from getattr(images, "notes", ())
    if said := passed_over.sentence(getattr(images, "passed_over", ())):
        yield said
    if name in (study.id_dataset, study.fit_dataset):
        yield from label_notes(images, models.find(study.model).classes())


def _unreadable(images: ImageDataset) -> None:
    files: tuple[tuple[str, str], ...] = getattr(images, "unreadable", ())
    if not files:
        return
    count = len(files)
    label = f"{images.title}: {count:,} of {count + len(images):,} files could not be read and were left out"
    with st.expander(label, icon=":material/warning:"):
        st.markdown("\n".join(f"- `{file}`: {reason}" for file, reason in files[:LISTED]))
        if count > LISTED:
            st.caption(f"and {count - LISTED:,} more")
