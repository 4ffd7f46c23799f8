"""The effect of a combination's weight in numbers and sentences (section 6.2 of the NAP paper)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nap_core import methods
from nap_core.figures.text import join, out_of, percent
from nap_core.methods.combination import WeightCurve
from nap_core.metrics import METRIC_TITLES

SAME = 1e-12  # shares that differ by less are equal


@dataclass(frozen=True)
class Sensitivity:
    """A combination and its metrics over w.

    Attributes:
        curve: FPR95 and AUROC over w on every OOD dataset, shares. Its weights must include 0 and 1.
        combination: The title of the combination.
        other: The title of the method that the prior is combined with.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.
        published_w: The paper's w for the training data of the network; None where the paper gives none.
        prior: The title of the prior.
        found_w: The w of a search on the study; None without a search.
    """

    curve: WeightCurve
    combination: str
    other: str
    titles: Mapping[str, str]
    colours: Mapping[str, str]
    published_w: float | None = None
    prior: str = "NAP"
    found_w: float | None = None

    @classmethod
    def of(
        cls,
        method: str,
        curve: WeightCurve,
        trained_on: str,
        titles: Mapping[str, str],
        colours: Mapping[str, str],
        found_w: float | None = None,
    ) -> Sensitivity:
        """The curve of a combination with its titles and the paper's w.

        Args:
            method: The combination, by name: "nap+energy".
            curve: FPR95 and AUROC over w; its weights must include 0 and 1.
            trained_on: The training data of the network, which picks the published w.
            titles: Catalogue name → title of the datasets.
            colours: Catalogue name → colour of the datasets.
            found_w: The w of a search on the study; None without a search.

        Returns:
            The combination; ``published_w`` is None where the prior is not NAP.

        Raises:
            UserError: ``method`` is no combination.
        """
        prior, other = methods.combination_parts(method)
        published = other.record.published_w.get(trained_on) if prior.spec == "nap" else None
        return cls(curve, methods.title(method), other.title, titles, colours, published, prior.title, found_w)

    def at(self, w: float) -> int:
        """The position of a weight in the curve.

        Args:
            w: A weight, 0 to 1.

        Returns:
            The index of the weight nearest to ``w`` in ``curve.w``.
        """
        return int(np.argmin(np.abs(self.curve.w - w)))

    def best_of(self, name: str) -> float:
        """The best weight on one OOD dataset.

        Args:
            name: Catalogue name of the dataset.

        Returns:
            The w of the lowest FPR95; the one nearest 0.5 among equals.
        """
        values = self.curve.fpr95[self.curve.datasets.index(name)]
        equals = self.curve.w[values <= values.min() + SAME]
        return float(equals[np.argmin(np.abs(equals - 0.5))])

    def lower_at(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """The datasets on which the combination has a lower FPR95 than the other method alone.

        Args:
            weights: Catalogue name of each OOD dataset → the w at which it is compared, 0 to 1.

        Returns:
            The catalogue names of these datasets, in the order of the curve.
        """
        values, alone = self.curve.fpr95, self.at(1)
        rows = enumerate(self.curve.datasets)
        return tuple(name for row, name in rows if values[row, self.at(weights[name])] < values[row, alone] - SAME)


def sensitivity_table(one: Sensitivity, w: float) -> pd.DataFrame:
    """One combination at several w on every OOD dataset.

    Args:
        one: The combination, with its curve.
        w: The weight in use, 0 to 1.

    Returns:
        One row an OOD dataset and, of several, one for their average: "OOD dataset", "best w" (by FPR95), and for each
        metric, in percent, the other method alone, the prior alone, ``w`` and the best w.
    """
    curve = one.curve
    rows = [
        (one.titles[name], one.best_of(name), fpr95, auroc)
        for name, fpr95, auroc in zip(curve.datasets, curve.fpr95, curve.auroc, strict=True)
    ]
    if len(rows) > 1:
        rows.append(("average", curve.best("fpr95"), curve.average("fpr95"), curve.average("auroc")))
    return pd.DataFrame([_table_row(one, w, *row) for row in rows])


def _table_row(
    one: Sensitivity, w: float, title: str, best: float, fpr95: NDArray[np.float64], auroc: NDArray[np.float64]
) -> dict[str, str | float]:
    weights = {one.other: 1.0, one.prior: 0.0, f"w = {w:g}": w, "best w": best}
    cells = {
        f"{METRIC_TITLES[metric]} {head}": 100 * float(values[one.at(weight)])
        for metric, values in zip(METRIC_TITLES, (fpr95, auroc), strict=True)
        for head, weight in weights.items()
    }
    return {"OOD dataset": title, "best w": best, **cells}


def finding(one: Sensitivity) -> str:
    """The OOD datasets on which the combination has a lower FPR95 than the other method alone.

    They are counted twice: each dataset at its own best w, and all of them at the w that is best on average (section
    6.2 of the NAP paper).

    Args:
        one: The combination, with its curve.

    Returns:
        One or two sentences in Markdown.
    """
    names, curve = one.curve.datasets, one.curve
    own = one.lower_at({name: one.best_of(name) for name in names})
    if len(names) == 1:
        return _finding_on_one(one, names[0])
    claim = f"{one.combination} has a lower FPR95 than {one.other} alone on {out_of(len(own), len(names))}"
    if not own:
        places = f"any of the {len(names)} OOD datasets"
        return f"**At no w has {one.combination} a lower FPR95 than {one.other} alone on {places}.**"
    sentence = f"**{claim}** when each gets its own best w"
    never = [name for name in names if name not in own]
    if never:
        sentence += f"; at no w on {join([_named(one, name) for name in never])}"
    best = curve.best("fpr95")
    shared = one.lower_at(dict.fromkeys(names, best))
    second = f"With one w for all, {best:g}, the best on average, it is lower on {out_of(len(shared), len(names))}"
    worse = [f"{one.titles[name]} ({_against(one, name, best)})" for name in names if name not in shared]
    return f"{sentence}. {second}{f', not on {join(worse)}' if worse and shared else ''}."


def _finding_on_one(one: Sensitivity, name: str) -> str:
    best = one.best_of(name)
    if one.lower_at({name: best}):
        claim = f"{one.combination} has a lower FPR95 than {one.other} alone on {one.titles[name]}"
        return f"**At its best w, {best:g}, {claim}**: {_against(one, name, best)}."
    return f"**At no w has {one.combination} a lower FPR95 than {one.other} alone on {_named(one, name)}.**"


def _alone(one: Sensitivity, name: str) -> float:
    return float(one.curve.fpr95[one.curve.datasets.index(name), one.at(1)])


def _named(one: Sensitivity, name: str) -> str:
    alone = _alone(one, name)
    return f"{one.titles[name]} ({percent(alone)}{' already' if alone <= SAME else ''} with {one.other} alone)"


def _against(one: Sensitivity, name: str, w: float) -> str:
    combined = float(one.curve.fpr95[one.curve.datasets.index(name), one.at(w)])
    return f"{percent(combined)} against {percent(_alone(one, name))}"
