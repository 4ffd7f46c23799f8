"""Activation maps: an ID and an OOD image, and what each channel of the penultimate layer answers to them."""

import streamlit as st

from nap_core import datasets, metrics
from nap_core.analysis.channels import ranking
from nap_core.analysis.channels.kinds import how_read, kind_of, orders_of
from nap_core.errors import UserError
from nap_core.figures.activation_maps import channel_tiles, overlay_map
from nap_core.figures.picture import percent, three_digits
from nap_core.methods import EvaluationData
from nap_core.studies.study import Study
from pages.components.channels.channel_detail import show_detail
from pages.components.channels.channel_tiles import show_tiles
from pages.components.controls import pick_one
from pages.components.images import image_picker, maps_state
from pages.components.images.image_pools import Pool, id_pool, ood_pool
from pages.components.results.figure_view import show
from pages.components.runs import run_panel
from pages.components.study import workspace

TILES = 24
_NO_CONTRIBUTION = (
    "What a channel adds to the predicted class is not known here: the logits of this network are not linear in the "
    "channels’ means."
)


def about_image(study: Study, data: EvaluationData, pool: Pool, row: int) -> str:
    """What the image is, what the network takes it for, and its place among the ID images."""
    score = float(image_picker.score_of(study, data, pool, "nap")[row])
    place = metrics.percentile_among(workspace.scores(study, data, "nap").id, score)
    id_title = workspace.titles(study)[study.id_dataset]
    return (
        f"**{pool.caption(row)}** ({pool.title}), predicted **{pool.predicted(row)}**  \n"
        f"NAP {three_digits(score)}: above {percent(place)} of {id_title}"
    )


def page() -> None:
    study = workspace.current_study()
    data = run_panel.require_activations(study)
    id_images = id_pool(study, data)
    maps_state.begin({"id": {id_images.name: len(id_images)}, "ood": {name: len(data.of(name)) for name in data.ood}})
    if id_images.name != study.id_dataset:
        title = datasets.title(study.id_dataset)
        st.info(
            f"The images of {title} are not shipped, only their activations: {id_images.title.lower()} "
            "stand in for them."
        )

    left, right = st.columns(2, gap="medium")
    with left:
        _, id_row = image_picker.pick(study, data, "id", [id_images.name], lambda _: id_images)
    with right:
        ood_images, ood_row = image_picker.pick(
            study, data, "ood", study.ood_datasets, lambda name: ood_pool(study, data, name)
        )
    images = st.columns(2, gap="medium")  # filled when the controls below have said with which channel

    model = study.network()
    kind = kind_of(model)
    order, basis, opacity = _controls(orders_of(model), kind.many)
    ranked = kind.ranked(
        ranking.basis_values(id_images.values(id_row, order), ood_images.values(ood_row, order), basis)
    )
    channel = maps_state.channel(len(ranked), otherwise=int(ranked[0]))
    maps_state.write_address((id_images.name, id_row), (ood_images.name, ood_row), channel)
    subjects = id_images.subject(id_row), ood_images.subject(ood_row)
    top = max(float(subject.maximum[channel]) for subject in subjects)
    for place, pool, row, subject in zip(images, (id_images, ood_images), (id_row, ood_row), subjects, strict=True):
        with place:
            st.markdown(about_image(study, data, pool, row))
            show(overlay_map(subject, channel, top, opacity), f"overlay-{subject.role}")

    parts = -(-len(ranked) // TILES)
    line, turn = st.columns([2, 1], vertical_alignment="center")
    with turn:
        part = st.pagination(parts, key="maps-tiles-part", persist_state="session") if parts > 1 else 1
    first, last = (part - 1) * TILES + 1, min(part * TILES, len(ranked))
    which = (
        f"The **mean over {len(ranked) - 1} heads**, then the heads"
        if kind.of_heads
        else f"Channels **{first} to {last}** of {len(ranked):,}"
    )
    line.markdown(
        f"{which} by **{ranking.ORDERS[order]}**, **{ranking.BASES[basis]}**. "
        f"A click on a {kind.one} lays it over the images."
    )
    if kind.of_heads:
        st.caption(how_read(model))
    elif not model.logits_from_means:
        st.caption(_NO_CONTRIBUTION)
    tiles = channel_tiles(*subjects, ranked[first - 1 : last].tolist())
    clicked = show_tiles(tiles, "channel-tiles", selected=channel, with_contribution=order == "contribution")
    if clicked is not None:
        maps_state.choose_channel(clicked)
        st.rerun()
    show_detail(study, data, channel, id_images, ood_images, (id_row, ood_row))


def _controls(orders: tuple[str, ...], many: str) -> tuple[str, str, float]:
    """What orders the channels (``many``), whose values, and how strongly the overlay covers the images (0 to 1)."""
    order, basis, opacity = st.columns(3, vertical_alignment="bottom", gap="medium")
    ordered_by = pick_one(
        f"Order {many} by", orders, "maps-order", titled=ranking.ORDERS.__getitem__, linked=False, place=order
    )
    of = pick_one("Values of the", ranking.BASES, "maps-basis", first="ID", segments=True, linked=False, place=basis)
    strength = opacity.slider("Overlay, %", 0, 100, 60, 5, key="maps-opacity", persist_state="session")
    return ordered_by, of, strength / 100


st.title("Which channels light up?", anchor=False)
try:
    page()
except UserError as error:
    st.error(str(error), icon=":material/error:")
