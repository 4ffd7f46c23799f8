"""``evaluate``: how well methods tell OOD images from ID images, as a table."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from nap_core.cli import choice, data, network, output
from nap_core.cli.arguments import (
    DATA,
    Command,
    add_method_arguments,
    add_model_arguments,
    add_running_arguments,
    positive,
)
from nap_core.cli.data import Data
from nap_core.cli.network import Network, Passes, memory_in_words
from nap_core.cli.progress import Meter
from nap_core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from nap_core.analysis.evaluation import EvaluationData
    from nap_core.datasets import ImageDataset
    from nap_core.methods import PseudoOODSet

DESCRIPTION = f"""\
Score ID images (which the network knows) and OOD images (which it does not) under several methods, and say how well
each tells them apart: FPR95, the share of OOD images above the score that 95 % of ID images reach, and AUROC.

One forward pass an image is kept in the store; all methods that can are computed from it, and a second call starts
from there. Without --json and --csv a table is printed, in percent.

{DATA}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``evaluate``."""
    add_model_arguments(parser)
    group = parser.add_argument_group("the data")
    group.add_argument(
        "--id",
        metavar="DATA",
        help="images that the network knows but was not trained on (default: the catalogue's; needed with --weights)",
    )
    group.add_argument(
        "--ood", metavar="DATA", action="append", required=True, help="images it does not know; can be given repeatedly"
    )
    group.add_argument(
        "--fit",
        metavar="DATA",
        help="training images from which methods may estimate (default: the catalogue's; none with --weights)",
    )
    group.add_argument(
        "--limit", type=positive, metavar="N", help="first N images of --id and --ood each (default: all)"
    )
    group.add_argument("--fit-limit", type=positive, metavar="N", help="first N images of --fit (default: all)")
    group = parser.add_argument_group("the methods")
    add_method_arguments(
        group, "every method that can run on what is given, alone and combined with NAP, the others named on stderr"
    )
    group.add_argument(
        "--search-w",
        action="store_true",
        help="search each combination's w on ID images that are distorted in 15 ways, without the OOD images "
        "(section 4.3 of the NAP paper): a pass over up to 7,500 images, kept in the store",
    )
    group = parser.add_argument_group("the results")
    group.add_argument("--json", metavar="FILE", help="write a list of objects, shares between 0 and 1 (- for stdout)")
    group.add_argument("--csv", metavar="FILE", help="write the same as CSV (- for stdout)")
    add_running_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate what the arguments say. Raises UserError for what cannot be done, as early as it can be told."""
    if args.json == args.csv == output.STDOUT:
        raise UserError("--json and --csv cannot both go to stdout: name a file for one of them.")
    if args.search_w and args.w is not None:
        raise UserError("--w gives the combinations' w, and --search-w looks for it. Leave one of them out.")
    for target in (args.json, args.csv):
        output.check_writable(target)
    known, met, fit = _asked(args)
    choices = choice.read(args.methods)
    record = network.record_of(args)
    choices = choice.keep(
        choices, choice.without_fit(fit is not None, args.trained_on or (record.trained_on if record else ""))
    )
    choices = choice.keep(choices, choice.without_images([one.label for one in (known, *met) if one.is_bank]))
    if args.search_w and known.is_bank:
        raise UserError("--search-w distorts ID images, and a bank holds none: name images with --id DATA.")
    if fit and fit.is_bank:
        raise UserError(f"{fit.source} holds activations of test images: methods may not estimate from it.")

    with Meter(args.quiet) as meter, memory_in_words():
        from nap_core.analysis import evaluation
        from nap_core.extraction import choose_device
        from nap_core.storage.progress import RunCallbacks

        choose_device(args.device)
        passes = Passes(network.load(args, meter), args, meter)
        cases, choices = _cases(passes, known, met, fit, choices)
        by_spec = {one.spec: one for one in choices}
        table = evaluation.evaluate_cases(
            cases,
            [one.spec for one in choices],
            choice.weights(choices, args),
            callbacks=RunCallbacks(progress=meter),
            failed=lambda spec, error: choice.refuse(by_spec[spec], str(error)),
        )
    _write(table, cases, passes.network, args)
    return 0


def _asked(args: argparse.Namespace) -> tuple[Data, list[Data], Data | None]:
    """ID, OOD and fit DATA; what the catalogue's model leaves to its record is filled in."""
    record = network.record_of(args)
    known, fit = args.id, args.fit
    if record:
        known, fit = known or record.id_dataset, fit or record.fit_dataset
    if known is None:
        raise UserError("Images that the network knows are missing: name them with --id DATA.")
    met = [data.read(text) for text in args.ood]
    labels = [one.label for one in met]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice:
        raise UserError(f"Two OOD datasets are called “{twice}”. Give one of them another name: --ood name=DATA.")
    return data.read(known), met, data.read(fit) if fit else None


def _cases(
    passes: Passes, known: Data, met: list[Data], fit: Data | None, choices: list[choice.Choice]
) -> tuple[EvaluationData, list[choice.Choice]]:
    """The activations of everything, and the methods that remain once the data are known."""
    from nap_core.analysis.evaluation import EvaluationData
    from nap_core.methods import ScoringContext
    from nap_core.storage.activation_store import Store

    args, model = passes.args, passes.network.model
    # Everything is opened before the first pass: a damaged archive must not be met after minutes.
    fit_opened = passes.open(fit) if fit and any(one.method.fits for one in choices) else None
    fit_images = fit_opened.labelled_images if fit_opened else None
    choices = choice.keep(choices, choice.unfit(model, fit_images, args.fit_limit))
    id_opened, ood_opened = passes.open(known), {one.label: passes.open(one) for one in met}
    if fit_opened and fit_opened.fingerprint == id_opened.fingerprint:
        raise UserError("--fit and --id are the same images; methods must not estimate from what they are tested on.")
    id_part = id_opened.part(args.limit)
    ood_parts = {label: opened.part(args.limit) for label, opened in ood_opened.items()}
    fit_activations = fit_opened.activations(args.fit_limit) if fit_opened else None
    passes.meter.clear()
    trained_on, store = passes.network.trained_on, Store(args.store)
    context = ScoringContext(model, trained_on, fit_images, fit_activations, args.fit_limit, store, args.device)
    if args.search_w and id_opened.images is not None:
        context.find_search_set = partial(_search_set, passes, id_opened.images)
    return EvaluationData(known.label, id_part, ood_parts, context), choices


def _search_set(passes: Passes, known: ImageDataset) -> PseudoOODSet:
    """ID images and distorted ones, as the app searches w on them."""
    from nap_core.corruptions import weight_search_images
    from nap_core.storage.activation_store import Store
    from nap_core.storage.progress import RunCallbacks

    args, most = passes.args, weight_search_images.IMAGES
    images = min(most, args.limit or most, len(known))
    store, callbacks = Store(args.store), RunCallbacks(progress=passes.meter)
    return weight_search_images.extracted(passes.network.model, known, images, store, args.device, callbacks)


def _write(table: pd.DataFrame, data: EvaluationData, used: Network, args: argparse.Namespace) -> None:
    if args.json:
        output.write(output.to_json(output.records(table)) + "\n", args.json)
    if args.csv:
        output.write(table.to_csv(index=False, lineterminator="\n"), args.csv)
    if not (args.json or args.csv):
        output.write(_printed(table, data, used), output.STDOUT)


def _printed(table: pd.DataFrame, data: EvaluationData, used: Network) -> str:
    """The table for people: a row a method, a column an OOD dataset."""
    from nap_core import methods
    from nap_core.analysis import comparison

    counts = ", ".join(f"{name} ({len(part.activations):,})" for name, part in data.ood.items())
    title = f"{used.model.title} · ID: {data.id_name} ({len(data.id.activations):,} images) · OOD: {counts}\n"
    if table.empty:
        return f"{title}No method could run.\n"
    fpr, auroc = comparison.scoreboard(table, "fpr95"), comparison.scoreboard(table, "auroc")
    first = {row["method"]: row for row in reversed(output.records(table))}
    rows = []
    for spec, left, right in zip(fpr.methods, fpr.values, auroc.values, strict=True):
        w, accuracy = first[spec]["w"], first[spec]["id_accuracy"]
        name = methods.title(spec) + ("" if w is None else f" (w = {w:g})")
        figures = [f"{100 * rate:.1f} / {100 * area:.1f}" for rate, area in zip(left, right, strict=True)]
        rows.append([name, *figures, "–" if accuracy is None else f"{100 * accuracy:.1f}"])
    head = ["FPR95 ↓ / AUROC ↑ (%)", *fpr.columns, "ID accuracy (%)"]
    return title + output.columns(head, rows)


COMMAND = Command(
    "evaluate",
    "measure how well methods tell unknown images from known ones",
    DESCRIPTION,
    (
        "evaluate --model resnet20-cifar10 --ood textures --ood mnist --limit 200",
        "evaluate --model resnet20-cifar10 --ood textures --methods msp,knn:k=10,nap+knn:k=10 --w 0.4 --csv out.csv",
        "evaluate --model densenet_bc_100_12 --weights model.pth.tar --id test/ --fit train/ --ood svhn=svhn.npz "
        "--json -",
    ),
    add_arguments,
    run,
)
