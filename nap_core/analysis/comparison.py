"""What several methods make of the same images: their places in a results table, and where two verdicts part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nap_core import methods, metrics
from nap_core.metrics import Metric

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores

AVERAGE = "average"  # no dataset has this name; see test_comparison.py
BEST, SECOND = 1, 2
IMAGE_COLUMNS = ["dataset", "row", "is_id", "score_a", "score_b", "rank_a", "rank_b", "accepted_a", "accepted_b"]


@dataclass(frozen=True)
class Scoreboard:
    """One metric of M methods on D columns: every OOD dataset and, of several, their average.

    Attributes:
        metric: "fpr95" or "auroc".
        methods: The methods, by name, one a row.
        columns: The OOD datasets in study order and, of two or more, ``AVERAGE`` as the last: the mean of the datasets,
            each counted once however many images it has.
        values: The metric, (M, D), shares.
        places: The place in the column, (M, D), from 1, by the value as it is printed (percent, one decimal): what
            prints alike shares a place, and the next value has the next place.
    """

    metric: Metric
    methods: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    places: NDArray[np.int64]

    @property
    def datasets(self) -> tuple[str, ...]:
        """The columns that are datasets."""
        return tuple(name for name in self.columns if name != AVERAGE)

    def leaders(self, column: str, place: int = BEST) -> tuple[str, ...]:
        """The methods that share a place in a column.

        Args:
            column: Catalogue name of an OOD dataset, or ``AVERAGE``.
            place: The place, from 1.

        Returns:
            The names of the methods; empty when the place is not taken.
        """
        leads = self.places[:, self.columns.index(column)] == place
        return tuple(name for name, there in zip(self.methods, leads, strict=True) if there)

    def sorted_by(self, column: str) -> Scoreboard:
        """The same table with the best of a column first.

        Args:
            column: Catalogue name of an OOD dataset, or ``AVERAGE``.

        Returns:
            The table with its rows in that order; equals keep theirs.
        """
        values = self.values[:, self.columns.index(column)]
        order = np.argsort(values if self.metric == "fpr95" else -values, kind="stable")
        names = tuple(self.methods[row] for row in order)
        return Scoreboard(self.metric, names, self.columns, self.values[order], self.places[order])

    def value(self, method: str, column: str) -> float:
        """The metric of a method in a column.

        Args:
            method: The method, by name.
            column: Catalogue name of an OOD dataset, or ``AVERAGE``.

        Returns:
            The metric, a share.
        """
        return float(self.values[self.methods.index(method), self.columns.index(column)])


def with_average(table: pd.DataFrame) -> pd.DataFrame:
    """``table``, a row an OOD dataset, and where there are several a last row ``AVERAGE`` with the mean of each metric.

    Args:
        table: The columns "ood", "fpr95" and "auroc" at least, metrics as shares.

    Returns:
        The same columns; those of the last row are empty but for the three.
    """
    if len(table) < 2:
        return table
    average = pd.DataFrame([{"ood": AVERAGE, **table[list(metrics.METRIC_TITLES)].mean()}])
    return pd.concat([table, average], ignore_index=True)


def scoreboard(results: pd.DataFrame, metric: Metric) -> Scoreboard:
    """The table of one metric.

    Args:
        results: The rows of ``evaluation.evaluate``.
        metric: "fpr95" or "auroc".

    Returns:
        The table, methods and datasets in the order of ``results``.
    """
    wide = results.pivot(index="method", columns="ood", values=metric)
    wide = wide.loc[results["method"].unique(), results["ood"].unique()]
    if wide.shape[1] > 1:
        wide[AVERAGE] = wide.mean(axis=1)
    values = wide.to_numpy(dtype=np.float64)
    printed = pd.DataFrame([[float(f"{100 * value:.1f}") for value in row] for row in values])
    places = printed.rank(method="dense", ascending=metric == "fpr95").to_numpy(dtype=np.int64)
    return Scoreboard(metric, tuple(wide.index), tuple(wide.columns), values, places)


def matching(specs: Sequence[str], *, family: str = "", with_nap: bool | None = None, words: str = "") -> list[str]:
    """The methods that pass every filter.

    Args:
        specs: The methods, by name.
        family: The family of the method, of a combination that of its other method; "" for any.
        with_nap: Whether NAP is in the method; None for either.
        words: Words that must all occur in the title, name, formula or year, in any case; "" for none.

    Returns:
        The names of these methods, in the order of ``specs``.

    Raises:
        UserError: A method is unknown.
    """
    matches = []
    for spec in specs:
        method = methods.parse(spec)
        text = f"{spec} {method.title} {method.record.formula} {method.record.year}".casefold()
        has_nap = any(record.name == "nap" for record in method.records)
        if (
            (not family or method.record.family == family)
            and (with_nap is None or with_nap == has_nap)
            and all(word in text for word in words.casefold().split())
        ):
            matches.append(spec)
    return matches


def rank_correlation(rows: Sequence[MethodScores]) -> pd.DataFrame:
    """Spearman's rank correlation of the scores of every two methods over all images of the study.

    Args:
        rows: The scores of M methods on the same images.

    Returns:
        The matrix, (M, M), by method name: 1 where two methods put all images in the same order, −1 where in opposite
        orders, NaN where one gives all images the same score.
    """
    every = pd.DataFrame({row.method: np.concatenate([row.id, *row.ood.values()]) for row in rows})
    return every.rank().corr()


def pareto_front(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points no other point beats: none is as good in both and better in one.

    Args:
        x: The first quantity, (N,), higher is better.
        y: The second quantity, (N,), higher is better.

    Returns:
        Whether each point is on the front, (N,).
    """
    as_good = (x[None] >= x[:, None]) & (y[None] >= y[:, None])
    better = (x[None] > x[:, None]) | (y[None] > y[:, None])
    front: NDArray[np.bool_] = np.logical_not((as_good & better).any(axis=1))
    return front


def fpr_at_tprs(
    id_scores: NDArray[np.float64], ood_scores: NDArray[np.float64], tprs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``metrics.fpr_at_tpr`` at several TPRs.

    Args:
        id_scores: Scores of the ID images, (N,).
        ood_scores: Scores of the OOD images, (M,).
        tprs: TPRs, (T,), each above 0 and at most 1.

    Returns:
        The FPR at each, (T,), shares.
    """
    id_sorted, ood_sorted = np.sort(id_scores), np.sort(ood_scores)
    needed = np.ceil(tprs * len(id_sorted) - 1e-9).astype(int)
    return 1 - np.searchsorted(ood_sorted, id_sorted[len(id_sorted) - needed], side="left") / len(ood_sorted)


def compare_images(a: MethodScores, b: MethodScores, id_dataset: str, tpr: float = metrics.TPR) -> pd.DataFrame:
    """Two methods' scores and verdicts on every image of a study.

    ``row`` is the image's index in its dataset. ``rank_a`` and ``rank_b`` are the share of all images of the study, ID
    and OOD, that the method scores at or below this one (ties at the middle of their places), so that two methods on
    different scales can be set side by side; the last image has 1. ``accepted_a`` and ``accepted_b`` are the verdicts
    "ID" at each method's own threshold.

    Args:
        a: The scores of the first method.
        b: The scores of the second method, on the same images.
        id_dataset: Catalogue name of the ID dataset.
        tpr: The share of ID images that each threshold accepts, above 0 and at most 1.

    Returns:
        One row an image, the ID images first: the columns of ``IMAGE_COLUMNS``.

    Raises:
        ValueError: ``tpr`` lies outside (0, 1], or an ID score is not finite.
    """
    columns: dict[str, Sequence[object] | NDArray[np.generic]] = {}
    parts = {id_dataset: a.id, **a.ood}
    columns["dataset"] = [name for name, part in parts.items() for _ in range(len(part))]
    columns["row"] = np.concatenate([np.arange(len(part)) for part in parts.values()])
    columns["is_id"] = np.arange(sum(map(len, parts.values()))) < len(a.id)
    for letter, scores in (("a", a), ("b", b)):
        every = np.concatenate([scores.id, *(scores.ood[name] for name in a.ood)])
        columns[f"score_{letter}"] = every
        columns[f"rank_{letter}"] = pd.Series(every).rank(pct=True).to_numpy()
        columns[f"accepted_{letter}"] = every >= scores.threshold(tpr)
    return pd.DataFrame(columns)[IMAGE_COLUMNS]


@dataclass(frozen=True)
class Disagreement:
    """The images on which the verdicts of two methods, A and B, differ.

    Attributes:
        only_a: The rows of ``compare_images`` that A alone accepts, those whose ranks lie furthest apart first.
        only_b: The rows that B alone accepts, likewise.
        images: The number of all images compared.
    """

    only_a: pd.DataFrame
    only_b: pd.DataFrame
    images: int

    @property
    def count(self) -> int:
        """How many images the two methods disagree on."""
        return len(self.only_a) + len(self.only_b)

    @property
    def right_a(self) -> int:
        """On how many of these A is right: it accepts an ID image or refuses an OOD image, and B does not."""
        return int(self.only_a["is_id"].sum() + (~self.only_b["is_id"]).sum())

    @property
    def right_b(self) -> int:
        """On how many of these B is right: wherever A is not."""
        return self.count - self.right_a


def disagreement(images: pd.DataFrame) -> Disagreement:
    """The images that one of two methods accepts and the other does not.

    Args:
        images: The table of ``compare_images``.

    Returns:
        The rows that A alone accepts and those that B alone accepts; ties keep the study's order.
    """
    apart = images["rank_a"] - images["rank_b"]
    only_a = images[images["accepted_a"] & ~images["accepted_b"]]
    only_b = images[images["accepted_b"] & ~images["accepted_a"]]
    return Disagreement(
        only_a.loc[(-apart[only_a.index]).sort_values(kind="stable").index],
        only_b.loc[apart[only_b.index].sort_values(kind="stable").index],
        len(images),
    )


def thinned_curve(
    x: NDArray[np.float64], y: NDArray[np.float64], tolerance: float = 5e-4
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The fewest of a polyline's own points, ends included, that the Douglas-Peucker method needs to keep its shape.

    No point that is left out lies further than ``tolerance`` from the line through those that stay: half a
    thousandth of the axis is less than a pixel on any figure below 2,000 pixels. (Douglas and Peucker, "Algorithms for
    the reduction of the number of points required to represent a digitized line", 1973.)

    Args:
        x: The points' x, (N,), N ≥ 1.
        y: The points' y, (N,).
        tolerance: The largest distance, in the units of the axes.

    Returns:
        The x and the y of the points that stay, (Q,) each.
    """
    kept = np.zeros(len(x), dtype=bool)
    kept[[0, -1]] = True
    pieces = [(0, len(x) - 1)]
    while pieces:
        first, last = pieces.pop()
        if last - first < 2:
            continue
        inner = slice(first + 1, last)
        away = _distance(x[inner] - x[first], y[inner] - y[first], x[last] - x[first], y[last] - y[first])
        furthest = int(np.argmax(away))
        if away[furthest] > tolerance:
            middle = first + 1 + furthest
            kept[middle] = True
            pieces += [(first, middle), (middle, last)]
    return x[kept], y[kept]


def _distance(x: NDArray[np.float64], y: NDArray[np.float64], along_x: float, along_y: float) -> NDArray[np.float64]:
    """How far points lie from the segment between the origin and (along_x, along_y)."""
    squared = along_x**2 + along_y**2
    share = np.clip((x * along_x + y * along_y) / squared, 0, 1) if squared else np.zeros_like(x)
    return np.hypot(x - share * along_x, y - share * along_y)


def verdicts(rows: Sequence[MethodScores], id_dataset: str, dataset: str, row: int) -> pd.DataFrame:
    """The result of every method on one image, at the method's own threshold at TPR 95 %.

    Args:
        rows: The scores of every method.
        id_dataset: Catalogue name of the ID dataset.
        dataset: Catalogue name of the image's dataset.
        row: The image's index in it.

    Returns:
        One row a method: ``method``, ``w``, ``score``, ``threshold``, ``accepted`` (the verdict "ID"), and
        ``percentile``, the share of ID images that score below this one, ties counted half.
    """
    results = []
    for each in rows:
        score = float((each.id if dataset == id_dataset else each.ood[dataset])[row])
        results.append(
            {
                "method": each.method,
                "w": each.w,
                "score": score,
                "threshold": each.threshold(),
                "accepted": score >= each.threshold(),
                "percentile": metrics.percentile_among(each.id, score),
            }
        )
    return pd.DataFrame(results)
