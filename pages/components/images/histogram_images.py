"""The images behind a bar of a score histogram, the most misplaced first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from nap_core import datasets
from nap_core.figures.picture import three_digits
from nap_core.figures.score_histograms import Placed
from nap_core.figures.thumbnails import data_address
from pages.components.images.gallery import Thumbnail, gallery
from pages.components.study import workspace

SHOWN = 24


def placed_images(
    items: Sequence[Placed], group: str, where: str, titles: Mapping[str, str], colours: Mapping[str, str], key: str
) -> None:
    """A strip of the first ``SHOWN`` of ``items``, which score ``where`` ("1.2 to 1.31"); ``group`` names them all."""
    count, wrong = len(items), sum(item.wrong for item in items)
    if not items:
        st.markdown(f"**{group}**: no image scores {where}.")
        return
    st.markdown(
        f"**{group}**: {count:,} image{'s' if count > 1 else ''} score{'' if count > 1 else 's'} {where}, "
        f"{_misplaced(wrong, count)}.{_left_out(count)}"
    )
    if not datasets.find(items[0].dataset).images_shipped:
        st.caption(f"{group} comes as activations only, without its images, so none can be shown here.")
        return
    mixed = len({item.dataset for item in items}) > 1
    gallery(
        [_thumbnail(item, titles[item.dataset] if mixed else "", colours[item.dataset]) for item in items[:SHOWN]],
        key,
        label=f"{group}, {where}, most misplaced first",
        clickable=False,
    )


def _misplaced(wrong: int, count: int) -> str:
    if count == 1:
        return f"on the {'wrong' if wrong else 'right'} side of the threshold"
    share = "all" if wrong == count else f"{wrong:,}" if wrong else "none"
    return f"{share} of them on the wrong side of the threshold"


def _left_out(count: int) -> str:
    rest = count - SHOWN
    return (
        f" The {SHOWN} most misplaced are shown, {rest:,} more {'is' if rest == 1 else 'are'} not." if rest > 0 else ""
    )


def _thumbnail(item: Placed, title: str, colour: str) -> Thumbnail:
    side = "✗ wrong side" if item.wrong else "right side"
    caption = title or three_digits(item.score)
    note = f"{three_digits(item.score)} · {'✗ wrong' if item.wrong else 'right'}" if title else side
    return Thumbnail(data_address(workspace.image(item.dataset, item.row)), caption, note, colour)
