"""``extract``: fill the store, so that everything after it is quick."""

from __future__ import annotations

import argparse

from nap_core.cli import data, network
from nap_core.extraction import Stored
from nap_core.storage.activation_store import Store


def run(args: argparse.Namespace) -> int:
    """Extract what the arguments name into the store, and print how much of it was new."""
    network.record_of(args)
    asked = [data.read(text) for text in args.data]
    with network.opened(args) as passes:
        model = passes.network.model
        passes.say_findings()
        for one in asked:
            images = passes.images(one, args.limit)
            before = Stored(Store(args.store), model, images).rows
            rows = len(passes.extract(images, args.limit))
            passes.meter.clear()
            new = max(0, rows - before)
            print(f"{one.label}: {rows:,} images of {model.title} are in the store, {new:,} of them new", flush=True)
    return 0
