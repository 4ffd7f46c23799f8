"""NAP at several depths of a network, and products of it over layers (NAP paper, Figure 5, Table 7, Appendices C, D).

A layer is the dotted name of a module that puts out a map, "" where the model is read as it comes: the penultimate map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nap_core import datasets, extraction
from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.evaluation import MethodScores, method_scores, metrics_of
from nap_core.datasets.labels import labels_for
from nap_core.errors import Hint, UserError
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.metrics import METRIC_TITLES
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks
from nap_core.studies.study import Study, context

if TYPE_CHECKING:
    from torch import nn

    from nap_core.datasets import ImageDataset
    from nap_core.extraction import ExtractionPlan
    from nap_core.models import LoadedModel
    from nap_core.models.introspection import Layer, NetworkStructure

OWN = ""
"""The layer at which a model is read as it comes."""
PENULTIMATE = "penultimate"
MOST = 6
Product = tuple[str, ...]


def named(layer: str) -> str:
    """What a table calls a layer.

    Args:
        layer: The dotted name of a module, "" for the penultimate map.

    Returns:
        The name, "penultimate" for "".
    """
    return layer or PENULTIMATE


def network_of(study: Study) -> LoadedModel:
    """The study's network, read as it comes whatever layer the study names.

    Args:
        study: The study.

    Returns:
        The loaded network.

    Raises:
        UserError: NAP has no other depth: the network is a Transformer, whose NAP is the attention of its last block,
            or a dataset holds stored activations, of the penultimate layer alone.
    """
    banks = [name for name in study.datasets if datasets.find(name).role == "precomputed"]
    if banks:
        raise UserError(
            f"{datasets.title(banks[0])} holds activations of the penultimate layer, and no images from which other "
            "layers could be read.",
            Hint.ID_IMAGES,
        )
    model = replace(study, layer="").network()
    if model.reads_attention:
        raise UserError(
            f"{model.title} is a Transformer: NAP is the highest attention of the class token in its last block, and "
            "is not defined for the maps of earlier layers.",
            Hint.CNN,
        )
    return model


def as_it_comes(model: LoadedModel) -> LoadedModel:
    """A model read at its own penultimate map.

    Args:
        model: The loaded model, read at any layer.

    Returns:
        The same network with the hook of its penultimate map.
    """
    structure = model.structure
    if structure is None or structure.hook == model.hook:
        return model
    architecture = replace(model.architecture, hook=structure.hook)
    return replace(model, architecture=architecture, keeps_features=model.has_head and not structure.head_on_mean)


def choices(model: LoadedModel) -> tuple[Layer, ...]:
    """The layers that NAP can be read at beside the model's own: those with a map of several neurons.

    Args:
        model: The loaded model.

    Returns:
        The layers, in the order in which they run.

    Raises:
        UserError: The layers of the model are unknown.
    """
    structure = _anatomy(model)
    return tuple(one for one in structure.layers if one.shape[1] * one.shape[2] > 1 and one.hook != structure.hook)


def describe(model: LoadedModel, layer: str) -> str:
    """The name of a layer and the shape of its map.

    Args:
        model: The loaded model.
        layer: The dotted name of a module, "" for the penultimate map.

    Returns:
        "trans1.conv1 · 108 × 32 × 32", "penultimate · 342 × 8 × 8": channels, height, width.

    Raises:
        UserError: The layers of the model are unknown, or none has this name.
    """
    shape = _anatomy(model).layer(layer).shape if layer else _anatomy(model).shape
    return f"{named(layer)} · {' × '.join(f'{size:,}' for size in shape)}"


def suggested(model: LoadedModel) -> tuple[str, ...]:
    """The layers of Figure 5 of the NAP paper and what is like them in other networks.

    They are the first convolution, with the norm and the activation right behind it; the end of each stage or, where a
    stage ends in a pooling of its own as a DenseNet's transition does, the map that enters that pooling; and the
    penultimate map.

    Args:
        model: The loaded model.

    Returns:
        The dotted names of at most ``MOST`` layers, the earliest first, "" last.

    Raises:
        UserError: The layers of the model are unknown.
    """
    usable = {layer.name for layer in choices(model)}
    early = [name for name in (_first_convolution(model), *_stages(model)) if name in usable]
    early = list(dict.fromkeys(early))
    places = np.linspace(0, len(early) - 1, min(len(early), MOST - 1)).round().astype(int)
    return (*(early[place] for place in places), OWN)


def short_names(model: LoadedModel, layers: Sequence[str]) -> dict[str, str]:
    """What Table 7 of the NAP paper calls the layers.

    "c1" is the first convolution, "t1" and so on are the transitions of a DenseNet ("s1": the stages of other
    networks), "p" is the penultimate map.

    Args:
        model: The loaded model.
        layers: The dotted names of modules, "" for the penultimate map.

    Returns:
        Layer → short name; a layer that ``suggested`` does not give keeps its name.

    Raises:
        UserError: The layers of the model are unknown.
    """
    letter = "t" if "densenet" in model.architecture.name else "s"
    suggestions = suggested(model)
    first = suggestions[0] == _first_convolution(model)
    names = {name: f"{letter}{place if first else place + 1}" for place, name in enumerate(suggestions[:-1])}
    names |= {suggestions[0]: "c1"} if first and suggestions[0] else {}
    return {layer: {OWN: "p", **names}.get(layer, layer) for layer in layers}


def _anatomy(model: LoadedModel) -> NetworkStructure:
    if model.structure is None:
        raise UserError(f"{model.title} does not tell its layers, so none can be chosen.")
    return model.structure


def _first_convolution(model: LoadedModel) -> str:
    """The first convolution, or the norm and activation that follow on it at once; "" where there is none."""
    layers = _anatomy(model).layers
    kinds = {layer.name: model.network.get_submodule(layer.name) for layer in layers}
    first = next((place for place, one in enumerate(layers) if _is_convolution(kinds[one.name])), None)
    if first is None:
        return ""
    last = layers[first]
    for layer in layers[first + 1 :]:
        if layer.name.startswith(f"{last.name}."):
            continue
        if layer.shape != last.shape or not _is_norm_or_activation(kinds[layer.name]):
            break
        last = layer
    return last.name


def _is_convolution(module: nn.Module) -> bool:
    # By the names of its classes: figures read this module's constants without torch.
    return any(kind.__name__ == "Conv2d" for kind in type(module).__mro__)


def _is_norm_or_activation(module: nn.Module) -> bool:
    return "Norm" in type(module).__name__ or "activation" in type(module).__module__.rsplit(".", 1)[-1]


def _stages(model: LoadedModel) -> list[str]:
    """The end of each stage before the penultimate map, or what enters the pooling that a stage ends in."""
    structure = _anatomy(model)
    names = list(model.architecture.layers or structure.stages) or _ends(structure)
    if names and structure.layer(names[-1]).shape == structure.shape:
        names.pop()  # the penultimate map itself
    return [_before_pooling(structure, model.network, name) for name in names]


def _ends(structure: NetworkStructure) -> list[str]:
    """The last block at each size of map, for networks whose stages are not declared."""
    ends = {layer.shape[1]: layer.name for layer in structure.layers if layer.name.count(".") <= 1}
    return [ends[size] for size in sorted(ends, reverse=True)]


def _before_pooling(structure: NetworkStructure, network: nn.Module, stage: str) -> str:
    """The last part of a stage that is no pooling, where its map is larger than the stage's; else the stage."""
    parts = [layer for layer in structure.layers if layer.name.startswith(f"{stage}.")]
    parts = [layer for layer in parts if "Pool" not in type(network.get_submodule(layer.name)).__name__]
    if parts and parts[-1].shape[1] > structure.layer(stage).shape[1]:
        return parts[-1].name
    return stage


def extraction_plan(study: Study, layers: Sequence[str], device: str | None = None) -> extraction.ExtractionPlan:
    """The images of the study through its network, read at several layers at once.

    Args:
        study: The model and the datasets; its own layer is not used.
        layers: The dotted names of modules, "" for the penultimate map.
        device: "cpu", "cuda" …; None for the best there is.

    Returns:
        A step for each dataset, the ID dataset first.

    Raises:
        UserError: As ``network_of`` does, and for a name that is no layer's.
    """
    sites = tuple(extraction.sites_of(network_of(study), layers).values())
    return extraction.ExtractionPlan(
        [extraction.ExtractionStep(sites, datasets.load(name), study.images) for name in study.datasets], device
    )


def run_layers(
    study: Study,
    store: Store,
    layers: Sequence[str],
    *,
    device: str | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> dict[str, EvaluationData]:
    """The data of a study at several layers, from a run of the ``extraction_plan``.

    Args:
        study: The model and the datasets; its own layer is not used.
        store: Where activations are kept.
        layers: The dotted names of modules, "" for the penultimate map.
        device: "cpu", "cuda" …; None for the best there is.
        callbacks: Progress over the images of all datasets, and cancellation.

    Returns:
        The data by layer.

    Raises:
        UserError: As ``network_of`` does, and for a name that is no layer's.
        ExtractionStopped: On request; a second call goes on from there.
    """
    plan = extraction_plan(study, layers, device)
    images = {name: datasets.load(name) for name in study.datasets}
    contexts = {layer: context(replace(study, layer=layer), store, device) for layer in layers}
    return run_plan(plan, study.id_dataset, images, contexts, callbacks)


def run_plan(
    plan: ExtractionPlan,
    id_name: str,
    images: Mapping[str, ImageDataset],
    contexts: Mapping[str, ScoringContext],
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> dict[str, EvaluationData]:
    """The images of several datasets as one network has them at several layers.

    Args:
        plan: A step for each dataset, in the order of ``images``, with a site for each layer, in that of ``contexts``.
        id_name: The ID dataset, one of ``images``. Its labels become classes of the network.
        images: The images of each dataset by its name.
        contexts: What methods may use at each layer, by the layer's name. All have the same store.
        callbacks: Progress and cancellation.

    Returns:
        The data by layer.

    Raises:
        UserError: For what cannot be extracted.
        ExtractionStopped: On request; a second call goes on from there.
    """
    activations = iter(plan.run(next(iter(contexts.values())).store, callbacks))
    parts = {(layer, name): next(activations) for name in images for layer in contexts}
    by_layer = {}
    for layer, scoring in contexts.items():
        labels = labels_for(images[id_name], scoring.network("NAP at a layer").classes)
        own = parts[layer, id_name]
        parts[layer, id_name] = replace(own, labels=labels[: len(own)])
        sets = {name: ImageSet(parts[layer, name], one) for name, one in images.items()}
        by_layer[layer] = EvaluationData(id_name, sets.pop(id_name), sets, scoring)
    return by_layer


def layer_scores(data_by_layer: Mapping[str, EvaluationData]) -> dict[str, MethodScores]:
    """S_NAP of every image at each layer.

    Args:
        data_by_layer: Layer → the images of the study at it, as ``run_layers`` gives them.

    Returns:
        Layer → the scores of the ID images, (N,), and of each OOD dataset, (M,).
    """
    return {layer: method_scores(data, "nap") for layer, data in data_by_layer.items()}


def product(scores: Sequence[MethodScores]) -> MethodScores:
    """The product of S_NAP over layers, image by image (NAP paper, Appendix D).

    Args:
        scores: The scores at each layer, on the same images.

    Returns:
        The products for the ID images, (N,), and for each OOD dataset, (M,).

    Raises:
        ValueError: There is no layer, or the images differ between layers.
    """
    if not scores:
        raise ValueError("a product needs at least one layer")
    first = scores[0]
    if any(len(one.id) != len(first.id) or one.ood.keys() != first.ood.keys() for one in scores):
        raise ValueError("the layers must have been read on the same images")
    ood_scores = {name: prod((one.ood[name] for one in scores[1:]), start=values) for name, values in first.ood.items()}
    return MethodScores(first.method, None, prod((one.id for one in scores[1:]), start=first.id), ood_scores)


def paper_products(layers: Sequence[str]) -> list[Product]:
    """The products of Table 7 of the NAP paper: of all layers, of all but the first, and so on down to the last two.

    Args:
        layers: The layers, the earliest first.

    Returns:
        The layers of each product, one product fewer than there are layers.
    """
    return [tuple(layers[place:]) for place in range(len(layers) - 1)]


def layer_table(by_layer: Mapping[str, MethodScores], products: Sequence[Product] = ()) -> pd.DataFrame:
    """NAP at each layer, then its products over layers (NAP paper, Table 7).

    Args:
        by_layer: Layer → S_NAP of every image, (N,) a dataset.
        products: The layers of each product.

    Returns:
        The columns ``layers`` (names joined by commas, "penultimate" for ""), ``ood`` (a dataset, or "average" over
        them), ``fpr95`` and ``auroc``, shares.
    """
    parts = []
    for layers in [*((layer,) for layer in by_layer), *products]:
        table = metrics_of(product([by_layer[layer] for layer in layers]))
        average = pd.DataFrame([{"ood": AVERAGE, **table[list(METRIC_TITLES)].mean()}])
        parts.append(pd.concat([table, average]).assign(layers=",".join(map(named, layers))))
    return pd.concat(parts, ignore_index=True)[["layers", "ood", *METRIC_TITLES]]
