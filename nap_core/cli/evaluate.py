"""``evaluate``: how well methods separate OOD images from ID images, as a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from nap_core import methods
from nap_core.activations import Activations
from nap_core.analysis import comparison, distorted_images, evaluation, parameter_search, weight_search
from nap_core.cli import choice, data, network, output
from nap_core.cli.choice import Choice
from nap_core.cli.data import Data
from nap_core.cli.hints import HINTS
from nap_core.cli.network import Network, Passes
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, Weight
from nap_core.storage.progress import RunCallbacks

BELOW = " [below chance]"


def run(args: argparse.Namespace) -> int:
    """Evaluate what the arguments name. Raises UserError for what cannot be done, as early as possible."""
    if args.json == args.csv == output.STDOUT:
        raise UserError("--json and --csv cannot both go to stdout: name a file for one of them.")
    if args.search_w and args.w is not None:
        raise UserError("--w gives the combinations' w, and --search-w looks for it. Leave one of them out.")
    for target in (args.json, args.csv):
        output.check_writable(target)
    choices, id_data, fit = network.asked(args, lambda _method: None)
    ood = [data.read(text) for text in args.ood]
    _check_labels(id_data, ood)
    choices = choice.keep(choices, choice.without_images([one.label for one in (id_data, *ood) if one.is_precomputed]))
    for asked, option in ((args.search_w, "--search-w"), (args.search_parameters, "--search-parameters")):
        if asked and id_data.is_precomputed:
            raise UserError(f"{option} distorts ID images, and a bank holds none: name images with --id DATA.")

    with network.opened(args) as passes:
        # Everything is opened before the first pass: a damaged archive must not end a run after minutes.
        fit_images, choices = passes.fit_split(fit, choices)
        sources = {one.label: passes.open(one, args.limit) for one in (id_data, *ood)}
        _check_fit(fit_images, sources[id_data.label], fit is not None and fit.is_same(id_data))
        evaluated = passes.data(id_data.label, sources, fit_images, args.limit)
        passes.say_labels(id_data.label, sources[id_data.label], fit_images)
        callbacks = RunCallbacks(progress=passes.meter)
        if args.search_parameters and any(parameter_search.searchable(one.method) for one in choices):
            choices = _searched(choices, evaluated, passes, args.w)
        by_spec = {one.spec: one for one in choices}
        weights: Mapping[str, float | Weight] = choice.weights(choices, args)
        if args.search_w:
            pseudo = distorted_images.extracted(evaluated, callbacks)
            found = weight_search.search_all(evaluated, pseudo, list(by_spec))
            weights = {spec: Weight(w, "searched") for spec, w in found.items()}
        table = evaluation.evaluate(
            evaluated,
            list(by_spec),
            weights,
            callbacks=callbacks,
            failed=lambda spec, error: choice.refuse(by_spec[spec], error),
        )
    if args.json:
        output.write(output.to_json(output.records(table)) + "\n", args.json)
    if args.csv:
        output.write(table.to_csv(index=False, lineterminator="\n"), args.csv)
    if not (args.json or args.csv):
        output.write(_printed(table, evaluated, passes.network), output.STDOUT)
    return 0


def _searched(choices: Sequence[Choice], data: EvaluationData, passes: Passes, w: float | None) -> list[Choice]:
    """The methods at the parameters that a search finds; stderr says which, and which methods keep theirs."""
    callbacks = RunCallbacks(progress=passes.meter)
    pseudo = distorted_images.extracted(data, callbacks)
    passes.meter.clear()
    found = []
    for one in choices:
        if parameter_search.searchable(one.method):
            try:
                result = parameter_search.search(
                    data, pseudo, one.spec, w=w if one.method.prior else None, callbacks=callbacks
                )
                print(f"Searched {result.found}: {result.sentence()}", file=sys.stderr)
                one = replace(one, spec=result.found, method=methods.parse(result.found))
            except UserError as error:
                print(f"Not searched: {one.spec}. {error.worded(HINTS)}", file=sys.stderr)
        found.append(one)
    return list({one.spec: one for one in found}.values())


def _check_labels(id_data: Data, ood: Sequence[Data]) -> None:
    """Raise UserError where two datasets have one name."""
    labels = [id_data.label, *(one.label for one in ood)]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice:
        which = "The ID dataset and an OOD dataset" if twice == id_data.label else "Two OOD datasets"
        raise UserError(f"{which} are called “{twice}”. Give one of them another name: --ood name=DATA.")


def _check_fit(fit: ImageDataset | None, id_images: ImageDataset | Activations, same_name: bool) -> None:
    """Raise UserError where the fit split is the ID images."""
    if fit is None or isinstance(id_images, Activations):
        return
    if same_name or fit.fingerprint == id_images.fingerprint:
        raise UserError("--fit and --id are the same images; methods must not estimate from what they are tested on.")


def _printed(table: pd.DataFrame, data: EvaluationData, used: Network) -> str:
    """The table for people: a row a method, a column an OOD dataset."""
    counts = ", ".join(f"{name} ({len(part.activations):,})" for name, part in data.ood.items())
    title = f"{used.model.title} · ID: {data.id_name} ({len(data.id.activations):,} images) · OOD: {counts}\n"
    if table.empty:
        return f"{title}No method could run.\n"
    first = {row["method"]: row for row in reversed(output.records(table))}
    columns, cells = scoreboard(table)
    rows = []
    for spec, row in cells.items():
        accuracy = first[spec]["id_accuracy"]
        row[0] += BELOW if first[spec]["below_chance"] else ""
        rows.append([*row, "–" if accuracy is None else f"{100 * accuracy:.1f}"])
    head = ["FPR95 ↓ / AUROC ↑ (%)", *columns, "ID accuracy (%)"]
    return title + output.columns(head, rows) + "".join(f"{line}\n" for line in _origins(first, data))


def scoreboard(table: pd.DataFrame) -> tuple[list[str], dict[str, list[str]]]:
    """The OOD datasets and "average", and by method its title with w and a cell for each: FPR95 / AUROC in percent."""
    fpr, auroc = comparison.scoreboard(table, "fpr95"), comparison.scoreboard(table, "auroc")
    w = table.groupby("method")["w"].first()
    rows = {}
    for spec, left, right in zip(fpr.methods, fpr.values, auroc.values, strict=True):
        name = methods.title(spec) + ("" if pd.isna(w[spec]) else f" (w = {w[spec]:g})")
        rows[spec] = [name, *(output.pair(*both) for both in zip(left, right, strict=True))]
    return list(fpr.columns), rows


def _origins(first: Mapping[str, Mapping[str, Any]], data: EvaluationData) -> list[str]:
    """Where the w of each combination and the defaults of other networks come from, and which methods lie below chance;
    ``first`` has a row of the table by method."""
    lines = []
    for spec, row in first.items():
        given = Weight(row["w"], row["w_origin"]) if row["w_origin"] in ("given", "searched") else None
        weight = methods.weight(methods.parse(spec), data.context, given)
        if weight:
            lines.append(f"{methods.title(spec)}: {weight.sentence()}")
        if row["below_chance"]:
            lines.append(row["below_chance"])
        elif row["parameters_origin"]:
            lines.append(f"{methods.title(spec)}: {row['parameters_origin']}.")
    return lines
