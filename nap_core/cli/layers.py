"""``layers``: the feature map and head of a network, and the modules that --layer can name."""

from __future__ import annotations

import argparse

from nap_core.cli import network, output
from nap_core.cli.progress import Meter


def run(args: argparse.Namespace) -> int:
    """Print where the map of a network is read, what its head reads, and its layers."""
    network.record_of(args)
    with Meter(args.quiet) as meter:
        model = network.load(args, meter).model
    structure = model.structure
    if structure is None:
        raise ValueError(f"{model.title} was not looked at when it was loaded")
    layers = [{"name": one.name, "kind": one.kind, "shape": one.shape, "form": one.form} for one in structure.layers]
    if args.json:
        content = {
            "model": model.name,
            "found": {
                "map": str(structure.hook),
                "head": structure.head,
                "head_reads": structure.features,
                "head_on_mean": structure.head_on_mean,
                "sentence": structure.sentence(),
            },
            "read": str(model.hook),
            "features_kept": model.keeps_features,
            "transform": model.transform.describe(),
            "layers": layers,
        }
        output.write(output.to_json(content) + "\n", output.STDOUT)
        return 0
    rows = [[str(one["name"]), str(one["kind"]), " × ".join(map(str, one["shape"]))] for one in layers]
    below = f"\n{structure.sentence()}\nRead: {model.hook}. Preprocessing: {model.transform.describe()}.\n"
    output.write(output.columns(["layer", "kind", "channels × height × width"], rows) + below, output.STDOUT)
    return 0
