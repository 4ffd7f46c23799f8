"""Several images as a table: the verdict of each, sortable, with download; a row opens the image."""

from __future__ import annotations

import zlib

import streamlit as st

from nap_core import models
from nap_core.datasets import uploaded_images
from nap_core.errors import UserError
from nap_core.figures import score_image
from nap_core.figures.score_image import ListedImage
from nap_core.figures.thumbnails import data_address
from pages.components.images import analysed_images
from pages.components.images.analysed_images import AnalysedImage, IdScores
from pages.components.images.uploads import Asked

ERRORS_AT_ONCE = 6


def look_at(model: str, asked: list[Asked], given: int) -> list[tuple[Asked, AnalysedImage]]:
    """Look at every image; those that cannot be read are answered with a sentence each, the rest is returned.

    ``given`` is how many files there are in all, of which ``asked`` are taken.
    """
    good, bad = [], []
    place = st.empty()
    for done, one in enumerate(asked):
        if len(asked) > 1:
            place.progress(
                done / len(asked), text=f"Looking at {score_image.plain(one.name)} ({done + 1:,} of {len(asked):,})"
            )
        looked = analysed_images.look(model, one.key, one.read)
        if isinstance(looked, UserError):
            bad.append(score_image.plain(str(looked)))
        else:
            good.append((one, looked))
    place.empty()
    if given > uploaded_images.MAX_FILES:
        st.warning(f"The first {uploaded_images.MAX_FILES} of {given:,} files were taken. Drop the others after these.")
    for sentence in bad[:ERRORS_AT_ONCE]:
        st.error(sentence, icon=":material/broken_image:")
    if rest := bad[ERRORS_AT_ONCE:]:
        with st.expander(f"{len(rest):,} more cannot be read"):
            st.markdown("  \n".join(rest))
    return good


def draw(model: str, method: str, images: list[tuple[Asked, AnalysedImage]], among: IdScores) -> int | None:
    """Draw the table; the position in ``images`` of the row that is open, None when none is."""
    classes = models.load(model).classes
    listed = [_listed(looked, classes, among) for _, looked in images]
    st.markdown(score_image.listing_reading(listed, method, models.find(model).training_data))
    percentile = st.column_config.NumberColumn(
        format="%.1f %%", help="The share of ID images that score lower, equals counted half."
    )
    # A selection belongs to its rows: other files make another table.
    rows = zlib.crc32("".join(one.key for one, _ in images).encode())
    place = st.container(key="score-image-listing")
    event = place.dataframe(
        score_image.screen_table(listed, method),
        key=f"score-image-table-{rows}",
        column_config={
            "image": st.column_config.ImageColumn("", width="small"),
            "file": st.column_config.TextColumn(width=150),
            "probability": st.column_config.NumberColumn(format="%.1f %%"),
            **{place.title: percentile for place in listed[0].placements.values()},
        },
        row_height=56,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        alt=score_image.listing_reading(listed, method, models.find(model).training_data),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Tick a row to open the image. Percentiles are among the ID images; a click on a head sorts.")
        st.download_button(
            "CSV",
            score_image.file_table(listed).to_csv(index=False).encode(),
            file_name=f"scores-{model}.csv",
            mime="text/csv",
            key="score-image-csv",
            icon=":material/download:",
            on_click="ignore",
        )
    chosen = event["selection"]["rows"]
    return chosen[0] if chosen else None


def _listed(looked: AnalysedImage, classes: tuple[str, ...], among: IdScores) -> ListedImage:
    shares = score_image.class_shares(looked.activations.logits[0])
    predicted = int(looked.activations.predictions[0])
    places = analysed_images.placements(looked.part, among)[0]
    thumbnail = data_address(looked.preview)
    width, height = looked.size
    return ListedImage(looked.name, thumbnail, width, height, classes[predicted], float(shares[predicted]), places)
