"""How the entries are run: a subject and a watch in, a tidy table out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from nap_core import methods
from nap_core.analysis import evaluation, layers, oracle, overhead, weight_search
from nap_core.analysis.comparison import AVERAGE, pareto_front, with_average
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, combination
from nap_core.metrics import METRIC_TITLES
from nap_core.paper import spec
from nap_core.paper.inputs import ReproductionInput
from nap_core.paper.spec import Entry, Kind, Row
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

COLUMNS = ["row", "method", "w", "ood", "heading", "metric", "measured", "note"]
Measured = tuple[str, str, float | None, str, str, str, float | None, str]
"""A row of ``COLUMNS``."""


def measure(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks = NO_CALLBACKS) -> pd.DataFrame:
    """Run an entry on a study.

    Args:
        entry: The table or figure.
        subject: The network and the images.
        callbacks: Progress and cancellation.

    Returns:
        The columns of ``COLUMNS``, one row a (row, OOD dataset, metric). ``row`` is the paper's name of the row,
        ``method`` ours. ``ood`` is the name of the dataset or "average"; ``heading`` the paper's for it, empty where
        the paper has none, an average over other datasets included. FPR95, AUROC and accuracy are shares. What cannot
        be measured has a NaN and its reason as ``note``; that of a row stands once.

    Raises:
        UserError: None of the rows can be measured, or the entry has no numbers.
        ExtractionStopped: On request: what has been extracted is kept, and a second call goes on from there.
    """
    if entry.kind not in MEASURES:
        raise UserError(f"{entry.label} has no numbers: {entry.title.lower()}.")
    table = MEASURES[entry.kind](entry, subject, callbacks).astype({"w": float, "measured": float})
    if table["measured"].isna().all():
        notes = [note for note in dict.fromkeys(table["note"]) if note]
        raise UserError(" ".join(notes) or f"{entry.label} could not be measured on these images.")
    return table


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


def _averages(
    row: Row, values: Mapping[str, float], w: float | None = None, heading: str = "", printed: str = ""
) -> list[Measured]:
    """One value a metric over all datasets; the metric ``printed`` stands beside the paper's ``heading``."""
    return [
        (row.printed, row.spec, w, AVERAGE, heading if metric == printed else "", metric, float(value), "")
        for metric, value in values.items()
    ]


def _by_dataset(row: Row, table: pd.DataFrame, headings: Mapping[str, str], w: float | None = None) -> list[Measured]:
    """FPR95 and AUROC of every dataset in ``table``."""
    return [
        (row.printed, row.spec, w, ood, headings[ood], metric, value, "")
        for metric in METRIC_TITLES
        for ood, value in zip(table["ood"], table[metric], strict=True)
    ]


def _tidy(rows: Sequence[Measured]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def _each(entry: Entry, callbacks: RunCallbacks, measured: Callable[[Row], list[Measured]]) -> pd.DataFrame:
    """What ``measured`` gives of each row of the entry, then the rows that it refuses, with the reason."""
    rows: list[Measured] = []
    refused: list[Measured] = []
    for row in entry.rows:
        callbacks.raise_if_stopped()
        try:
            rows += measured(row)
        except UserError as error:
            refused.append((row.printed, row.spec, None, AVERAGE, "", "auroc", None, str(error)))
    return _tidy([*rows, *refused])


def _evaluated(row: Row, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """The results table of a row's method at the paper's w."""
    w = paper_w(row, subject.trained_on)
    return evaluation.evaluate(subject.data, [row.spec], {} if w is None else {row.spec: w}, callbacks=callbacks)


def _methods(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """FPR95 and AUROC of every row on every dataset, and their averages."""
    headings = {**subject.headings, AVERAGE: _average_heading(entry, subject)}

    def measured(row: Row) -> list[Measured]:
        table = _evaluated(row, subject, callbacks)
        return _by_dataset(row, with_average(table), headings, table["w"].iloc[0])

    return _each(entry, callbacks, measured)


def _layers(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """FPR95 and AUROC of NAP at every layer, and of the products that the entry has."""
    scores = layers.layer_scores(subject.at_layers(callbacks))
    *earlier, penultimate = scores
    products = layers.paper_products(list(scores)) if any("," in row.spec for row in entry.rows) else []
    table = layers.layer_table(scores, products)
    headings = {**subject.headings, AVERAGE: _average_heading(entry, subject)}
    names = [*earlier, *map(",".join, products), penultimate]  # in the order of Table 7
    shown = table if len(subject.data.ood) > 1 else table[table["ood"] != AVERAGE]
    parts = [(Row(f"NAP({name})", name), shown[shown["layers"] == name]) for name in names]
    return _tidy([line for row, part in parts for line in _by_dataset(row, part, headings)])


def _oracle(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """The results of an MLP trained on maxima and means with OOD labels, and its correlation with NAP."""
    result = oracle.oracle(subject.data, callbacks=callbacks)
    values = {"correlation": result.correlation, "within_id": result.within[0], "within_ood": result.within[1]}
    values |= {"oracle_auroc": result.auroc, "nap_auroc": result.nap_auroc}
    return _tidy(_averages(entry.rows[0], values))


def _cost(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """The share of NAP in the forward pass on this device, and both in milliseconds an image."""
    images, context = subject.data.id.images, subject.data.context
    if images is None:
        raise UserError("The ID images are not there, so no forward pass over them can be timed.")
    count = min(overhead.IMAGES, len(subject.data.id.activations))
    cost = overhead.measure(
        context.network("The cost"), images, images=count, device=context.device, callbacks=callbacks
    )
    seconds = {"forward_ms": cost.forward_seconds, "nap_ms": cost.nap_seconds}
    values = {"share": cost.share, **{metric: 1000 * value / cost.images for metric, value in seconds.items()}}
    heading = spec.AVERAGE if subject.setting(entry) else ""
    return _tidy(_averages(entry.rows[0], values, None, heading, "share"))


def _accuracy(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """ID accuracy by the method's own logits, AUROC averaged, and whether no other method beats it in both."""
    if np.isnan(evaluation.id_accuracy(subject.data)):
        raise UserError("The classes of the ID images are not known, so there is no accuracy to set beside AUROC.")
    heading = _average_heading(entry, subject)

    def measured(row: Row) -> list[Measured]:
        table = _evaluated(row, subject, callbacks)
        means = {metric: float(table[metric].mean()) for metric in ("id_accuracy", "auroc")}
        return _averages(row, means, table["w"].iloc[0], heading, "auroc")

    table = _each(entry, callbacks, measured)
    accuracy, areas = (table.dropna(subset="measured").query("metric == @name") for name in ("id_accuracy", "auroc"))
    front = pareto_front(*(part["measured"].to_numpy(np.float64) for part in (accuracy, areas)))
    return pd.concat([table, accuracy.assign(metric="front", measured=front.astype(float))], ignore_index=True)


def _curves(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """Over w, FPR95 averaged: that of the method alone, the lowest, its w, the share of w at which NAP is better."""

    def measured(row: Row) -> list[Measured]:
        _score(subject.data, row.spec, callbacks)
        curve = evaluation.weight_curve(subject.data, row.spec)
        values, alone = curve.average("fpr95"), float(curve.average("fpr95")[-1])
        inner = values[(curve.w > 0) & (curve.w < 1)]
        figures = {"alone": alone, "lowest": values.min(), "best_w": curve.best("fpr95")}
        figures |= {"better": np.mean(inner < alone), "better_robust": np.mean(curve.robust("fpr95") < alone)}
        return _averages(row, figures)

    return _each(entry, callbacks, measured)


def _weights(entry: Entry, subject: ReproductionInput, callbacks: RunCallbacks) -> pd.DataFrame:
    """The w found without OOD images, the best one, and the FPR95 that the found one and the paper's lose to it."""
    pseudo = weight_search.extracted(subject.data, callbacks)
    heading = spec.AVERAGE if subject.setting(entry) else ""

    def measured(row: Row) -> list[Measured]:
        _score(subject.data, row.spec, callbacks)
        result = weight_search.search(subject.data, pseudo, row.spec)
        values, published_w = result.true.average("fpr95"), paper_w(row, subject.trained_on)
        figures = {"w": result.w, "best_w": result.oracle, "lost": result.lost()}
        if published_w is not None:
            figures["paper_lost"] = float(np.interp(published_w, result.true.w, values) - values.min())
        return _averages(row, figures, result.w, heading, "w")

    return _each(entry, callbacks, measured)


def _score(data: EvaluationData, spec: str, callbacks: RunCallbacks) -> None:
    """Score once with callbacks, so that what takes long (the fit split) shows its progress and can be stopped."""
    evaluation.method_scores(data, spec, w=combination.WEIGHTS[-1], callbacks=callbacks)


MEASURES: dict[Kind, Callable[[Entry, ReproductionInput, RunCallbacks], pd.DataFrame]] = {
    "methods": _methods,
    "layers": _layers,
    "oracle": _oracle,
    "cost": _cost,
    "accuracy": _accuracy,
    "curves": _curves,
    "weights": _weights,
}
