"""The images to be scored: dropped files, kept while other pages are visited, and samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from nap_core import datasets
from nap_core.datasets import SamplePhotos, uploaded_images
from nap_core.datasets.uploaded_images import UploadedImage
from nap_core.figures import ID_COLOUR, colour_of
from nap_core.figures.thumbnails import data_address
from nap_core.studies.study import Study
from pages.components.images.gallery import Thumbnail, gallery
from pages.components.study import url_state, workspace
from pages.components.study.cache import cached

DROP, FILES, TAKEN = "score-image-drop", "score-image-files", "score-image-sample"
SAMPLE = "sample"  # in the address, counted from 1
SAMPLES = 6


@dataclass(frozen=True)
class Asked:
    """An image to be looked at: ``key`` stands for its content, ``read`` gives it or raises UserError."""

    key: str
    name: str
    read: Callable[[], UploadedImage]


def drop_zone() -> None:
    """Draw the drop zone, and what there is to do with files that were dropped before."""
    st.file_uploader(
        "Drop your own images",
        key=DROP,
        accept_multiple_files=True,
        max_upload_size=uploaded_images.MAX_MEGABYTES,
        on_change=_dropped,
        help="PNG, JPEG, WebP, GIF, BMP, TIFF, PPM, JPEG 2000 or AVIF. They stay on the computer this app runs "
        "on, in memory, and are forgotten with the session.",
    )
    kept = files()
    if not kept:
        return
    count = "your image" if len(kept) == 1 else f"your {len(kept)} images"
    with st.container(horizontal=True):
        if _taken() is not None:
            st.button(f"Back to {count}", key="score-image-back", icon=":material/undo:", on_click=_take_sample)
        if not st.session_state[DROP]:
            st.button(f"Forget {count}", key="score-image-forget", icon=":material/delete:", on_click=_dropped)


def files() -> list[UploadedFile]:
    """The files dropped in this session, those taken out again left out."""
    return st.session_state.get(FILES, [])


def _dropped() -> None:
    st.session_state[FILES] = list(st.session_state[DROP])
    _take_sample()


def _take_sample(number: int | None = None) -> None:
    """Choose a sample, counted from 1; None chooses the dropped files instead."""
    st.session_state[TAKEN] = number
    url_state.write(**{SAMPLE: None if number is None else str(number)})


def _taken() -> int | None:
    """The sample that is asked for, counted from 1: the one taken in this session, else the address's."""
    if TAKEN not in st.session_state:
        wanted = url_state.whole(st.query_params.get(SAMPLE))
        _take_sample(wanted if wanted in range(1, SAMPLES + 1) else None)
    number: int | None = st.session_state[TAKEN]
    return number


def asked(model: str) -> list[Asked]:
    """The images whose scores are asked for: a sample that was taken, else the files, else the first sample."""
    number, offered = _taken(), samples(model)
    if number is not None:
        return offered[number - 1 : number] or offered[:1]
    return [_from_file(file) for file in files()[: uploaded_images.MAX_FILES]] or offered[:1]


def _from_file(file: UploadedFile) -> Asked:
    return Asked(file.file_id, file.name, lambda: uploaded_images.read(file.getvalue(), file.name))


def samples(model: str) -> list[Asked]:
    """Six bundled images for a model: photographs, or for a network of small images some ID and some OOD images."""
    return [_sample(dataset, index) for dataset, index in _sample_places(model)]


def _sample_places(model: str) -> list[tuple[str, int]]:
    among = workspace.reference_study(model)
    if not datasets.find(among.id_dataset).images_shipped:
        return [("photos", index) for index in range(SAMPLES)]
    id_places = [(among.id_dataset, index) for index in range(min(SAMPLES // 2, len(datasets.load(among.id_dataset))))]
    return id_places + [(name, 0) for name in among.ood_datasets[: SAMPLES // 2]]


def _sample(dataset: str, index: int) -> Asked:
    name = _sample_title(dataset, index)
    return Asked(f"{dataset}:{index}", name, lambda: UploadedImage(name, datasets.load(dataset).image(index)))


def _sample_title(dataset: str, index: int) -> str:
    opened = datasets.load(dataset)
    if isinstance(opened, SamplePhotos):
        return opened.photos[index].title
    label = int(opened.labels[index])
    shows = f": {opened.classes[label]}" if label >= 0 else ""
    return f"{opened.title}{shows}"


def _sample_strip(model: str, among: Study) -> list[Thumbnail]:
    strip = []
    for dataset, index in _sample_places(model):
        colour = ID_COLOUR if dataset == among.id_dataset else ""
        if dataset in among.ood_datasets:
            colour = colour_of(among.ood_datasets.index(dataset))
        source = data_address(datasets.load(dataset).image(index), 168)
        strip.append(Thumbnail(source, _sample_title(dataset, index).split(": ")[-1], colour=colour))
    return strip


def sample_strip(model: str) -> None:
    """Draw the samples; a click chooses one."""
    number = _taken() or (None if files() else 1)
    among = workspace.reference_study(model)
    strip = cached((model, among), _sample_strip, model, among, entries=8)
    st.markdown("Or take a sample")
    key = f"score-image-samples-{model}"
    clicked = gallery(strip, key, label="Samples", selected=number - 1 if number else None, wrap=True)
    if clicked is not None:
        _take_sample(clicked + 1)
        st.rerun()
