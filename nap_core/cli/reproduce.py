"""``reproduce``: a table or figure of the NAP paper, run on data in a folder and set beside what the paper prints."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nap_core import datasets, methods, paper
from nap_core.cli import network, output
from nap_core.cli.data import Data
from nap_core.cli.network import Passes
from nap_core.datasets import published
from nap_core.errors import UserError
from nap_core.methods import EvaluationData
from nap_core.paper import Entry, layout, tables
from nap_core.paper.running import Reproduced, ReproductionInput
from nap_core.paper.running import run as run_entry
from nap_core.paper.spec import BY_DATASET, CIFAR_HEADINGS, HEADINGS, IMAGENET_HEADINGS
from nap_core.storage.progress import RunCallbacks


def run(args: argparse.Namespace) -> int:
    """Run what the arguments name. Raises UserError for what cannot be done, as early as possible."""
    output.check_writable(args.json)
    entry = paper.find(args.table)
    if not entry.measured:
        pages = " and ".join(link.label for link in entry.links)
        raise UserError(f"{entry.label} has no numbers to reproduce. The app shows it on your study: {pages}.")
    root = Path(args.data_root).expanduser() if args.data_root else None
    if root is not None and not root.is_dir():
        raise UserError(f"There is no folder “{args.data_root}”. Name the one your datasets lie in with --data-root.")
    with network.opened(args) as passes:
        subject = ReproductionInput(_data(passes, entry, root))
        done = run_entry(entry, subject, RunCallbacks(progress=passes.meter))
    if args.json:
        output.write(output.to_json(_object(done)) + "\n", args.json)
    else:
        output.write(_printed(done), output.STDOUT)
    return 0


def _data(passes: Passes, entry: Entry, root: Path | None) -> EvaluationData:
    args, model, trained_on = passes.args, passes.network.model, passes.network.trained_on
    if trained_on not in layout.CATALOGUE:
        raise UserError(
            f"The paper's networks are trained on {', '.join(layout.CATALOGUE)}. Name yours with --trained-on."
        )
    setting = entry.setting_for(trained_on, model.architecture.name, model.reads_attention)
    usual = IMAGENET_HEADINGS if trained_on == "ImageNet-1k" else CIFAR_HEADINGS
    headings = setting.headings if setting else usual

    names = {heading: name for name, heading in HEADINGS.items()}
    there = {heading: _find(root, heading, names[heading], layout.ood) for heading in headings}
    ood, absent = [one for one in there.values() if one], [heading for heading, one in there.items() if not one]
    id_data = _find(root, trained_on, layout.CATALOGUE[trained_on], layout.id_images)
    if id_data is None:
        raise UserError(_nowhere([trained_on], root, layout.names(trained_on)))
    if not ood:
        raise UserError(_nowhere(absent, root, [layout.names(heading)[0] for heading in absent]))
    for heading in absent:
        print(f"Left out: {_nowhere([heading], root, layout.names(heading))}", file=sys.stderr)
    fit = None
    if entry.kind not in ("layers", "oracle", "cost") and any(methods.parse(row.spec).fits for row in entry.rows):
        fit = _find(root, trained_on, layout.TRAINING.get(trained_on, ""), layout.trained)
        if fit is None:
            print(
                f"Without training images, as {layout.names(trained_on, fit=True)[0]}: "
                "methods that estimate are left out.",
                file=sys.stderr,
            )

    # Everything is opened before the first pass: a damaged file must not end a run after minutes.
    sources = {one.label: passes.open(one, args.limit) for one in (id_data, *ood)}
    fit_images = passes.images(fit, args.fit_limit) if fit else None
    passes.say_labels(trained_on, sources[id_data.label], fit_images)
    return passes.data(trained_on, sources, fit_images, args.limit)


def _find(root: Path | None, label: str, name: str, place: Callable[[Path, str], Path | None]) -> Data | None:
    """The dataset at its ``place`` in the folder, else in the library; nothing is downloaded."""
    path = place(root, label) if root else None
    if path is not None:
        return Data(label, str(path), path)
    return Data(label, name, None) if name and datasets.prepared(name) else None


def _nowhere(headings: Sequence[str], root: Path | None, names: Sequence[str]) -> str:
    """Which data are missing, and where to put them."""
    what = ", ".join(headings)
    where = f"in {root}" if root else f"in the app's library ({published.folder()})"
    put = f"Put it there as a folder of images or an .npz, named {' or '.join(names[:3])}"
    if len(headings) > 1:
        put = f"Put at least one of them there as a folder of images or an .npz, named {', '.join(names)}"
    return f"There are no images of {what} {where}. {put}{'' if root else ', and name its folder with --data-root'}."


def _object(done: Reproduced) -> dict[str, Any]:
    entry, beside = done.entry, done.beside
    return {
        "table": entry.name,
        **{name: getattr(entry, name) for name in ("title", "section", "claim")},
        "network": done.network,
        "accuracy_warning": done.accuracy_warning,
        "published_on": beside
        and {"network": beside.network.title, "id": beside.trained_on, "ood": list(beside.headings)},
        "finding": done.finding
        and {"held": done.finding.held, "of": done.finding.of, "sentence": done.finding.sentence},
        "remarks": list(done.remarks),
        "notes": list(done.slips),
        "rows": output.records(done.table),
    }


def _printed(done: Reproduced) -> str:
    """For people: a block a metric, or one of all, each figure with the paper's behind it."""
    entry = done.entry
    lines = [f"{entry.label}: {entry.title} · {done.network}", f"{entry.asks} The paper: {entry.claim}", ""]
    if entry.kind in BY_DATASET:
        for metric in ("fpr95", "auroc"):
            lines.append(_block(tables.by_dataset(done, metric), f"{tables.METRICS[metric]} (%): here (paper)", done))
    else:
        lines.append(_block(tables.by_metric(done), "here (paper)", done))
    lines += [done.finding.sentence] if done.finding else []
    lines += [*done.remarks, *done.slips]
    lines += [f"Left out {row}: {reason}" for row, reason in done.unable.items()]
    return "\n".join(lines) + "\n"


def _block(table: pd.DataFrame, head: str, done: Reproduced) -> str:
    w = tables.weights(done) if done.entry.kind in ("methods", "accuracy") else {}
    groups, places = tables.datasets_of(table), tables.digits(done)
    figures = table.map(lambda value: "" if pd.isna(value) else f"{value:.{places}f}").to_dict("index")
    rows = []
    for row, of in figures.items():
        name = str(row)
        cells = [name + (f" (w = {w[name]:g})" if name in w else "")]
        for group in groups:
            here, paper = (of.get((group, which), "") for which in (tables.HERE, tables.PAPER))
            cells.append(f"{here} ({paper})" if here and paper else here or f"({paper})" if paper or here else "–")
        rows.append(cells)
    return output.columns([head, *groups], rows)
