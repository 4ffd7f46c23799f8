"""Arguments that several commands share, as data, and how their values are read."""

from __future__ import annotations

import argparse
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WHITE = 255
BENCHMARKS = ("CIFAR-10", "CIFAR-100", "ImageNet-1k")

DATA = """\
DATA is a name of the catalogue (python -m nap_core datasets), which is downloaded where it is not here, a dataset of
the Hugging Face Hub as hf:owner/name or hf:owner/name:split, or a path: a folder of images with or without class
folders, an .npz or .npy, CIFAR's batches, SVHN's .mat, IDX, Tiny ImageNet, a list or table of images, WebDataset or
Parquet (docs/formats.md). A catalogue name wins over a folder of that name. label=DATA gives it another name in the
results.

Behind a path, with colons: the split or severity (pets:val, fog.npy:3), how classes that are numbers count
(birds:from-0, from-1, in-order), and which values of more than 8 bits are black and white (scans:0..4095)."""


class Argument:
    """An argument of a command: its names, and the settings of ``argparse.ArgumentParser.add_argument``."""

    def __init__(self, *names: str, **settings: Any) -> None:
        self.names, self.settings = names, settings


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Args:
        name: its name.
        summary: its line in the list of commands.
        description: what it does, in paragraphs.
        examples: calls of it, without the program.
        arguments: its arguments by the title of their group in the help, "" for those of no group.
        run: "module:function" of the code, a function from the parsed arguments to the exit status.
    """

    name: str
    summary: str
    description: str
    examples: tuple[str, ...]
    arguments: Mapping[str, Sequence[Argument]]
    run: str


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    """Add a subcommand to the parser's."""
    examples = "\n".join(f"  python -m nap_core {example}" for example in command.examples)
    paragraphs = (textwrap.fill(" ".join(part.split()), 100) for part in command.description.split("\n\n"))
    parser = commands.add_parser(
        command.name,
        help=command.summary,
        description="\n\n".join(paragraphs),
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for title, arguments in command.arguments.items():
        group = parser.add_argument_group(title) if title else parser
        for one in arguments:
            group.add_argument(*one.names, **one.settings)
    parser.set_defaults(run=command.run)


def positive(text: str) -> int:
    """A whole number from 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not “{text}”")
    return value


def share(text: str) -> float:
    """A number between 0 and 1."""
    value = _number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, not “{text}”")
    return value


def triple(low: float) -> Callable[[str], tuple[float, float, float]]:
    """The reader of three numbers from ``low`` to 1, separated by commas.

    Numbers up to 255 are read as well: ``Transform.checked`` answers them with what they are for pixels from 0 to 1.
    """

    def read(text: str) -> tuple[float, float, float]:
        values = [_number(part) for part in text.split(",")]
        if len(values) != 3 or not all(low <= value <= WHITE for value in values):
            raise argparse.ArgumentTypeError(
                f"must be three numbers between {low:g} and 1, as 0.49,0.48,0.45 (pixels run from 0 to 1), not “{text}”"
            )
        return values[0], values[1], values[2]

    return read


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


NETWORK = (
    Argument(
        "--model",
        required=True,
        metavar="NAME",
        help="a model of the catalogue (python -m nap_core models); with --weights an architecture: resnet20, "
        "densenet_bc_100_12, efficientnet_lite0 …, or torchvision's resnet50, densenet121, mobilenet_v2 …, timm's as "
        "timm:convnext_tiny …",
    ),
    Argument(
        "--weights",
        metavar="FILE",
        help="a checkpoint or .safetensors of that architecture; the number of classes is read from it",
    ),
    Argument(
        "--weights-entry",
        metavar="ENTRY",
        default="",
        help="the entry of the weights file to take, as state_dict or model/ema (default: the first that fits, an "
        "average of the weights before the weights themselves; stderr says which)",
    ),
    Argument(
        "--trained-on",
        "--knows",
        dest="trained_on",
        choices=(*BENCHMARKS, "none"),
        help="the ID dataset that the network was trained on; it picks the parameters that the papers publish "
        "(default: the catalogue's; with --weights it is unknown until it is said here). --knows is the former name",
    ),
    Argument(
        "--classes",
        metavar="FILE",
        help="with --weights: a text file with the class names in the order of the logits, one a line (default: those "
        "of the benchmark that --trained-on names, else class 0, class 1 …)",
    ),
    Argument(
        "--layer",
        metavar="MODULE",
        help="the module whose output is the penultimate feature map, as layer3; `layers` lists them (default: the "
        "network's own, the feature map that enters its global pooling)",
    ),
    Argument(
        "--view",
        metavar="R/C[/I]",
        help="short side, crop and interpolation of the preprocessing, as 256/224/bicubic (default: the network's)",
    ),
    Argument(
        "--mean",
        type=triple(0),
        metavar="R,G,B",
        help="the mean that is subtracted from pixels 0 … 1 (default: the network's)",
    ),
    Argument(
        "--std",
        type=triple(1e-6),
        metavar="R,G,B",
        help="the standard deviation that they are then divided by (default: the network's)",
    ),
)
QUIET = Argument("--quiet", action="store_true", help="no progress on stderr")
CHECK = (
    Argument(
        "--check",
        dest="model",
        metavar="NAME",
        help="examine this model of the catalogue, or with --weights this architecture, and print what was seen",
    ),
    *NETWORK[1:],
    QUIET,
)
RUNNING = (
    Argument("--device", metavar="D", help="cpu, cuda, cuda:1, mps (default: the best there is)"),
    Argument("--batch-size", type=positive, metavar="N", help="images of a batch (default: 64 on a CPU, 256 on a GPU)"),
    Argument(
        "--store",
        metavar="DIR",
        help="where activations are kept (default: $NAP_STORE, else a folder in the user's cache)",
    ),
    QUIET,
)
FIT = Argument(
    "--fit",
    metavar="DATA",
    help="training images from which methods may estimate (default: the catalogue's; none with --weights)",
)
FIT_LIMIT = Argument("--fit-limit", type=positive, metavar="N", help="first N images of the fit split (default: all)")
DISTINCT = Argument(
    "--distinct",
    action="store_true",
    help="leave out ID and OOD images that stand in the fit split as well, and OOD images that are among the ID images "
    "(default: keep them, and name them on stderr)",
)
W = Argument(
    "--w", type=share, metavar="W", help="weight of the other method in combinations, 0 to 1 (default: the paper's)"
)


def id_images(role: str) -> Argument:
    """--id; ``role`` is the place of the ID images in the command."""
    return Argument("--id", metavar="DATA", help=f"ID images, {role} (default: the catalogue's; needed with --weights)")


def limit(of: str) -> Argument:
    """--limit on the images ``of`` something."""
    return Argument("--limit", type=positive, metavar="N", help=f"first N images of {of} (default: all)")


def methods(everything: str) -> Argument:
    """--methods; ``everything`` is the meaning of "all"."""
    return Argument(
        "--methods",
        metavar="M,M,…",
        help="methods by name, parameters behind a colon (ash-s:percentile=0.9), combinations as nap+energy, or all: "
        f"{everything} (default: nap,msp,energy,nap+msp,nap+energy)",
    )


def json_file(content: str) -> Argument:
    """--json FILE, which writes ``content``."""
    return Argument("--json", metavar="FILE", help=f"write {content}, shares between 0 and 1 (- for stdout)")


def json_printed(content: str) -> Argument:
    """--json, which prints ``content`` in place of a table."""
    return Argument("--json", action="store_true", help=f"{content} with every field")
