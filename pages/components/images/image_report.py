"""Everything about one image: the verdict, what the network sees, where it stands, what decided it, how it wears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from PIL import Image

from nap_core import corruptions, models
from nap_core.analysis import single_image
from nap_core.analysis.channels.kinds import ChannelKind, kind_of
from nap_core.analysis.single_image import ImageVerdict, NapContribution
from nap_core.errors import UserError
from nap_core.figures import score_image
from nap_core.figures.picture import three_digits
from nap_core.figures.thumbnails import data_address
from pages.components.controls import pick_one
from pages.components.images import analysed_images
from pages.components.images.analysed_images import AnalysedImage, IdScores
from pages.components.images.gallery import Thumbnail, gallery
from pages.components.results.figure_view import show
from pages.components.study import workspace

# Blue is ID on every page; the words carry the verdict, the colours only repeat it.
_SIGNS = {
    "like": ("blue", ":material/check_circle:"),
    "edge": ("orange", ":material/contrast:"),
    "unlike": ("red", ":material/block:"),
}
_SHOWN = 224  # pixels at which a small view is shown


def draw(model: str, method: str, key: str, looked: AnalysedImage, among: IdScores) -> None:
    """The whole view of one image; ``key`` stands for its content."""
    places = analysed_images.placements(looked.part, among)[0]
    _verdict(model, places, method)
    _looks(model, looked)
    show(score_image.standing_picture(list(places.values()), looked.name), "score-image-standing")
    kind = kind_of(models.load(workspace.variant(model)))
    st.subheader("Where the class token looked" if kind.of_heads else "The channels that decided it")
    _channels(looked, among, kind)
    st.subheader("The same image, made worse")
    _worse(model, method, key, looked, among)


def _verdict(model: str, places: dict[str, ImageVerdict], method: str) -> None:
    lead = places[method]
    colour, sign = _SIGNS[lead.verdict]
    opening = score_image.opening(lead, models.find(model).training_data)
    with st.container(border=True, key="score-image-verdict", gap="xsmall"):
        st.markdown(f"#### :{colour}[{sign} {opening}:] {score_image.grounds(lead)}")
        others = [place for name, place in places.items() if name != method]
        st.markdown(score_image.agreement(lead, others))
        st.caption(
            "About how the network answered, not about whether its answer is right. Unlike: at most 1 ID image in "
            "100 scores as low. At the edge: at most 1 in 10, or below the threshold."
        )


def _looks(model: str, looked: AnalysedImage) -> None:
    loaded = models.load(workspace.variant(model))
    given, seen, taken = st.columns([3, 3, 4], gap="medium")
    with given:
        st.markdown("**The image**")
        st.image(_enlarged(looked.preview), alt=f"{looked.name}, as it was given")
        width, height = looked.size
        st.caption(" ".join([f"{score_image.plain(looked.name)}: {width:,} × {height:,} pixels.", *looked.notes]))
    with seen:
        st.markdown("**What the network sees**")
        st.image(_enlarged(Image.fromarray(looked.view)), alt=f"{looked.name}, as {loaded.title} sees it")
        side, steps = len(looked.view), loaded.transform
        st.caption(f"{side} × {side} pixels: short side to {steps.resize}, then the middle.")
    with taken:
        st.markdown("**What it takes it for**")
        picture = score_image.classes_picture(looked.activations.logits[0], loaded.classes, loaded.title)
        show(picture, "score-image-classes")


def _enlarged(image: Image.Image) -> Image.Image:
    """A small image pixel by pixel at a size that can be seen."""
    times = _SHOWN // max(image.size)
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST) if times > 1 else image


def _channels(looked: AnalysedImage, among: IdScores, kind: ChannelKind) -> None:
    voices = single_image.nap_contributions(looked.activations, among.terms, kind=kind)
    sides: dict[Literal["for", "against"], Sequence[NapContribution]] = dict(
        zip(("for", "against"), voices, strict=True)
    )
    top = max((float(looked.maps[voice.channel].max()) for of_side in sides.values() for voice in of_side), default=0.0)
    st.caption(_about_heads(top, len(looked.maps) - 1) if kind.of_heads else _about_channels(top))
    for column, (side, of_side) in zip(st.columns(2, gap="medium"), sides.items(), strict=True):
        with column:
            st.markdown(f"**Most {side} it**")
            picture = score_image.channels_picture(of_side, looked.view, looked.maps, side, top, kind)
            show(picture, f"score-image-channels-{side}")


def _about_channels(top: float) -> str:
    return (
        "What each channel adds to NAP, compared with the average ID image; all channels together make up the whole "
        "difference. Its map lies over the image on one colour scale, from nothing (silent) to bright (an activation "
        f"of {three_digits(top)}). A channel that lowers the score is often a silent one."
    )


def _about_heads(top: float, heads: int) -> str:
    return (
        f"NAP of a Transformer is the highest attention of the class token in the last block, of the mean over its "
        f"{heads} heads, which stands first. Beside it the heads, by how much higher or lower each peaks than in the "
        "average ID image. The attention lies over the image on one colour scale, from nothing to bright "
        f"({three_digits(top)})."
    )


@st.fragment
def _worse(model: str, method: str, key: str, looked: AnalysedImage, among: IdScores) -> None:
    records = corruptions.RECORDS
    titles = {name: record.title for name, record in records.items()}
    left, right = st.columns(2, vertical_alignment="bottom")
    corruption = pick_one("Corruption", titles, "score-image-corruption", linked=False, place=left)
    severity = right.slider("Severity", 0, 5, 3, key="score-image-severity", persist_state="session")
    try:
        views, answers = analysed_images.worsened(model, key, looked, corruption)
    except UserError as error:
        st.error(str(error))
        return
    places = [places[method] for places in analysed_images.placements(answers, among)]
    seen, line = st.columns([1, 3], gap="medium")
    with seen:
        st.image(_enlarged(Image.fromarray(views[severity])), alt=f"{records[corruption].title}, severity {severity}")
        side = len(looked.view)
        st.caption(f"Applied to the {side} × {side} pixels the network sees. {records[corruption].source}.")
    with line:
        show(score_image.corruption_picture(places, records[corruption].title, severity), "score-image-worse")
    strip = [
        Thumbnail(data_address(Image.fromarray(view), 168), f"severity {step}", three_digits(place.score))
        for step, (view, place) in enumerate(zip(views, places, strict=True))
    ]
    gallery(
        strip, "score-image-strip", label="The image at each severity", selected=severity, wrap=True, clickable=False
    )
