"""``extract``: fill the store, so that everything after it is quick."""

from __future__ import annotations

import argparse

from nap_core.cli import data, network
from nap_core.cli.network import Passes, memory_in_words
from nap_core.cli.progress import Meter
from nap_core.extraction import Stored, choose_device
from nap_core.storage.activation_store import Store


def run(args: argparse.Namespace) -> int:
    """Extract what the arguments name into the store, and print how much of it was new."""
    network.record_of(args)
    asked = [data.read(text) for text in args.data]
    choose_device(args.device)
    store = Store(args.store)
    with Meter(args.quiet) as meter, memory_in_words():
        passes = Passes(network.load(args, meter), args, meter)
        model = passes.network.model
        for one in asked:
            data.fetch(one, meter)
            images = data.load(one, meter.reading(one.label))
            before = Stored(store, model, images).rows
            rows = len(passes.extract(images, args.limit))
            meter.clear()
            new = max(0, rows - before)
            print(f"{one.label}: {rows:,} images of {model.title} are in the store, {new:,} of them new", flush=True)
    return 0
