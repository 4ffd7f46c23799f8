"""Arguments that several commands share, and how they are read."""

from __future__ import annotations

import argparse
import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

KNOWS = ("CIFAR-10", "CIFAR-100", "ImageNet-1k")

DATA = """\
DATA is a name of the catalogue (python -m nap_core datasets), which is downloaded where it is not here, a dataset of
the Hugging Face Hub as hf:owner/name or hf:owner/name:split, a folder of images with or without class folders, or an
.npz with `images` (N, H, W[, 3]) uint8 and perhaps `labels`. A catalogue name wins over a folder of that name.
label=DATA gives it another name in the results."""


@dataclass(frozen=True)
class Command:
    """A subcommand; ``run`` is "module:function" of the code, a function from the arguments to the exit status."""

    name: str
    summary: str
    description: str
    examples: tuple[str, ...]
    add_arguments: Callable[[argparse.ArgumentParser], None]
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
    command.add_arguments(parser)
    parser.set_defaults(run=command.run)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """--model, --weights and what goes with them."""
    group = parser.add_argument_group("the network")
    group.add_argument(
        "--model",
        required=True,
        metavar="NAME",
        help="a model of the catalogue (python -m nap_core models); with --weights an architecture: resnet20, "
        "densenet_bc_100_12, efficientnet_lite0 …, or torchvision's resnet50, densenet121, mobilenet_v2 …, timm's as "
        "timm:convnext_tiny …",
    )
    group.add_argument(
        "--weights",
        metavar="FILE",
        help="a checkpoint or .safetensors of that architecture; the number of classes is read from it",
    )
    group.add_argument(
        "--trained-on",
        "--knows",
        dest="trained_on",
        choices=(*KNOWS, "none"),
        help="what the network was trained on, which picks the parameters that the papers publish for it (default: "
        "the catalogue's; with --weights CIFAR-10 or CIFAR-100 for a CIFAR architecture of 10 or 100 classes, "
        "ImageNet-1k for 1,000 classes, else none)",
    )
    group.add_argument(
        "--layer",
        metavar="MODULE",
        help="the module whose output is the penultimate map, as layer3; `layers` lists them (default: the network's "
        "own, the map that enters its global pooling)",
    )
    group.add_argument(
        "--view",
        metavar="R/C[/I]",
        help="short side, crop and interpolation of the preprocessing, as 256/224/bicubic (default: the network's)",
    )
    group.add_argument(
        "--mean", type=triple(0, 1), metavar="R,G,B", help="the mean taken off pixels 0 … 1 (default: the network's)"
    )
    group.add_argument(
        "--std", type=triple(1e-6, 1), metavar="R,G,B", help="what they are then divided by (default: the network's)"
    )


def add_running_arguments(parser: argparse.ArgumentParser) -> None:
    """Where a pass runs, and its progress."""
    group = parser.add_argument_group("running")
    group.add_argument("--device", metavar="D", help="cpu, cuda, cuda:1, mps (default: the best there is)")
    group.add_argument(
        "--batch-size", type=positive, metavar="N", help="images at a time (default: 64 on a CPU, 256 on a GPU)"
    )
    group.add_argument(
        "--store",
        metavar="DIR",
        help="where activations are kept (default: $NAP_STORE, else a folder in the user's cache)",
    )
    group.add_argument("--quiet", action="store_true", help="no progress on stderr")


def add_method_arguments(parser: argparse._ArgumentGroup, everything: str) -> None:
    """--methods and --w; ``everything`` is the meaning of "all"."""
    parser.add_argument(
        "--methods",
        metavar="M,M,…",
        help="methods by name, parameters behind a colon (ash-s:percentile=0.9), combinations as nap+energy, or all: "
        f"{everything} (default: nap,msp,energy,nap+msp,nap+energy)",
    )
    parser.add_argument(
        "--w", type=share, metavar="W", help="weight of the other method in combinations, 0 to 1 (default: the paper's)"
    )


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


def triple(low: float, high: float) -> Callable[[str], tuple[float, float, float]]:
    """What reads three numbers within ``low`` and ``high``, a comma between them."""

    def read(text: str) -> tuple[float, float, float]:
        values = [_number(part) for part in text.split(",")]
        if len(values) != 3 or not all(low <= value <= high for value in values):
            raise argparse.ArgumentTypeError(
                f"must be three numbers between {low:g} and {high:g}, as 0.49,0.48,0.45 (pixels run from 0 to 1), "
                f"not “{text}”"
            )
        return values[0], values[1], values[2]

    return read


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
