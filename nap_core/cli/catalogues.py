"""``models``, ``datasets`` and ``methods``: what there is to choose from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nap_core.cli import output
from nap_core.cli.arguments import Command
from nap_core.errors import UserError

if TYPE_CHECKING:
    from nap_core.datasets import DatasetRecord
    from nap_core.methods import MethodRecord
    from nap_core.models import ModelRecord


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a list of objects with everything that is known")


def _print(records: list[dict[str, Any]], as_json: bool, shown: tuple[str, ...], below: str = "") -> int:
    """All of ``records`` as JSON, or their columns ``shown`` as a table with a line ``below`` it."""
    if as_json:
        output.write(output.to_json(records) + "\n", output.STDOUT)
        return 0
    rows = [[_cell(record[name]) for name in shown] for record in records]
    output.write(output.columns([name.replace("_", " ") for name in shown], rows) + below, output.STDOUT)
    return 0


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, bool):
        return "yes" if value else "–"
    return "–" if value in (None, "") else str(value)


def models(args: argparse.Namespace) -> int:
    """The models of the catalogue and the user's own, and the architectures that --weights takes."""
    from nap_core.models import architectures, plugins, timm_networks, torchvision_zoo

    records = [
        {
            "name": record.name,
            "title": record.title,
            "architecture": record.architecture,
            "trained_on": record.trained_on,
            "classes": len(record.classes()),
            "accuracy": record.accuracy,
            "id_dataset": record.id_dataset,
            "fit_dataset": record.fit_dataset,
            "ood_datasets": record.ood_datasets,
            "licence": record.licence,
            "source": record.source,
        }
        for record in _usable_models()
    ]
    below = (
        f"\nTorchvision's, whose weights are downloaded once: {', '.join(torchvision_zoo.names())}\n"
        f"\nArchitectures, with --weights FILE: {', '.join(architectures.names())}; and any of timm's as "
        f"{timm_networks.PREFIX}NAME{'' if timm_networks.is_installed() else f' ({timm_networks.INSTALL})'}\n"
    )
    for fault in plugins.faults():
        print(fault, file=sys.stderr)
    return _print(records, args.json, ("name", "title", "trained_on", "classes", "id_dataset", "fit_dataset"), below)


def _usable_models() -> Iterator[ModelRecord]:
    """The bundled models and the user's own; what cannot be used is told on stderr."""
    from nap_core import models
    from nap_core.models import plugins, user_models

    for name in (*models.RECORDS, *plugins.records(), *user_models.names()):
        try:
            yield models.find(name)
        except UserError as error:
            print(error, file=sys.stderr)


def datasets(args: argparse.Namespace) -> int:
    """The datasets of the catalogue: bundled, to be downloaded, the user's own."""
    from nap_core.datasets import find, names

    records = []
    for name in names():
        try:
            records.append(_dataset(find(name)))
        except UserError as error:  # one of the user's own is damaged: the others are listed
            print(f"Left out: {error}", file=sys.stderr)
    return _print(records, args.json, ("name", "role", "size", "where", "description"))


def _dataset(record: DatasetRecord) -> dict[str, Any]:
    from nap_core.datasets import RECORDS, missing_downloads
    from nap_core.storage import byte_size

    missing = missing_downloads(record.name)
    where = "bundled" if record.name in RECORDS else "here"
    if missing:
        size = sum(one.size or 0 for one in missing)
        by_hand = any(one.by_hand for one in missing)
        where = "to be put there" if by_hand else f"{byte_size.in_words(size)} to download" if size else "to download"
    files = [
        {"url": one.url, "path": str(one.path), "size": one.size, "checksum": one.checksum, "here": one.present}
        for one in record.downloads
    ]
    return vars(record) | {"downloads": files, "where": where}


def benchmarks(args: argparse.Namespace) -> int:
    """The benchmarks of the papers."""
    from nap_core.studies.benchmarks import RECORDS

    records = [vars(record) for record in RECORDS.values()]
    return _print(records, args.json, ("name", "trained_on", "id_dataset", "fit_dataset", "images", "ood_datasets"))


def methods(args: argparse.Namespace) -> int:
    """The methods of the catalogue."""
    from nap_core.methods import RECORDS

    below = (
        "\nA name with settings is written ash-s:percentile=0.9, a combination nap+energy or nap-variance+knn:k=10; "
        "“combines” says which\nmethods can stand behind the plus. --json tells the parameters, their ranges and "
        "sources, the papers and formulas.\n"
    )
    shown = ("name", "title", "year", "needs", "settings", "combines")
    return _print([_method(record) for record in RECORDS.values()], args.json, shown, below)


def _method(record: MethodRecord) -> dict[str, Any]:
    names = ("name", "title", "family", "paper", "venue", "year", "url", "formula", "needs")
    settings = [
        {
            "name": one.name,
            "meaning": one.meaning,
            "default": one.default,
            "by_benchmark": dict(one.by_benchmark),
            "source": one.source,
            "low": one.low,
            "high": one.high,
            "choices": one.choices,
        }
        for one in record.parameters
    ]
    return {name: getattr(record, name) for name in names} | {
        "parameters": settings,
        "settings": [f"{one.name}={one.default}" for one in record.parameters],
        "combines": record.positive is not None,
        "positive": record.positive.note if record.positive else None,
        "published_w": dict(record.published_w),
        "default_w": record.default_w if record.positive else None,
        "prior": record.prior,
        "own_logits": record.own_logits,
        "own_pass": record.own_pass,
    }


COMMANDS = (
    Command(
        "models",
        "list the models that come with this project, and your own",
        "List the models that come with this project, those of the modules that NAP_MODELS names and those added in "
        "the app: what each was trained on, which dataset it knows, which one methods may estimate from; and the "
        "architectures that take a weights file of yours.",
        ("models", "models --json"),
        _add_json,
        models,
    ),
    Command(
        "datasets",
        "list the datasets that come with this project, can be downloaded, or are your own",
        "List the datasets that come with this project, those that are downloaded when a command names them, and your "
        "own. Roles: an id dataset is known to a network, ood datasets are not, fit holds training images from which "
        "methods estimate, a bank holds activations in place of images, samples are single pictures to score.",
        ("datasets", "datasets --json"),
        _add_json,
        datasets,
    ),
    Command(
        "benchmarks",
        "list the benchmarks that papers report on",
        "List the benchmarks that papers report on: name their datasets with --id, --fit and --ood. --json tells their "
        "sources, and where this project differs from them.",
        ("benchmarks", "benchmarks --json"),
        _add_json,
        benchmarks,
    ),
    Command(
        "methods",
        "list the methods and their parameters",
        "List the methods: what each needs beyond one pass over the images, its parameters with their defaults, and "
        "whether NAP can be combined with it.",
        ("methods", "methods --json"),
        _add_json,
        methods,
    ),
)
