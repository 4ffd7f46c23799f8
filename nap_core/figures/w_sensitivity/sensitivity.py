"""What the weight of a combination does, in numbers and words (section 6.2 of the NAP paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nap_core import methods
from nap_core.figures.picture import percent
from nap_core.methods.combination import WeightCurve
from nap_core.metrics import METRIC_TITLES

SAME = 1e-12  # shares that differ by less are equal


@dataclass(frozen=True)
class Sensitivity:
    """A combination's curve and what it is called. The weights of ``curve`` must include 0 and 1.

    ``titles`` and ``colours`` are by catalogue name of the dataset. ``published_w`` is the paper's w for what the
    model knows, None where the paper gives none; ``found_w`` the one that a search on the study found, None without.
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
        """The curve of ``method``, a combination. Raises UserError when it is none."""
        prior, other = methods.combination_parts(method)
        published = other.record.published_w.get(trained_on) if prior.spec == "nap" else None
        return cls(curve, methods.title(method), other.title, titles, colours, published, prior.title, found_w)

    def at(self, w: float) -> int:
        """The position of the weight nearest to ``w`` in the curve."""
        return int(np.argmin(np.abs(self.curve.w - w)))

    def best_of(self, name: str) -> float:
        """The w of a dataset's lowest FPR95; the one nearest 0.5 among equals."""
        values = self.curve.fpr95[self.curve.datasets.index(name)]
        equals = self.curve.w[values <= values.min() + SAME]
        return float(equals[np.argmin(np.abs(equals - 0.5))])

    def lower_at(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """The datasets on which the combination, each at its w, has a lower FPR95 than the other method alone."""
        values, alone = self.curve.fpr95, self.at(1)
        rows = enumerate(self.curve.datasets)
        return tuple(name for row, name in rows if values[row, self.at(weights[name])] < values[row, alone] - SAME)


def sensitivity_table(found: Sensitivity, w: float) -> pd.DataFrame:
    """A row an OOD dataset and, where there are several, their average: the best w by FPR95; both metrics in percent.

    The columns after "OOD dataset" and "best w" are, for each metric, the other method alone, the prior alone, ``w``
    and the best w.
    """
    curve = found.curve
    rows = [
        (found.titles[name], found.best_of(name), fpr95, auroc)
        for name, fpr95, auroc in zip(curve.datasets, curve.fpr95, curve.auroc, strict=True)
    ]
    if len(rows) > 1:
        rows.append(("average", curve.best("fpr95"), curve.average("fpr95"), curve.average("auroc")))
    return pd.DataFrame([_table_row(found, w, *row) for row in rows])


def _table_row(
    found: Sensitivity, w: float, title: str, best: float, fpr95: NDArray[np.float64], auroc: NDArray[np.float64]
) -> dict[str, str | float]:
    weights = {found.other: 1.0, found.prior: 0.0, f"w = {w:g}": w, "best w": best}
    cells = {
        f"{METRIC_TITLES[metric]} {head}": 100 * float(values[found.at(weight)])
        for metric, values in zip(METRIC_TITLES, (fpr95, auroc), strict=True)
        for head, weight in weights.items()
    }
    return {"OOD dataset": title, "best w": best, **cells}


def finding(found: Sensitivity) -> str:
    """On how many OOD datasets the combination has a lower FPR95 than the other method alone, and on which it has not.

    Counted twice: each dataset at its own best w, and all of them at the w that is best on average. Markdown.
    """
    names, curve = found.curve.datasets, found.curve
    own = found.lower_at({name: found.best_of(name) for name in names})
    if len(names) == 1:
        return _finding_on_one(found, names[0])
    claim = f"{found.combination} has a lower FPR95 than {found.other} alone on {_count(len(own), len(names))}"
    if not own:
        places = f"any of the {len(names)} OOD datasets"
        return f"**At no w has {found.combination} a lower FPR95 than {found.other} alone on {places}.**"
    sentence = f"**{claim}** when each gets its own best w"
    never = [name for name in names if name not in own]
    if never:
        sentence += f"; at no w on {_join([_named(found, name) for name in never])}"
    best = curve.best("fpr95")
    shared = found.lower_at(dict.fromkeys(names, best))
    second = f"With one w for all, {best:g}, the best on average, it is lower on {_count(len(shared), len(names))}"
    worse = [f"{found.titles[name]} ({_against(found, name, best)})" for name in names if name not in shared]
    return f"{sentence}. {second}{f', not on {_join(worse)}' if worse and shared else ''}."


def _finding_on_one(found: Sensitivity, name: str) -> str:
    best = found.best_of(name)
    if found.lower_at({name: best}):
        claim = f"{found.combination} has a lower FPR95 than {found.other} alone on {found.titles[name]}"
        return f"**At its best w, {best:g}, {claim}**: {_against(found, name, best)}."
    return f"**At no w has {found.combination} a lower FPR95 than {found.other} alone on {_named(found, name)}.**"


def _alone(found: Sensitivity, name: str) -> float:
    return float(found.curve.fpr95[found.curve.datasets.index(name), found.at(1)])


def _named(found: Sensitivity, name: str) -> str:
    alone = _alone(found, name)
    return f"{found.titles[name]} ({percent(alone)}{' already' if alone <= SAME else ''} with {found.other} alone)"


def _against(found: Sensitivity, name: str, w: float) -> str:
    combined = float(found.curve.fpr95[found.curve.datasets.index(name), found.at(w)])
    return f"{percent(combined)} against {percent(_alone(found, name))}"


def _count(some: int, total: int) -> str:
    if some == total:
        return "both OOD datasets" if total == 2 else f"all {total} OOD datasets"
    return f"{some or 'none'} of the {total} OOD datasets"


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
