"""The images behind the points that were selected in the scatter of maximum over mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from nap_core import datasets
from nap_core.analysis.channels.kinds import MAPS, ChannelKind
from nap_core.analysis.channels.max_mean_points import Picked, Points, Region, picked
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.max_vs_mean import SURFACE, tally
from nap_core.figures.picture import three_digits
from nap_core.figures.thumbnails import data_address
from pages.components.images.gallery import Thumbnail, gallery
from pages.components.study import workspace

SHOWN = 24


def region_of(event: Any) -> Region:
    """What a selection event of the figure holds, as far as it was drawn over the scatter."""
    boxes = [box for box in event.selection.box if box["xref"] == SURFACE]
    lassos = [lasso for lasso in event.selection.lasso if lasso["xref"] == SURFACE]
    return Region(
        tuple((box["x"][0], box["y"][0], box["x"][1], box["y"][1]) for box in boxes),
        tuple((tuple(lasso["x"]), tuple(lasso["y"])) for lasso in lassos),
    )


def picked_images(
    parts: Sequence[Points],
    region: Region,
    scores: MethodScores,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    kind: ChannelKind = MAPS,
) -> None:
    """How much is selected, and up to ``SHOWN`` of the images, those with most of the points first."""
    if not region:
        st.caption("Draw a lasso around points, or a box, to see the images they come from. A double click ends it.")
        return
    images = picked(parts, region)
    there = [image for image in images if datasets.find(image.dataset).images_shipped]
    rest = len(there) - SHOWN
    more = f" Those {SHOWN} with most of the points are shown, {rest:,} more are not." if rest > 0 else ""
    st.markdown(tally(images, titles) + more)
    absent = {image.dataset for image in images} - {image.dataset for image in there}
    for name in sorted(absent):
        st.caption(f"{titles[name]} comes as activations only, without its images, so none of them can be shown here.")
    if there:
        gallery(
            [_thumbnail(image, scores, titles, colours, kind) for image in there[:SHOWN]],
            "picked-images",
            label="Images with selected points, those with most of them first",
            wrap=True,
            clickable=False,
        )
    if any(len(image.channels) > 1 for image in there[:SHOWN]):
        st.caption(
            "“head 7 + 3” means four of the points: one of head 7, the highest, three of other heads."
            if kind.of_heads
            else "“ch. 17 + 3” means four of the points: one in channel 17, the highest, three in other channels."
        )


def _thumbnail(
    image: Picked, scores: MethodScores, titles: Mapping[str, str], colours: Mapping[str, str], kind: ChannelKind
) -> Thumbnail:
    score = scores.ood.get(image.dataset, scores.id)[image.row]
    first, *others = image.channels
    return Thumbnail(
        data_address(workspace.image(image.dataset, image.row)),
        titles[image.dataset],
        f"NAP {three_digits(float(score))}",
        colours[image.dataset],
        f"{kind.name(first).replace('channel', 'ch.')} + {len(others):,}" if others else kind.name(first),
    )
