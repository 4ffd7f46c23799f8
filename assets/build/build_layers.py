#!/usr/bin/env python3
"""NAP at Table 7's layers and their products on the papers' CIFAR-10 network: the tables of docs/layers.md, to stdout.

    python assets/build/build_layers.py --reference ../shared --cifar10 FOLDER

``--reference`` holds the network and the OOD images, ``--cifar10`` cifar10_test.npz. The first 2,000 images of each go
through the network once: a few minutes on two cores. What is done is kept in the store. The maps that go below zero are
read cut at zero, as the app does, and as the convolution puts them out.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
from documents import pairs, table
from paper_network import ID, arguments, image_sets, network

from nap_core import nap
from nap_core.activations import Activations
from nap_core.analysis import layers
from nap_core.analysis.evaluation import MethodScores
from nap_core.cli.output import pair
from nap_core.extraction import ExtractionPlan, ExtractionStep, extract_layers
from nap_core.models import FeatureHook, LoadedModel, with_layer
from nap_core.paper import published_values
from nap_core.storage.activation_store import Store

IMAGES = 2000


def uncut(model: LoadedModel, layer: str) -> LoadedModel:
    """The model read at ``layer``, whose map is left as it is below zero."""
    site = with_layer(model, layer) if layer else model
    if not isinstance(site.hook, FeatureHook):
        raise TypeError(f"{model.title} has no maps to cut")
    return replace(site, architecture=replace(site.architecture, hook=replace(site.hook, rectified=False)))


def layer_table(by_layer: Mapping[str, Mapping[str, Activations]]) -> pd.DataFrame:
    """The ``layer_table`` of activations by layer and dataset, the paper's products included."""
    scores = {}
    for name, sets in by_layer.items():
        ood_scores = {ood: nap.nap_score(one) for ood, one in sets.items() if ood != ID}
        scores[name] = MethodScores("nap", None, nap.nap_score(sets[ID]), ood_scores)
    return layers.layer_table(scores, layers.paper_products(tuple(scores)))


def markdown(results: pd.DataFrame) -> str:
    """A row a layer or product: FPR95 / AUROC in percent on each dataset and on average, then Table 7's."""
    rows = []
    for name, part in published_values.with_table_7(results, ID).groupby("layers", sort=False):
        printed = part.iloc[-1]
        paper = pair(printed["published_fpr95"], printed["published_auroc"])
        rows.append([str(name).replace(",", " · "), *pairs(part["fpr95"], part["auroc"]), paper])
    names = [name for name in results["ood"].unique() if name != layers.AVERAGE]
    heads = ["NAP at", *names, f"average of the {len(names)}", "Table 7 (six OOD sets)"]
    return "\n".join(table(heads, rows))


def main() -> None:
    """Print both tables."""
    args = arguments(__doc__)
    store, model = Store(), network(args.reference)
    sets, picked = image_sets(args), layers.suggested(model)
    short = layers.short_names(model, picked)
    cut, whole = ({name: {} for name in short.values()} for _ in range(2))
    for title, images in sets.items():
        for layer, one in extract_layers(model, images, picked, limit=IMAGES, store=store).items():
            cut[short[layer]][title] = one
        sites = tuple(uncut(model, layer) for layer in picked)
        plan = ExtractionPlan([ExtractionStep(sites, images, IMAGES)])
        for layer, one in zip(picked, plan.run(store), strict=True):
            whole[short[layer]][title] = one
        print(f"{title} read", file=sys.stderr, flush=True)
    print(markdown(layer_table(cut)), markdown(layer_table(whole)), sep="\n\n")


if __name__ == "__main__":
    main()
