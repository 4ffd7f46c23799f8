"""The images on which two methods disagree, and every method's verdict on one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from nap_core import datasets, methods
from nap_core.analysis.comparison import compare_images, disagreement, verdicts
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.compare_methods import disagreement_reading
from nap_core.figures.picture import percent, three_digits
from nap_core.figures.score_histograms import label
from nap_core.figures.thumbnails import data_address
from nap_core.studies.study import Study
from pages.components.controls import pick_one
from pages.components.images.gallery import Thumbnail, gallery
from pages.components.study import workspace

SHOWN = 24
FIRST_PAIR = ("energy", "nap")


def disagreements(
    study: Study, rows: Sequence[MethodScores], titles: Mapping[str, str], palette: Mapping[str, str]
) -> None:
    """Two boxes to pick the methods, a sentence, a strip for each way of disagreeing, the image that was clicked."""
    by_name = {row.method: row for row in rows}
    names = list(by_name)
    if len(names) < 2:
        st.caption("It takes two methods to disagree. Add another one.")
        return
    first_pair = FIRST_PAIR if set(FIRST_PAIR) <= set(names) else (names[0], names[1])
    if st.session_state.get("compare_b") == first_pair[0]:  # the other one was taken away: not B against itself
        first_pair = (next(name for name in names if name != first_pair[0]), first_pair[1])
    boxes = st.columns(2)
    a, b = (
        pick_one(f"Method {letter.upper()}", names, f"compare_{letter}", titled=methods.title, first=first, place=box)
        for box, letter, first in zip(boxes, "ab", first_pair, strict=True)
    )
    if a == b:
        st.info("A method never disagrees with itself. Pick two different ones.", icon=":material/info:")
        return
    result = disagreement(compare_images(by_name[a], by_name[b], study.id_dataset))
    st.markdown(disagreement_reading(result, by_name[a].title, by_name[b].title))
    st.caption(
        f"Each method at its own threshold, the score that 95\N{NO-BREAK SPACE}% of {titles[study.id_dataset]} "
        "reach. First come the images whose ranks among all "
        f"{result.images:,} images differ most; under each: score of A · score of B."
    )
    for images, accepts, refuses, key in (
        (result.only_a, f"A ({by_name[a].title})", f"B ({by_name[b].title})", "only-a"),
        (result.only_b, f"B ({by_name[b].title})", f"A ({by_name[a].title})", "only-b"),
    ):
        _strip(images, f"{accepts} says ID, {refuses} says OOD", key, titles, palette)
    _one_image(study, rows, titles)


def _strip(images: pd.DataFrame, heading: str, key: str, titles: Mapping[str, str], palette: Mapping[str, str]) -> None:
    """The first ``SHOWN`` of the images that can be shown; a click keeps one for ``_one_image``."""
    id_count = int(images["is_id"].sum())
    st.markdown(f"**{heading}**: {_count(len(images))}{f', {id_count:,} of them ID' if len(images) else ''}.")
    shipped = images["dataset"].map(lambda name: datasets.find(name).images_shipped).astype(bool)
    for name in images["dataset"][~shipped].unique():
        st.caption(f"{titles[name]} comes as activations only: its images cannot be shown here.")
    shown = images[shipped].head(SHOWN)
    if shown.empty:
        return
    places = list(zip(shown["dataset"], shown["row"].astype(int), strict=True))
    thumbnails = [
        Thumbnail(
            data_address(workspace.image(name, row)),
            titles[name],
            f"{three_digits(score_a)} · {three_digits(score_b)}",
            palette[name],
        )
        for (name, row), score_a, score_b in zip(places, shown["score_a"], shown["score_b"], strict=True)
    ]
    current = st.session_state.get("compare_image")
    selected = places.index(current) if current in places else None
    clicked = gallery(thumbnails, f"compare-{key}", label=heading, selected=selected)
    if clicked is not None and clicked < len(places) and clicked != selected:
        st.session_state.compare_image = places[clicked]
        st.rerun()


def _one_image(study: Study, rows: Sequence[MethodScores], titles: Mapping[str, str]) -> None:
    """The image that was clicked, with every method's verdict."""
    name, row = st.session_state.get("compare_image", ("", 0))
    sizes = {study.id_dataset: len(rows[0].id)} | {other: len(part) for other, part in rows[0].ood.items()}
    if row >= sizes.get(name, 0):
        st.caption("A click on an image shows the verdict of every method.")
        return
    picture, words = st.columns([1, 4], vertical_alignment="center")
    image, index = workspace.image(name, row), workspace.image_index(name, row)
    picture.image(image.resize((320, 320 * image.height // image.width), 0), caption=f"{titles[name]}, image {index}")
    of_image = verdicts(rows, study.id_dataset, name, row)
    truth = name == study.id_dataset
    words.dataframe(
        pd.DataFrame(
            {
                "Method": [label(each) for each in rows],
                "Score": of_image["score"].map(three_digits),
                "Threshold": of_image["threshold"].map(three_digits),
                "Verdict": [
                    f"{'ID' if said else 'OOD'}, {'right' if said == truth else 'wrong'}"
                    for said in of_image["accepted"]
                ],
                "Above this share of ID images": of_image["percentile"].map(percent),
            }
        ),
        hide_index=True,
        key="compare-verdicts",
    )


def _count(images: int) -> str:
    return "no image" if not images else f"{images:,} image{'s' if images > 1 else ''}"
