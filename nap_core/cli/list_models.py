"""``models``: the models of the catalogue and the user's own, the architectures that --weights takes, and the check."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from nap_core import models
from nap_core.cli import network, output
from nap_core.cli.progress import Meter
from nap_core.errors import UserError
from nap_core.models import ModelRecord, architectures, findings, plugins, timm_networks, torchvision_zoo, user_models

FIELDS = (
    *("name", "title", "architecture", "trained_on", "classes", "accuracy", "id_dataset", "fit_dataset"),
    *("ood_datasets", "licence", "source"),
)
SHOWN = ("name", "title", "trained_on", "classes", "id_dataset", "fit_dataset")


def run(args: argparse.Namespace) -> int:
    """The models of the catalogue and the user's own, and the architectures that --weights takes; or the check of one.

    Raises UserError for options of the check without --check.
    """
    if args.model:
        return _check(args)
    if any((args.weights, args.trained_on, args.layer, args.view, args.mean, args.std)):
        raise UserError("These options belong to the check of one network: name it with --check NAME.")
    records = [
        {name: len(record.classes()) if name == "classes" else getattr(record, name) for name in FIELDS}
        for record in _usable_models()
    ]
    below = (
        f"\nTorchvision's, whose weights are downloaded once: {', '.join(torchvision_zoo.names())}\n"
        f"\nArchitectures, with --weights FILE: {', '.join(architectures.names())}; and any of timm's as "
        f"{timm_networks.PREFIX}NAME{'' if timm_networks.is_installed() else f' ({timm_networks.INSTALL})'}\n"
    )
    for fault in plugins.faults():
        print(fault, file=sys.stderr)
    return output.catalogue(records, args.json, SHOWN, below)


def _check(args: argparse.Namespace) -> int:
    with Meter(args.quiet) as meter:
        model = network.load(args, meter).model
    if args.json:
        output.write(output.to_json(findings.model_check(model)) + "\n", output.STDOUT)
        return 0
    lines = [
        f"{model.title}: {len(model.classes):,} classes.",
        model.structure.sentence() if model.structure else "",
        f"Read: {model.hook}. Preprocessing: {model.transform.describe()}.",
        *(
            f"{finding.level.upper()} ({finding.code}): {finding.sentence}"
            for finding in findings.ordered(model.findings)
        ),
    ]
    if not model.findings:
        lines.append("Passed: nothing out of the ordinary was seen.")
    output.write("".join(f"{line}\n" for line in lines if line), output.STDOUT)
    return 0


def _usable_models() -> Iterator[ModelRecord]:
    """The bundled models and the user's own; what cannot be used is named on stderr."""
    for name in (*models.RECORDS, *plugins.records(), *user_models.names()):
        try:
            yield models.find(name)
        except UserError as error:
            print(error, file=sys.stderr)
