"""``extract``: fill the store, so that everything after it is quick."""

from __future__ import annotations

import argparse

from nap_core.cli import data, network
from nap_core.cli.arguments import DATA, Command, add_model_arguments, add_running_arguments, positive
from nap_core.cli.network import Passes, memory_in_words
from nap_core.cli.progress import Meter

DESCRIPTION = f"""\
Run the network once over each image and keep what methods need in the store. Ctrl-C stops it; the same command then
goes on where it stopped.

{DATA}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``extract``."""
    parser.add_argument("data", nargs="+", metavar="DATA", help="images to run the network over")
    add_model_arguments(parser)
    parser.add_argument("--limit", type=positive, metavar="N", help="first N images of each DATA (default: all)")
    add_running_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Extract what the arguments name into the store, and say how much of it was new."""
    from nap_core.extraction import Stored, choose_device
    from nap_core.storage.activation_store import Store

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


COMMAND = Command(
    "extract",
    "run a network over images and keep the activations",
    DESCRIPTION,
    (
        "extract --model resnet20-cifar10 cifar10 textures mnist",
        "extract --model resnet50 --weights resnet50.pth --device cuda validation/ textures=dtd.npz",
    ),
    add_arguments,
    run,
)
