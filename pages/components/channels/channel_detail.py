"""One channel in detail: its ratio on every dataset, the images that drive it, and equal means with unequal peaks."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from nap_core.activations import Activations
from nap_core.analysis.channels import clearest_pair, ranking
from nap_core.analysis.channels.kinds import ChannelKind, kind_of
from nap_core.analysis.channels.ranking import SameMeanPair
from nap_core.figures import channel_detail as figures
from nap_core.figures import colours
from nap_core.figures.picture import three_digits
from nap_core.methods import EvaluationData
from nap_core.models import LoadedModel
from nap_core.studies.study import Study
from pages.components.channels.channel_strip import open_page
from pages.components.images import maps_state
from pages.components.images.gallery import Thumbnail, gallery
from pages.components.images.image_pools import Pool
from pages.components.results.figure_view import show
from pages.components.study import workspace
from pages.components.study.cache import cached

DRIVERS = 8


def show_detail(
    study: Study, data: EvaluationData, channel: int, id_images: Pool, ood_images: Pool, rows: tuple[int, int]
) -> None:
    """Draw everything about one channel; ``rows`` are the images on the screen, ID and OOD."""
    model = study.network()
    kind = kind_of(model)
    name = kind.name(channel)
    heading, own = st.columns([4, 1], vertical_alignment="bottom")
    heading.subheader(name[0].upper() + name[1:], anchor=False)
    if own.button("Its page", key="maps-channel-page", icon=":material/equalizer:", width="stretch"):
        open_page(channel)
    st.markdown(class_weights(model, channel))
    if not kind.of_heads:
        with st.container(key="same-mean"):
            _same_mean(study, data, channel, id_images)
    chart, strips = st.columns(2, gap="medium")
    with chart:
        st.markdown(f"**Its {'highest attention' if kind.of_heads else 'ratio'} on every dataset**")
        marks = {
            pool.name: float(kind.ratios(pool.activations.take([row]))[0, channel])
            for pool, row in zip((id_images, ood_images), rows, strict=True)
        }
        distribution(study, data, channel, kind, marks)
    with strips:
        st.markdown("**The images that drive it most** (maximum · mean)")
        for side, pool in (("id", id_images), ("ood", ood_images)):
            clicked = drivers(side, pool, channel, kind)
            if clicked is not None:
                maps_state.show_image(side, pool.name, clicked)
                st.rerun()


def distribution(
    study: Study, data: EvaluationData, channel: int, kind: ChannelKind, marks: Mapping[str, float]
) -> None:
    """Draw how the ratio of one channel is spread on every dataset of the study; ``marks`` are those of images on the
    screen, by dataset."""
    show(
        figures.ratio_distribution(
            channel,
            {name: kind.ratios(data.of(name), [channel])[:, 0] for name in study.datasets},
            workspace.titles(study),
            colours(study.id_dataset, study.ood_datasets),
            marks,
            kind,
        ),
        "channel-ratio",
    )


def class_weights(model: LoadedModel, channel: int) -> str:
    """The classes with the largest and smallest weight of a channel, in a sentence; why there are none, else."""
    if model.reads_attention:
        return "It shows where the class token attends. Attention has no weight for a class."
    if not model.logits_from_means or model.head_weight is None:
        return "It has no weight for a class: the logits of this network are not linear in the channels’ means."
    weights = model.head_weight[:, channel]
    most, least = int(weights.argmax()), int(weights.argmin())
    return (
        f"Its largest weight is for **{model.classes[most]}** ({_signed(weights[most])}), "
        f"its smallest for **{model.classes[least]}** ({_signed(weights[least])})."
    )


def _signed(weight: float) -> str:
    return f"{weight:+.2f}".replace("-", "−")


def drivers(side: str, pool: Pool, channel: int, kind: ChannelKind) -> int | None:
    """Draw the images of a dataset that drive a channel most; the one that was clicked just now, by its row."""
    maxima, means = pool.activations.maximum[:, channel], pool.activations.mean[:, channel]
    rows = [int(row) for row in ranking.ranking(maxima)[:DRIVERS]]
    items = [
        Thumbnail(
            source,
            pool.caption(row),
            f"{three_digits(float(maxima[row]))} · {three_digits(float(means[row]))}",
            pool.colour,
        )
        for row, source in zip(rows, pool.laid_over(rows, channel, 0.6), strict=True)
    ]
    st.markdown(
        figures.drivers_sentence(pool.title, [float(maxima[row]) for row in rows], [pool.shows(row) for row in rows])
    )
    clicked = gallery(
        items, key=f"maps-{side}-drivers", label=f"{pool.title}: highest peaks {kind.within(channel)}, max · mean"
    )
    return rows[clicked] if clicked is not None and clicked < len(rows) else None


def _same_mean(study: Study, data: EvaluationData, channel: int, id_images: Pool) -> None:
    """The pair of this channel, and of the channel that shows it best, over all OOD datasets of the study."""
    titles = workspace.titles(study)
    name, pair, peaks = cached(
        (study, id_images.name, channel),
        clearest_pair.pair_of_channel, id_images.activations, _ood(data), channel, entries=1024,
    )  # fmt: skip
    words, here, anywhere = st.columns([6, 3, 3], vertical_alignment="center")
    against = titles[name] if pair else "the OOD datasets"
    sentence = figures.pair_sentence(pair, channel, id_images.title, against)
    words.markdown(
        f"**Same mean, different maximum.** {sentence} {figures.matched_sentence(peaks, id_images.title, against)}"
    )
    here.button(
        "Show this pair",
        key="maps-pair",
        icon=":material/compare:",
        disabled=pair is None,
        on_click=_look_at,
        args=(id_images.name, name, pair),
        width="stretch",
    )
    searched = sum(clearest_pair.images_searched(id_images.activations, _ood(data)))
    every = len(id_images) + sum(map(len, _ood(data).values()))
    anywhere.button(
        "Find the clearest channel",
        key="maps-clearest",
        icon=":material/search:",
        on_click=_seek,
        width="stretch",
        help=f"Among {searched:,} of {every:,} images, the first of each dataset." if searched < every else None,
    )
    if st.session_state.get("maps_seek"):
        best_name, best = cached(
            (study, id_images.name), clearest_pair.pair_of_all_channels, id_images.activations, _ood(data),
            spinner="Comparing every channel …",
        )  # fmt: skip
        st.session_state.maps_seek = False
        if best is None:
            st.info("In no channel do an ID and an OOD image have the same mean, so there is no pair to show.")
        else:
            _look_at(id_images.name, best_name, best)
            st.rerun()


def _seek() -> None:
    st.session_state.maps_seek = True


def _look_at(id_name: str, ood_name: str, pair: SameMeanPair) -> None:
    maps_state.show_image("id", id_name, pair.id_row)
    maps_state.show_image("ood", ood_name, pair.ood_row)
    maps_state.choose_channel(pair.channel)


def _ood(data: EvaluationData) -> dict[str, Activations]:
    return {name: data.of(name) for name in data.ood}
