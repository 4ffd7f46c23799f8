"""At which depth does the peak appear? NAP at several layers of the network, and products of them."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from nap_core.analysis import layers
from nap_core.analysis.channels.max_mean_points import images_collected, points_of
from nap_core.analysis.evaluation import EvaluationData, MethodScores
from nap_core.analysis.layers import OWN
from nap_core.errors import UserError
from nap_core.figures import Picture, colours
from nap_core.figures.layers import depth_picture, layer_scatter
from nap_core.methods import RunCallbacks
from nap_core.metrics import METRIC_TITLES
from nap_core.models import LoadedModel
from nap_core.paper import published_values
from nap_core.studies.study import Study
from pages.components.results import figure_view
from pages.components.results.comparison_choice import pick_metric
from pages.components.runs import run_panel, task
from pages.components.study import hints, workspace

A_ROW = 3
MOST_COUNTED = 1_000_000  # points of a panel from which on the first images of each dataset stand for all
MOST_PICKED = 9
EVERY = "all"
_ADDRESS = "layers"


def read(study: Study, picked: tuple[str, ...]) -> dict[str, EvaluationData] | None:
    """What was found at each layer; None, with the button or the bar, while an image has still to go through."""
    store, device = workspace.store(), workspace.device()
    missing = layers.missing(study, store, picked)
    if not missing:
        return _stored(study, picked)

    def work(callbacks: RunCallbacks) -> dict[str, EvaluationData]:
        return layers.run_layers(study, store, picked, device=device, callbacks=callbacks)

    label = f"Read {'this layer' if len(picked) == 1 else f'these {len(picked)} layers'} ({missing:,} images)"
    task.result_of((_ADDRESS, study, picked), work, label, key="layers")
    st.caption(
        f"{missing:,} images have to go through the network, once each for all layers together. What is done is kept, "
        "so it can be stopped and continued."
    )
    return None


@st.cache_resource(show_spinner="Reading the layers …", max_entries=4)
def _stored(study: Study, picked: tuple[str, ...]) -> dict[str, EvaluationData]:
    return layers.run_layers(study, workspace.store(), picked, device=workspace.device())


@st.cache_data(show_spinner="Scoring the layers …", max_entries=8)
def scores_of(study: Study, picked: tuple[str, ...], _cases: dict[str, EvaluationData]) -> dict[str, MethodScores]:
    return layers.layer_scores(_cases)


@st.cache_data(show_spinner="Drawing …", max_entries=64)
def panel(
    study: Study, layer: str, name: str, met: tuple[str, ...], _cases: EvaluationData, _scores: MethodScores
) -> Picture:
    """Figure 5's panel of one layer, which is called ``name``."""
    parts = {study.id_dataset: _cases.id, **{one: _cases.ood[one] for one in met}}
    counts = images_collected([part.activations for part in parts.values()], most=MOST_COUNTED)
    points = [
        points_of(one, part.activations, images=count) for (one, part), count in zip(parts.items(), counts, strict=True)
    ]
    hues = colours(study.id_dataset, study.ood_datasets)
    return layer_scatter(points, _scores, name, workspace.titles(study), hues)


def pick_layers(study: Study, model: LoadedModel) -> tuple[str, ...]:
    """The picked layers, in the order in which they run; a session's first come from the link."""
    options = [*(layer.name for layer in layers.choices(model)), OWN]
    key = f"layers-{study.model}"
    if key not in st.session_state:
        asked = st.query_params.get(_ADDRESS, "").split(",")
        known = [option for option in options if layers.named(option) in asked][:MOST_PICKED]
        usual = [one for one in options if one in (*layers.suggested(model), study.layer)]
        st.session_state[key] = known or usual
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
    st.query_params[_ADDRESS] = ",".join(map(layers.named, picked))
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
    shown = _wide(table, titles)
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


def _wide(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """A row a layer or product, in percent: the average, the published one if any, then each OOD dataset."""
    several = table["ood"].nunique() > 2
    wide = table.pivot(index="layers", columns="ood").loc[table["layers"].unique()]
    found = {"NAP at": [f"NAP({name})" for name in wide.index]}
    groups = {layers.AVERAGE: "average", **titles} if several else dict(titles)
    for ood, title in groups.items():
        if ood in wide["auroc"]:
            for metric, name in METRIC_TITLES.items():
                found[f"{name} {title}"] = 100 * wide[metric][ood].to_numpy()
        if ood == next(iter(groups)) and "published_auroc" in table:
            for metric, name in METRIC_TITLES.items():
                found[f"{name} Table 7"] = 100 * wide[f"published_{metric}"][layers.AVERAGE].to_numpy()
    return pd.DataFrame(found)


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
    ood = against.selectbox(
        "Scatters against",
        [*study.ood_datasets, EVERY],
        format_func=lambda name: "all OOD datasets" if name == EVERY else titles[name],
        key=f"layers-ood-{'-'.join(study.ood_datasets)}",
        persist_state="session",
    )
    if not picked:
        st.info("Pick a layer to read NAP at.", icon=":material/info:")
        return
    cases = read(study, picked)
    if cases is None:
        return
    found = scores_of(study, picked, cases)
    short = layers.short_names(model, picked)
    whole = {name: _whole(model, layer, name) for layer, name in short.items()}
    by_layer = {short[layer]: scores for layer, scores in found.items()}
    table = layers.layer_table(by_layer)
    figure_view.show(depth_picture(table, list(by_layer), whole, titles, hues, metric), "layers-depth")
    st.caption(" · ".join(f"**{name}** {layers.describe(model, layer)}" for layer, name in short.items()))
    st.subheader("Maximum over mean at each layer", anchor=False)
    met = study.ood_datasets if ood == EVERY else (ood,)
    wide = A_ROW + 1 if len(picked) == A_ROW + 1 else A_ROW
    for start in range(0, len(picked), wide):
        for place, column in zip(range(start, min(start + wide, len(picked))), st.columns(wide), strict=False):
            layer = picked[place]
            with column:
                one = panel(study, layer, short[layer], met, cases[layer], found[layer])
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
