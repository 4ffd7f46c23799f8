"""At which depth does the peak appear? NAP at several layers of the network, and products of them."""

from collections.abc import Mapping

import streamlit as st

from nap_core.analysis import layers
from nap_core.analysis.evaluation import MethodScores
from nap_core.analysis.layers import OWN
from nap_core.errors import UserError
from nap_core.figures import colours
from nap_core.figures.layers import depth_picture, layer_panel, wide_table
from nap_core.methods import EvaluationData
from nap_core.models import LoadedModel
from nap_core.paper import published_values
from nap_core.studies.study import Study
from pages.components.controls import pick_one
from pages.components.results import figure_view
from pages.components.results.comparison_choice import pick_metric
from pages.components.runs import run_panel, task
from pages.components.study import hints, url_state, workspace
from pages.components.study.cache import cached

A_ROW = 3
MOST_PICKED = 9
EVERY = "all"
_ADDRESS = "layers"


def read(study: Study, picked: tuple[str, ...]) -> dict[str, EvaluationData] | None:
    """What was found at each layer; None, with the button or the bar, while an image has still to go through."""
    plan = layers.extraction_plan(study, picked, workspace.device())
    label = f"Read {'this layer' if len(picked) == 1 else f'these {len(picked)} layers'} ({{images}} images)"
    caption = "Each of these images goes through the network once, for all layers together."
    if not task.is_extracted((_ADDRESS, study, picked), plan, label, caption, key="layers"):
        return None
    return cached(
        (study, picked), layers.run_layers, study, workspace.store(), picked, device=workspace.device(),
        spinner="Reading the layers …", entries=4, shared=True,
    )  # fmt: skip


def pick_layers(study: Study, model: LoadedModel) -> tuple[str, ...]:
    """The picked layers, in the order in which they run; a session's first come from the link."""
    options = [*(layer.name for layer in layers.choices(model)), OWN]
    key = f"layers-{study.model}"
    usual = [one for one in options if one in (*layers.suggested(model), study.layer)]

    def read_names(text: str | None) -> list[str]:
        asked = (text or "").split(",")
        return [option for option in options if layers.named(option) in asked][:MOST_PICKED] or usual

    url_state.at_first(key, _ADDRESS, read_names)
    picked = st.multiselect(
        "Layers",
        options,
        format_func=lambda layer: layers.describe(model, layer),
        key=key,
        max_selections=MOST_PICKED,
        wrap=True,
        persist_state="session",
        help="Modules that put out a map, with channels × height × width, in the order in which they run. "
        "Type to search.",
    )
    url_state.write(layers=",".join(map(layers.named, picked)))
    return tuple(option for option in options if option in picked)


def product_section(
    study: Study, model: LoadedModel, by_layer: Mapping[str, MethodScores], whole: Mapping[str, str]
) -> None:
    """Table 7: each layer alone and products of them, and a product of the visitor's own."""
    st.subheader("Do several layers together tell more?", anchor=False)
    names = tuple(by_layer)
    own = st.multiselect(
        "A product of your own", names, format_func=whole.__getitem__, key="layers-product", placeholder="Pick layers"
    )
    products = layers.paper_products(names)
    mine = tuple(name for name in names if name in own)
    if len(mine) > 1 and mine not in products:
        products.append(mine)
    table = layers.layer_table(by_layer, products)
    beside = study.trained_on in ("CIFAR-10", "CIFAR-100") and len(layers.suggested(model)) == 4
    if beside:
        table = published_values.with_table_7(table, study.trained_on)
    titles = workspace.titles(study)
    shown = wide_table(table, titles)
    st.dataframe(
        shown,
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.1f") for name in shown.columns[1:]},
        key="layers-table",
    )
    words = "FPR95 and AUROC in percent. The score of a product is that of its layers multiplied, image by image."
    if beside:
        words += (
            f" Beside the averages stands the paper’s Table 7 for {study.trained_on}, of a DenseNet-BC-100-12 and six "
            "OOD datasets: t1 and t2 are its transitions, here s1 and s2 where the network has stages. Its early "
            "maps seem not to be cut at zero, which makes them tell less (docs/layers.md)."
        )
    st.caption(words)


def page() -> None:
    study = workspace.current_study()
    run_panel.require_activations(study)
    model = layers.network_of(study)
    titles, hues = workspace.titles(study), colours(study.id_dataset, study.ood_datasets)
    which, how, against = st.columns([6, 2, 3], vertical_alignment="top")
    with which:
        picked = pick_layers(study, model)
    with how:
        metric = pick_metric("layers_metric", default="auroc")
    sides = {name: titles[name] for name in study.ood_datasets} | {EVERY: "all OOD datasets"}
    ood = pick_one("Scatters against", sides, f"layers-ood-{'-'.join(study.ood_datasets)}", linked=False, place=against)
    if not picked:
        st.info("Pick a layer to read NAP at.", icon=":material/info:")
        return
    cases = read(study, picked)
    if cases is None:
        return
    by_module = cached((study, picked), layers.layer_scores, cases, spinner="Scoring the layers …", entries=8)
    short = layers.short_names(model, picked)
    whole = {name: _whole(model, layer, name) for layer, name in short.items()}
    by_layer = {short[layer]: scores for layer, scores in by_module.items()}
    table = layers.layer_table(by_layer)
    figure_view.show(depth_picture(table, list(by_layer), whole, titles, hues, metric), "layers-depth")
    st.caption(" · ".join(f"**{name}** {layers.describe(model, layer)}" for layer, name in short.items()))
    st.subheader("Maximum over mean at each layer", anchor=False)
    names = study.ood_datasets if ood == EVERY else (ood,)
    wide = A_ROW + 1 if len(picked) == A_ROW + 1 else A_ROW
    for start in range(0, len(picked), wide):
        for place, column in zip(range(start, min(start + wide, len(picked))), st.columns(wide), strict=False):
            layer = picked[place]
            with column:
                key = (study, layer, short[layer], names)
                one = cached(
                    key, layer_panel, cases[layer], names, by_module[layer], short[layer], titles, hues,
                    spinner="Drawing …", entries=64,
                )  # fmt: skip
                figure_view.show(one, f"layers-panel-{place}")
    st.caption(
        "A point is one channel of one image, ID in blue in front; a mean of 0.1 or less is left out, as in Figure 5 "
        "of the paper. A fixed sample is drawn; lines (the median maximum at each mean) and numbers count all. Maps "
        "that go below zero, as those of a convolution without a ReLU behind it, are cut at zero."
    )
    product_section(study, model, by_layer, whole)


def _whole(model: LoadedModel, layer: str, short: str) -> str:
    described = layers.describe(model, layer)
    return described if short == layer else f"{short} ({described})"


st.title("At which depth does the peak appear?", anchor=False)
try:
    page()
except UserError as error:
    st.info(hints.sentence(error), icon=":material/info:")
