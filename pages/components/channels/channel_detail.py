"""One channel in detail: its ratio on every dataset, the images that drive it, and equal means with unequal peaks."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from nap_core.activations import Activations
from nap_core.analysis.channels import ranking
from nap_core.analysis.channels.kinds import ChannelKind, kind_of
from nap_core.analysis.channels.max_mean_points import images_collected
from nap_core.analysis.channels.ranking import MatchedPeaks, SameMeanPair
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

DRIVERS = 8
MOST_SEARCHED = 2**23  # numbers: of 2,048 channels 4,000 images, which are compared within some seconds


def show_detail(
    study: Study, found: EvaluationData, channel: int, known: Pool, met: Pool, rows: tuple[int, int]
) -> None:
    """Draw everything that is said about one channel; ``rows`` are the images on the screen, ID and OOD."""
    model = study.network()
    kind = kind_of(model)
    name = kind.name(channel)
    heading, own = st.columns([4, 1], vertical_alignment="bottom")
    heading.subheader(name[0].upper() + name[1:], anchor=False)
    if own.button("Its page", key="maps-channel-page", icon=":material/equalizer:", width="stretch"):
        open_page(channel)
    st.markdown(speaks_for(model, channel))
    if not kind.of_heads:
        with st.container(key="same-mean"):
            _same_mean(study, found, channel, known)
    chart, strips = st.columns(2, gap="medium")
    with chart:
        st.markdown(f"**Its {'highest attention' if kind.of_heads else 'ratio'} on every dataset**")
        marks = {
            pool.name: float(kind.ratios(pool.activations.take([row]))[0, channel])
            for pool, row in zip((known, met), rows, strict=True)
        }
        distribution(study, found, channel, kind, marks)
    with strips:
        st.markdown("**The images that drive it most** (maximum · mean)")
        for side, pool in (("known", known), ("met", met)):
            clicked = drivers(side, pool, channel, kind)
            if clicked is not None:
                maps_state.show_image(side, pool.name, clicked)
                st.rerun()


def distribution(
    study: Study, found: EvaluationData, channel: int, kind: ChannelKind, marks: Mapping[str, float]
) -> None:
    """Draw how the ratio of one channel is spread on every dataset of the study; ``marks`` are those of images on the
    screen, by dataset."""
    show(
        figures.ratio_distribution(
            channel,
            {name: kind.ratios(found.of(name), [channel])[:, 0] for name in study.datasets},
            workspace.titles(study),
            colours(study.id_dataset, study.ood_datasets),
            marks,
            kind,
        ),
        "channel-ratio",
    )


def speaks_for(model: LoadedModel, channel: int) -> str:
    """For and against which class a channel speaks, in a sentence; why that is not known where it is not."""
    if model.reads_attention:
        return "It tells where the class token looks. For which class that speaks, attention does not say."
    if not model.logits_from_means or model.head_weight is None:
        return (
            "For which class it speaks is not known: the logits of this network are not linear in the channels’ means."
        )
    weights = model.head_weight[:, channel]
    most, least = int(weights.argmax()), int(weights.argmin())
    return (
        f"It speaks most for **{model.classes[most]}** (weight {_signed(weights[most])}) "
        f"and most against **{model.classes[least]}** ({_signed(weights[least])})."
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


def _same_mean(study: Study, found: EvaluationData, channel: int, known: Pool) -> None:
    """The pair of this channel, and of the channel that shows it best, over all OOD datasets of the study."""
    titles = workspace.titles(study)
    name, pair, peaks = _pair_of(found, known, study, known.name, channel)
    words, here, anywhere = st.columns([6, 3, 3], vertical_alignment="center")
    against = titles[name] if pair else "the OOD datasets"
    sentence = figures.pair_sentence(pair, channel, known.title, against)
    words.markdown(
        f"**Same mean, different maximum.** {sentence} {figures.matched_sentence(peaks, known.title, against)}"
    )
    here.button(
        "Show this pair",
        key="maps-pair",
        icon=":material/compare:",
        disabled=pair is None,
        on_click=_look_at,
        args=(known.name, name, pair),
        width="stretch",
    )
    searched, every = (
        sum(map(len, _searched(found, known))),
        len(known.activations) + sum(len(found.of(one)) for one in found.ood),
    )
    anywhere.button(
        "Find the clearest channel",
        key="maps-clearest",
        icon=":material/search:",
        on_click=_seek,
        width="stretch",
        help=f"Among {searched:,} of {every:,} images, the first of each dataset." if searched < every else None,
    )
    if st.session_state.get("maps_seek"):
        with st.spinner("Comparing every channel …"):
            best_name, best = _clearest(found, known, study, known.name)
        st.session_state.maps_seek = False
        if best is None:
            st.info("In no channel do an ID and an OOD image have the same mean, so there is no pair to show.")
        else:
            _look_at(known.name, best_name, best)
            st.rerun()


def _seek() -> None:
    st.session_state.maps_seek = True


def _look_at(known: str, met: str, pair: SameMeanPair) -> None:
    maps_state.show_image("known", known, pair.id_row)
    maps_state.show_image("met", met, pair.ood_row)
    maps_state.choose_channel(pair.channel)


@st.cache_data(show_spinner=False, max_entries=1024)
def _pair_of(
    _found: EvaluationData, _known: Pool, study: Study, known: str, channel: int
) -> tuple[str, SameMeanPair | None, MatchedPeaks]:
    """The OOD dataset with the clearest pair in ``channel``, that pair, and how typical it is there.

    ``study``, ``known`` (the name of the ID images) and ``channel`` are what the cache goes by.
    """
    pairs = {name: ranking.same_mean_pair(_known.activations, _found.of(name), channel) for name in _found.ood}
    name, pair = _largest(pairs)
    return name, pair, ranking.matched_peaks(_known.activations, _found.of(name), channel)


@st.cache_data(show_spinner=False, max_entries=64)
def _clearest(_found: EvaluationData, _known: Pool, study: Study, known: str) -> tuple[str, SameMeanPair | None]:
    """The OOD dataset and the pair of the channel that shows it best, over all channels and OOD datasets.

    It is looked for among the first images of each where there are very many. ``study`` and ``known`` are what the
    cache goes by.
    """
    first, *others = _searched(_found, _known)
    pairs = (ranking.clearest_pair(first, other) for other in others)
    return _largest(dict(zip(_found.ood, pairs, strict=True)))


def _searched(found: EvaluationData, known: Pool) -> list[Activations]:
    """The ID images, then those of each OOD dataset, among which the clearest channel is looked for."""
    parts = [known.activations, *map(found.of, found.ood)]
    counts = images_collected(parts, most=MOST_SEARCHED)
    return [part.head(count) for part, count in zip(parts, counts, strict=True)]


def _largest(pairs: Mapping[str, SameMeanPair | None]) -> tuple[str, SameMeanPair | None]:
    return max(pairs.items(), key=lambda entry: entry[1].difference if entry[1] else float("-inf"))
