"""The layer that is read and the preprocessing: what was found in the network, and what else can be chosen."""

from __future__ import annotations

import streamlit as st

from nap_core import models
from nap_core.models import LoadedModel
from nap_core.models.preprocessing import FILTERS, MAX_SIDE
from nap_core.studies.study import Study

_OTHER = "other"


def pick(start: Study) -> tuple[str, str]:
    """Draw the choice, which starts from the study ``start``; its ``layer`` and ``transform``.

    Raises UserError for a model that cannot be loaded.
    """
    with st.expander(
        "Layer and preprocessing", icon=":material/layers:", expanded=not start.variant.is_plain, key="layer-choice"
    ):
        if not models.is_here(start.model):
            st.caption("Both can be chosen once the weights have been downloaded.")
            return start.layer, start.transform
        model = models.load(start.model)
        return _layer(model, start), _transform(model, start)


def _layer(model: LoadedModel, start: Study) -> str:
    structure = model.structure
    if structure is None:
        return ""
    shapes = {layer.name: layer.describe() for layer in structure.layers}
    own = f"the model's own · {' × '.join(f'{size:,}' for size in structure.shape)}"
    options = ["", *shapes]
    chosen = st.selectbox(
        "Penultimate layer",
        options,
        index=options.index(start.layer) if start.layer in options else 0,
        format_func=lambda name: shapes[name] if name else own,
        key=f"layer-{start.model}",
        help="The module whose output NAP reads, with channels × height × width, in the order in which they run. "
        "Type to search.",
    )
    st.caption(structure.sentence())
    if chosen and (layer := structure.layer(chosen)):
        zero = " It goes below zero and is cut there, because NAP is about activations." if layer.rectified else ""
        logits = "" if layer.feeds_head else " The logits stay the network's own: what its head reads is kept as well."
        st.caption(f"Read instead: the output of {layer.name}, a {layer.kind}.{zero}{logits}")
    return chosen


def _transform(model: LoadedModel, start: Study) -> str:
    own = model.transform
    presets = {"": own.geometry}
    if own.as_the_paper().geometry != own.geometry:
        presets[own.as_the_paper().geometry] = own.as_the_paper().geometry
    options = [*presets, _OTHER]
    now = start.transform if start.transform in presets else _OTHER
    chosen = st.selectbox(
        "Preprocessing: short side / crop / interpolation",
        options,
        index=options.index(now),
        format_func=lambda name: _titled(name, own.geometry),
        key=f"view-{start.model}",
    )
    if chosen == _OTHER:
        begin = own.changed(start.transform) if start.transform else own
        sides = st.columns(3)
        resize = sides[0].number_input(
            "Short side, pixels", 1, MAX_SIDE, begin.resize, key=f"view-resize-{start.model}"
        )
        crop = sides[1].number_input("Centre crop, pixels", 1, MAX_SIDE, begin.crop, key=f"view-crop-{start.model}")
        filters = list(FILTERS)
        at = filters.index(begin.interpolation)
        filtered = sides[2].selectbox("Interpolation", filters, index=at, key=f"view-filter-{start.model}")
        chosen = own.changed(f"{resize}/{crop}/{filtered}").geometry
    mean, std = (", ".join(f"{value:.4g}" for value in values) for values in (own.mean, own.std))
    st.caption(f"Mean ({mean}) and standard deviation ({std}) belong to the weights.")
    return "" if chosen == own.geometry else chosen


def _titled(name: str, own: str) -> str:
    if name == _OTHER:
        return "another one"
    return f"{name} · as the paper uses it" if name else f"{own} · the weights' own"
