"""``evaluate``: how well methods separate OOD images from ID images, as a table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nap_core import methods
from nap_core.analysis import comparison, evaluation, weight_search
from nap_core.cli import choice, data, network, output
from nap_core.cli.data import Data
from nap_core.cli.network import Network, Passes, memory_in_words
from nap_core.cli.progress import Meter
from nap_core.errors import UserError
from nap_core.extraction import choose_device
from nap_core.methods import EvaluationData, ScoringContext, Weight
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import RunCallbacks


def run(args: argparse.Namespace) -> int:
    """Evaluate what the arguments name. Raises UserError for what cannot be done, as early as possible."""
    if args.json == args.csv == output.STDOUT:
        raise UserError("--json and --csv cannot both go to stdout: name a file for one of them.")
    if args.search_w and args.w is not None:
        raise UserError("--w gives the combinations' w, and --search-w looks for it. Leave one of them out.")
    for target in (args.json, args.csv):
        output.check_writable(target)
    id_data, ood, fit = _datasets(args)
    choices = choice.read(args.methods)
    record = network.record_of(args)
    choices = choice.keep(
        choices, choice.without_fit(fit is not None, args.trained_on or (record.trained_on if record else ""))
    )
    choices = choice.keep(choices, choice.without_images([one.label for one in (id_data, *ood) if one.is_bank]))
    if args.search_w and id_data.is_bank:
        raise UserError("--search-w distorts ID images, and a bank holds none: name images with --id DATA.")
    if fit and fit.is_bank:
        raise UserError(f"{fit.source} holds activations of test images: methods may not estimate from it.")

    with Meter(args.quiet) as meter, memory_in_words():
        choose_device(args.device)
        passes = Passes(network.load(args, meter), args, meter)
        evaluated, choices = _data(passes, id_data, ood, fit, choices)
        by_spec = {one.spec: one for one in choices}
        callbacks = RunCallbacks(progress=meter)
        weights: Mapping[str, float | Weight] = choice.weights(choices, args)
        if args.search_w:
            weights = _searched(evaluated, list(by_spec), callbacks)
        table = evaluation.evaluate(
            evaluated,
            list(by_spec),
            weights,
            callbacks=callbacks,
            failed=lambda spec, error: choice.refuse(by_spec[spec], str(error)),
        )
    _write(table, evaluated, passes.network, args)
    return 0


def _datasets(args: argparse.Namespace) -> tuple[Data, list[Data], Data | None]:
    """ID, OOD and fit DATA; what the catalogue's model leaves to its record is filled in."""
    record = network.record_of(args)
    id_name, fit = args.id, args.fit
    if record:
        id_name, fit = id_name or record.id_dataset, fit or record.fit_dataset
    if id_name is None:
        raise UserError("ID images are missing: name them with --id DATA.")
    id_data, ood = data.read(id_name), [data.read(text) for text in args.ood]
    labels = [id_data.label, *(one.label for one in ood)]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice:
        which = "The ID dataset and an OOD dataset" if twice == id_data.label else "Two OOD datasets"
        raise UserError(f"{which} are called “{twice}”. Give one of them another name: --ood name=DATA.")
    return id_data, ood, data.read(fit) if fit else None


def _data(
    passes: Passes, id_data: Data, ood: list[Data], fit: Data | None, choices: list[choice.Choice]
) -> tuple[EvaluationData, list[choice.Choice]]:
    """The activations of everything, and the methods that can run on these data."""
    args, model = passes.args, passes.network.model
    # Everything is opened before the first pass: a damaged archive must not end a run after minutes.
    fit_opened = passes.open(fit) if fit and any(one.method.fits for one in choices) else None
    fit_images = fit_opened.labelled_images if fit_opened else None
    choices = choice.keep(choices, choice.unfit(model, fit_images, args.fit_limit))
    id_opened, ood_opened = passes.open(id_data), {one.label: passes.open(one) for one in ood}
    if fit_opened and fit_opened.fingerprint == id_opened.fingerprint:
        raise UserError("--fit and --id are the same images; methods must not estimate from what they are tested on.")
    fit_activations = fit_opened.activations(args.fit_limit) if fit_opened else None
    passes.meter.clear()
    trained_on, store = passes.network.trained_on, Store(args.store)
    context = ScoringContext(model, trained_on, fit_images, fit_activations, args.fit_limit, store, args.device)
    return passes.data(id_data.label, {id_data.label: id_opened, **ood_opened}, context), choices


def _searched(data: EvaluationData, specs: Sequence[str], callbacks: RunCallbacks) -> dict[str, Weight]:
    """The w of each combination that can be searched, on the distorted ID images."""
    pseudo = weight_search.extracted(data, callbacks)
    return {spec: Weight(w, "searched") for spec, w in weight_search.search_all(data, pseudo, specs).items()}


def _write(table: pd.DataFrame, data: EvaluationData, used: Network, args: argparse.Namespace) -> None:
    if args.json:
        output.write(output.to_json(output.records(table)) + "\n", args.json)
    if args.csv:
        output.write(table.to_csv(index=False, lineterminator="\n"), args.csv)
    if not (args.json or args.csv):
        output.write(_printed(table, data, used), output.STDOUT)


def _printed(table: pd.DataFrame, data: EvaluationData, used: Network) -> str:
    """The table for people: a row a method, a column an OOD dataset."""
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
    return title + output.columns(head, rows) + "".join(f"{line}\n" for line in _origins(first, data))


def _origins(first: Mapping[str, Mapping[str, Any]], data: EvaluationData) -> list[str]:
    """Where the w of each combination comes from; ``first`` has a row of the table by method."""
    lines = []
    for spec, row in first.items():
        given = Weight(row["w"], row["w_origin"]) if row["w_origin"] in ("given", "searched") else None
        weight = methods.weight(methods.parse(spec), data.context, given)
        if weight:
            lines.append(f"{methods.title(spec)}: {weight.sentence()}")
    return lines
