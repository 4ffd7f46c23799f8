"""The commands of the command line as data: arguments, help texts, and the name of the function that runs each."""

from __future__ import annotations

import argparse
import pkgutil
from typing import Any

from nap_core.cli.arguments import (
    CHECK,
    DATA,
    DISTINCT,
    FIT,
    FIT_LIMIT,
    NETWORK,
    QUIET,
    RUNNING,
    Argument,
    Command,
    W,
    id_images,
    json_file,
    json_printed,
    limit,
    methods,
)

EVALUATE = f"""\
Score ID images (of the classes that the network was trained on) and OOD images under several methods, and measure how
well each separates them: FPR95, the share of OOD images above the score that 95 % of ID images reach, and AUROC.

One forward pass an image is kept in the store; all methods that can are computed from it, and a second call starts
from there. Without --json and --csv a table is printed, in percent.

{DATA}"""

SCORE = f"""\
Score single images and write a JSON line for each: the predicted class, and for every method the score, its rank
among the scores of up to 1,000 ID images (`percentile`, the share that score lower, 0 to 1) and a verdict: "like"
the ID images, "unlike" them (at most one ID image in a hundred scores as low), or at the "edge".

An image that cannot be read is a line with its reason under `error`, and the exit status is then 1. Methods that need
a pass of their own (gradients, several layers) are not available here.

{DATA}"""

EXTRACT = f"""\
Run the network once over each image and keep what methods need in the store. Ctrl-C stops it; the same command then
goes on where it stopped.

{DATA}"""

REPRODUCE = """\
Run a table or figure of the paper "Out-of-Distribution Detection using Neural Activation Prior" (arXiv:2402.18162) on a
network and data of yours, and print published and measured side by side. `reproduce --list` lists what there is.

--data-root is a folder in which datasets are looked for by the names that the field's code gives them, as folders of
images or .npz, case aside, in the folder itself or in its ood_datasets, ood_data or id_data: cifar10_test,
cifar100_test or imagenet/val for the ID images; cifar10_train for the fit split; svhn, LSUN, LSUN_resize, iSUN,
dtd/images, places365, iNaturalist, SUN, Places, cifar100_test for the OOD images. What is not there is taken from the
app's library (NAP_DATASETS) where that has it. OOD datasets that are nowhere are named on stderr, and the rest is
run."""


class _List(argparse.Action):
    """--list: print the tables and figures, and exit."""

    def __call__(self, parser: argparse.ArgumentParser, *_rest: Any) -> None:
        pkgutil.resolve_name("nap_core.cli.list_tables:run")()
        parser.exit()


def _catalogue(name: str, summary: str, description: str) -> Command:
    """A command that lists a catalogue."""
    arguments = {"": (json_printed("a list of objects"),)}
    return Command(name, summary, description, (name, f"{name} --json"), arguments, f"nap_core.cli.list_{name}:run")


COMMANDS: tuple[Command, ...] = (
    Command(
        "models",
        "list the models that come with this project, and your own; check one",
        "List the models that come with this project, those of the modules that NAP_MODELS names and those added in "
        "the app: what each was trained on, its ID dataset and its fit split; and the "
        "architectures that take a weights file of yours.\n\n"
        "--check loads one network and says what it answers with (logits, or the function at its end), whether an "
        "image alone, in a pair and in another order has the same answer, which map is read and how images are fed.",
        (
            "models",
            "models --json",
            "models --check resnet20-cifar10",
            "models --check resnet18 --weights birds.pth --json",
        ),
        {"": (json_printed("a list of objects, with --check one object,"),), "the check": CHECK},
        "nap_core.cli.list_models:run",
    ),
    _catalogue(
        "datasets",
        "list the datasets that come with this project, can be downloaded, or are your own",
        "List the datasets that come with this project, those that are downloaded when a command names them, and your "
        "own. Roles: an id dataset has the classes that a network was trained on, ood datasets do not, fit holds "
        "training images from which methods estimate, precomputed holds activations in place of images, samples are "
        "single pictures to score.",
    ),
    _catalogue(
        "benchmarks",
        "list the benchmarks that papers report on",
        "List the benchmarks that papers report on: name their datasets with --id, --fit and --ood. --json gives their "
        "sources, and where this project differs from them.",
    ),
    _catalogue(
        "methods",
        "list the methods and their parameters",
        "List the methods: what each needs beyond one pass over the images, its parameters with their defaults, and "
        "whether NAP can be combined with it.",
    ),
    Command(
        "layers",
        "list the layers that NAP can be read at",
        "Run a network once over made-up images, say which feature map enters its global pooling and what its head "
        "reads, and list the modules that put out a feature map, in the order in which they run: --layer of the other "
        "commands takes their names.",
        ("layers --model resnet20-cifar10", "layers --model timm:convnext_tiny --weights birds.safetensors --json"),
        {"the network": NETWORK, "": (json_printed("an object"), QUIET)},
        "nap_core.cli.layers:run",
    ),
    Command(
        "evaluate",
        "measure how well methods separate OOD images from ID images",
        EVALUATE,
        (
            "evaluate --model resnet20-cifar10 --ood textures --ood mnist --limit 200",
            "evaluate --model resnet20-cifar10 --ood textures --methods msp,knn:k=10,nap+knn:k=10 --w 0.4 "
            "--csv out.csv",
            "evaluate --model densenet_bc_100_12 --weights model.pth.tar --trained-on CIFAR-10 --id test/ --fit train/ "
            "--ood svhn=svhn.npz --json -",
        ),
        {
            "the network": NETWORK,
            "the data": (
                id_images("which the network was not trained on"),
                Argument(
                    "--ood", metavar="DATA", action="append", required=True, help="OOD images; can be given repeatedly"
                ),
                FIT,
                limit("--id and --ood each"),
                FIT_LIMIT,
                DISTINCT,
            ),
            "the methods": (
                methods(
                    "every method that can run on what is given, alone and combined with NAP, the others named on "
                    "stderr"
                ),
                W,
                Argument(
                    "--search-w",
                    action="store_true",
                    help="search each combination's w on ID images that are distorted in 15 ways, without the OOD "
                    "images (section 4.3 of the NAP paper): a pass over up to 7,500 images, kept in the store",
                ),
                Argument(
                    "--search-parameters",
                    action="store_true",
                    help="search each method's parameters on the same distorted images, and evaluate it at the values "
                    "found, which stderr names; `methods --json` has the values that are compared",
                ),
            ),
            "the results": (
                json_file("a list of objects"),
                Argument("--csv", metavar="FILE", help="write the same as CSV (- for stdout)"),
            ),
            "running": RUNNING,
        },
        "nap_core.cli.evaluate:run",
    ),
    Command(
        "score",
        "give predicted class, scores and a verdict of single images",
        SCORE,
        (
            "score assets/photos/*.jpg --model efficientnet-lite0-imagenet",
            "score assets/photos/cat.jpg --model resnet20-cifar10 --methods nap,knn,nap+knn",
            "score photo.jpg --model resnet50 --weights resnet50.pth --id validation/",
        ),
        {
            "": (
                Argument(
                    "images",
                    nargs="+",
                    metavar="IMAGE",
                    help="an image: PNG, JPEG, WebP, GIF, BMP, TIFF, PPM, JPEG 2000, AVIF",
                ),
            ),
            "the network": NETWORK,
            "the reference": (id_images("among which these are placed"), FIT, FIT_LIMIT, DISTINCT),
            "the methods": (methods("every one that can place a single image"), W),
            "running": RUNNING,
        },
        "nap_core.cli.score:run",
    ),
    Command(
        "extract",
        "run a network over images and keep the activations",
        EXTRACT,
        (
            "extract --model resnet20-cifar10 cifar10 textures mnist",
            "extract --model resnet50 --weights resnet50.pth --device cuda validation/ textures=dtd.npz",
        ),
        {
            "": (
                Argument("data", nargs="+", metavar="DATA", help="images to run the network over"),
                limit("each DATA"),
            ),
            "the network": NETWORK,
            "running": RUNNING,
        },
        "nap_core.cli.extract:run",
    ),
    Command(
        "reproduce",
        "run a table or figure of the NAP paper and set it beside what the paper prints",
        REPRODUCE,
        (
            "reproduce --list",
            "reproduce table-9 --model densenet_bc_100_12 --weights model.pth.tar --trained-on CIFAR-10 "
            "--data-root datasets/ --json table9.json",
            "reproduce 3 --model torchvision:mobilenet_v2:IMAGENET1K_V1 --data-root datasets/ --limit 1000",
        ),
        {
            "": (
                Argument("table", metavar="TABLE", help="table-9 or 9, figure-6 …; --list names them all"),
                Argument("--list", action=_List, nargs=0, help="list the tables and figures, and exit"),
            ),
            "the network": NETWORK,
            "the data": (
                Argument(
                    "--data-root", metavar="DIR", help="where the datasets lie (default: the app's library alone)"
                ),
                limit("each dataset"),
                FIT_LIMIT,
                DISTINCT,
            ),
            "the results": (json_file("one object"),),
            "running": RUNNING,
        },
        "nap_core.cli.reproduce:run",
    ),
)
