"""``layers``: what was found in a network, and what --layer can name."""

from __future__ import annotations

import argparse

from nap_core.cli import network, output
from nap_core.cli.progress import Meter


def run(args: argparse.Namespace) -> int:
    """Print where the map of a network is read, what its head reads, and its layers."""
    network.record_of(args)
    with Meter(args.quiet) as meter:
        model = network.load(args, meter).model
    found = model.structure
    if found is None:
        raise ValueError(f"{model.title} was not looked at when it was loaded")
    layers = [{"name": one.name, "kind": one.kind, "shape": one.shape, "form": one.form} for one in found.layers]
    if args.json:
        told = {
            "model": model.name,
            "found": {
                "map": str(found.hook),
                "head": found.head,
                "head_reads": found.features,
                "head_on_mean": found.head_on_mean,
                "sentence": found.sentence(),
            },
            "read": str(model.hook),
            "features_kept": model.keeps_features,
            "transform": model.transform.describe(),
            "layers": layers,
        }
        output.write(output.to_json(told) + "\n", output.STDOUT)
        return 0
    rows = [[str(one["name"]), str(one["kind"]), " × ".join(map(str, one["shape"]))] for one in layers]
    below = f"\n{found.sentence()}\nRead: {model.hook}. Preprocessing: {model.transform.describe()}.\n"
    output.write(output.columns(["layer", "kind", "channels × height × width"], rows) + below, output.STDOUT)
    return 0
