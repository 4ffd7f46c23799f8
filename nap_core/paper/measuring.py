"""How the entries are run: a subject and a watch in, a tidy table out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from nap_core import methods
from nap_core.analysis import evaluation, layers, oracle, overhead, weight_search
from nap_core.analysis.comparison import AVERAGE, pareto_front
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, combination
from nap_core.paper import spec
from nap_core.paper.inputs import ReproductionInput
from nap_core.paper.spec import Entry, Kind, Row
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

COLUMNS = ["row", "method", "w", "ood", "heading", "metric", "measured", "note"]


def measure(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks = NO_CALLBACKS) -> pd.DataFrame:
    """Run ``entry`` on ``subject``: the columns of ``COLUMNS``, one row a (row, OOD dataset, metric).

    ``row`` is the paper's name of the row, ``method`` ours. ``ood`` is the name of the dataset or "average";
    ``heading`` the paper's for it, empty where the paper has none, an average over other datasets included. FPR95,
    AUROC and accuracy are shares. What cannot be measured has a NaN and a ``note`` that says why; that of a row
    stands once.

    Raises UserError when none of the rows can be measured, and for an entry without numbers; ExtractionStopped when
    ``callbacks`` request it: what has been extracted is kept, and a second call goes on from there.
    """
    if entry.kind not in MEASURES:
        raise UserError(f"{entry.label} has no numbers: {entry.title.lower()}.")
    found = MEASURES[entry.kind](entry, subject, callbacks)
    if found["measured"].isna().all():
        notes = [note for note in dict.fromkeys(found["note"]) if note]
        raise UserError(" ".join(notes) or f"{entry.label} could not be measured on these images.")
    return found


def paper_w(row: Row, trained_on: str) -> float | None:
    """The paper's weight of a combination: the entry's own, else Table 11's for the network's training data."""
    method = methods.parse(row.spec)
    if method.prior is None or row.w is not None:
        return row.w
    return method.record.published_w.get(trained_on, method.record.default_w)


def _average_heading(entry: Entry, subject: ReproductionInput) -> str:
    """The heading of our average: the paper's where it is one over the same datasets."""
    setting = subject.setting(entry)
    return spec.AVERAGE if setting and subject.complete(setting) else ""


def _evaluated(
    entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The results table of the entry's methods, ``row`` added, and why some rows are missing."""
    parts, unable = [], {}
    for row in entry.rows:
        callbacks.raise_if_stopped()
        w = paper_w(row, subject.trained_on)
        try:
            table = evaluation.evaluate(
                subject.data, [row.spec], {} if w is None else {row.spec: w}, callbacks=callbacks
            )
        except UserError as error:
            unable[row.printed] = str(error)
            continue
        parts.append(table.assign(row=row.printed))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["row"]), unable


def _missing(entry: Entry, unable: Mapping[str, str]) -> list[dict[str, object]]:
    rows = {row.printed: row for row in entry.rows}
    return [
        {"row": name, "method": rows[name].spec, "ood": AVERAGE, "heading": "", "metric": "auroc", "note": reason}
        for name, reason in unable.items()
    ]


def _methods(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """FPR95 and AUROC of every row on every dataset, and their averages."""
    table, unable = _evaluated(entry, subject, callbacks)
    found: list[dict[str, object]] = []
    order = _average_heading(entry, subject)
    for printed, part in table.groupby("row", sort=False):
        shared = {"row": printed, "method": part["method"].iloc[0], "w": part["w"].iloc[0], "note": ""}
        for metric in ("fpr95", "auroc"):
            found += [
                {**shared, "ood": ood, "heading": subject.headings[ood], "metric": metric, "measured": value}
                for ood, value in zip(part["ood"], part[metric], strict=True)
            ]
            if len(part) > 1:
                mean = float(part[metric].mean())
                found.append({**shared, "ood": AVERAGE, "heading": order, "metric": metric, "measured": mean})
    return _tidy([*found, *_missing(entry, unable)])


def _layers(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """FPR95 and AUROC of NAP at every layer, and of the products that the entry has."""
    scores = layers.layer_scores(subject.at_layers(callbacks))
    names = list(scores)
    single = [(name,) for name in names]
    products = layers.paper_products(names) if any("," in row.spec for row in entry.rows) else []
    table = layers.layer_table(scores, products)
    heading = _average_heading(entry, subject)
    labels = [",".join(one) for one in (*single[:-1], *products, single[-1])]  # in the order of Table 7
    found: list[dict[str, object]] = []
    for name in labels:
        part = table[table["layers"] == name]
        for metric in ("fpr95", "auroc"):
            for ood, value in zip(part["ood"], part[metric], strict=True):
                under = heading if ood == layers.AVERAGE else subject.headings[ood]
                if ood == layers.AVERAGE and len(part) == 2:
                    continue  # of a single dataset
                shared = {"row": f"NAP({name})", "method": name, "note": ""}
                found.append({**shared, "ood": ood, "heading": under, "metric": metric, "measured": value})
    return _tidy(found)


def _oracle(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """The results of an MLP trained on maxima and means with OOD labels, and its correlation with NAP."""
    found = oracle.oracle(subject.data, callbacks=callbacks)
    figures = {
        "correlation": found.correlation,
        "within_id": found.within[0],
        "within_ood": found.within[1],
        "oracle_auroc": found.auroc,
        "nap_auroc": found.nap_auroc,
    }
    shared = {"row": entry.rows[0].printed, "method": "oracle", "ood": AVERAGE, "heading": "", "note": ""}
    return _tidy([{**shared, "metric": metric, "measured": value} for metric, value in figures.items()])


def _cost(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """The share of NAP in the forward pass on this device, and both in milliseconds an image."""
    images, context = subject.data.id.images, subject.data.context
    if images is None:
        raise UserError("The ID images are not there, so no forward pass over them can be timed.")
    count = min(overhead.IMAGES, len(subject.data.id.activations))
    found = overhead.measure(
        context.network("The cost"), images, images=count, device=context.device, callbacks=callbacks
    )
    figures = {
        "share": found.share,
        "forward_ms": 1000 * found.forward_seconds / found.images,
        "nap_ms": 1000 * found.nap_seconds / found.images,
    }
    heading = spec.AVERAGE if subject.setting(entry) else ""
    shared = {"row": entry.rows[0].printed, "method": "nap", "ood": AVERAGE, "note": ""}
    return _tidy(
        [
            {**shared, "heading": heading if metric == "share" else "", "metric": metric, "measured": value}
            for metric, value in figures.items()
        ]
    )


def _accuracy(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """ID accuracy by the method's own logits, AUROC averaged, and whether no other method beats it in both."""
    table, unable = _evaluated(entry, subject, callbacks)
    found: list[dict[str, object]] = []
    if len(table):
        both = table.groupby("row", sort=False).agg(
            method=("method", "first"),
            w=("w", "first"),
            id_accuracy=("id_accuracy", "first"),
            auroc=("auroc", "mean"),
        )
        if both["id_accuracy"].isna().any():
            raise UserError("The classes of the ID images are not known, so there is no accuracy to set beside AUROC.")
        both["front"] = pareto_front(both["id_accuracy"].to_numpy(), both["auroc"].to_numpy()).astype(float)
        heading = _average_heading(entry, subject)
        for printed, values in both.iterrows():
            shared = {"row": printed, "method": values["method"], "w": values["w"], "ood": AVERAGE, "note": ""}
            found += [
                {
                    **shared,
                    "heading": heading if metric == "auroc" else "",
                    "metric": metric,
                    "measured": values[metric],
                }
                for metric in ("id_accuracy", "auroc", "front")
            ]
    return _tidy([*found, *_missing(entry, unable)])


def _curves(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """Over w, FPR95 averaged: that of the method alone, the lowest, its w, the share of w at which NAP is better."""
    found: list[dict[str, object]] = []
    unable = {}
    for row in entry.rows:
        try:
            _score(subject.data, row.spec, callbacks)
            curve = evaluation.weight_curve(subject.data, row.spec)
        except UserError as error:
            unable[row.printed] = str(error)
            continue
        values, w = curve.average("fpr95"), curve.w
        inner = (w > 0) & (w < 1)
        robust = (w >= combination.ROBUST[0]) & (w <= combination.ROBUST[1])
        figures = {
            "alone": values[-1],
            "lowest": values.min(),
            "best_w": curve.best("fpr95"),
            "better": np.mean(values[inner] < values[-1]),
            "better_robust": np.mean(values[robust] < values[-1]),
        }
        shared = {"row": row.printed, "method": row.spec, "ood": AVERAGE, "heading": "", "note": ""}
        found += [{**shared, "metric": metric, "measured": float(value)} for metric, value in figures.items()]
    return _tidy([*found, *_missing(entry, unable)])


def _weights(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """The w found without OOD images, the best one, and the FPR95 that the found one and the paper's lose to it."""
    pseudo = weight_search.extracted(subject.data, callbacks)
    found: list[dict[str, object]] = []
    unable = {}
    for row in entry.rows:
        try:
            _score(subject.data, row.spec, callbacks)
            result = weight_search.search(subject.data, pseudo, row.spec)
        except UserError as error:
            unable[row.printed] = str(error)
            continue
        values = result.true.average("fpr95")
        published_w = paper_w(row, subject.trained_on)
        figures = {"w": result.w, "best_w": result.oracle, "lost": result.lost()}
        if published_w is not None:
            figures["paper_lost"] = float(np.interp(published_w, result.true.w, values) - values.min())
        heading = spec.AVERAGE if subject.setting(entry) else ""
        shared = {"row": row.printed, "method": row.spec, "w": result.w, "ood": AVERAGE, "note": ""}
        found += [
            {**shared, "heading": heading if metric == "w" else "", "metric": metric, "measured": value}
            for metric, value in figures.items()
        ]
    return _tidy([*found, *_missing(entry, unable)])


def _score(data: EvaluationData, spec: str, callbacks: RunCallbacks) -> None:
    """Score once with callbacks, so that what takes long (the fit split) shows its progress and can be stopped."""
    callbacks.raise_if_stopped()
    evaluation.method_scores(data, spec, w=combination.WEIGHTS[-1], callbacks=callbacks)


def _tidy(rows: list[dict[str, object]]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=COLUMNS)
    return found.astype({"w": float, "measured": float})


MEASURES: dict[Kind, Callable[[Entry, ReproductionInput, RunCallbacks], pd.DataFrame]] = {
    "methods": _methods,
    "layers": _layers,
    "oracle": _oracle,
    "cost": _cost,
    "accuracy": _accuracy,
    "curves": _curves,
    "weights": _weights,
}
