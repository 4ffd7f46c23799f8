"""Whether the paper's claim about an entry holds in the measured values."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from nap_core.analysis.comparison import AVERAGE
from nap_core.paper.spec import Entry

LOST = 0.01
"""A share: a w that loses no more FPR95 than this against the best one counts as found."""


ALONG = 0.5
"""A rank correlation: from here on two scores count as correlated."""
SMALL = 0.01
"""A share of the forward pass: what is below it is next to nothing."""
FEW = 3  # as many rows are named that go against the claim


@dataclass(frozen=True)
class Finding:
    """The claim holds in ``held`` of ``of`` cases; ``sentence`` puts it in words, with the figures of the farthest."""

    held: int
    of: int
    sentence: str

    @property
    def verdict(self) -> str:
        """ "holds", "holds in part" or "does not hold"."""
        return "holds" if self.held == self.of else "holds in part" if self.held else "does not hold"


def finding(entry: Entry, measured: pd.DataFrame) -> Finding | None:
    """Whether ``measured``, of ``measuring.measure``, supports the entry's claim; None where it does not bear on it.

    A claim about a single OOD dataset is tested on that one, where it was measured.
    """
    table = measured.dropna(subset=["measured"])
    headings = {heading for setting in entry.settings for heading in setting.headings}
    if len(headings) == 1 and headings & set(table["heading"]):
        table = table[table["heading"].isin(headings)]
    return _FINDERS[entry.kind](entry, table) if entry.kind in _FINDERS and len(table) else None


def _averages(table: pd.DataFrame, metric: str) -> dict[str, float]:
    """By row: the mean over the datasets."""
    part = table[(table["metric"] == metric) & (table["ood"] != AVERAGE)]
    return {str(row): float(value) for row, value in part.groupby("row", sort=False)["measured"].mean().items()}


def _better(entry: Entry, table: pd.DataFrame) -> Finding | None:
    return _compared(table, [(row.printed, other) for row in entry.rows for other in row.beats])


def _deepest(_entry: Entry, table: pd.DataFrame) -> Finding | None:
    rows = list(dict.fromkeys(table["row"]))
    return _compared(table, [(rows[-1], other) for other in rows[:-1]])


def _compared(table: pd.DataFrame, wanted: list[tuple[str, str]]) -> Finding | None:
    """How often the first of a pair is better than the second."""
    fpr95, auroc = _averages(table, "fpr95"), _averages(table, "auroc")
    pairs = [(name, other) for name, other in wanted if name in fpr95 and other in fpr95]
    if not pairs:
        return None
    gains = {pair: fpr95[pair[1]] - fpr95[pair[0]] for pair in pairs}
    lower = sum(gain > 0 for gain in gains.values())
    higher = sum(auroc[name] > auroc[other] for name, other in pairs)
    count = table["ood"].nunique() - (AVERAGE in set(table["ood"]))
    where = "" if count == 1 else f", averaged over {count} OOD datasets,"
    name, other = max(gains, key=lambda pair: abs(gains[pair]))
    most = "Farthest apart" if len(pairs) > 1 else "FPR95"
    behind = [f"{name} behind {other}" for (name, other), gain in gains.items() if gain <= 0]
    few = f" ({', '.join(behind)})" if 0 < len(behind) <= FEW and lower else ""
    return Finding(
        lower + higher,
        2 * len(pairs),
        f"FPR95{where} is lower as the paper says in {lower} of {_count(len(pairs))}{few}, AUROC higher in {higher}. "
        f"{most}: {name} {100 * fpr95[name]:.1f} %, {other} {100 * fpr95[other]:.1f} %.",
    )


def _count(pairs: int) -> str:
    return f"{pairs} comparison{'s' if pairs > 1 else ''}"


def _values(table: pd.DataFrame, metric: str) -> pd.Series[float]:
    return table[table["metric"] == metric].set_index("row")["measured"]


def _searched_w(_entry: Entry, table: pd.DataFrame) -> Finding | None:
    lost, w, best = (_values(table, metric) for metric in ("lost", "w", "best_w"))
    held = int((lost <= LOST + 1e-9).sum())
    worst = str(lost.idxmax())
    return Finding(
        held,
        len(lost),
        f"The w found on distorted ID images loses at most 1 point of FPR95 against the best w in {held} of "
        f"{len(lost)} combinations; most in {worst}, {100 * lost[worst]:.1f} points (found {w[worst]:g}, best "
        f"{best[worst]:g}).",
    )


def _all_along(_entry: Entry, table: pd.DataFrame) -> Finding | None:
    everywhere, robust = _values(table, "better"), _values(table, "better_robust")
    held, within = int((everywhere == 1).sum()), int((robust == 1).sum())
    return Finding(
        held,
        len(everywhere),
        f"At every w between 0 and 1, {held} of {len(everywhere)} combinations have a lower average FPR95 than the "
        f"method alone; at every w from 0.2 to 0.8, where the paper finds it stable, {within} have.",
    )


def _on_the_front(entry: Entry, table: pd.DataFrame) -> Finding | None:
    front = _values(table, "front")
    members = [str(name) for name in front.index[front == 1]]
    with_nap = {row.printed for row in entry.rows if row.spec.startswith("nap")}
    held = sum(name in with_nap for name in members)
    return Finding(
        held,
        len(members),
        f"On the Pareto front of ID accuracy and AUROC stand {', '.join(members)}: {held} of {len(members)} with NAP.",
    )


def _runs_along(_entry: Entry, table: pd.DataFrame) -> Finding | None:
    values = {metric: float(_values(table, metric).sum()) for metric in ("correlation", "oracle_auroc", "nap_auroc")}
    ours, learnt = 100 * values["nap_auroc"], 100 * values["oracle_auroc"]
    return Finding(
        int(values["correlation"] >= ALONG),
        1,
        f"On held-out images the oracle's score and NAP's have a rank correlation of {values['correlation']:.2f}; the "
        f"oracle's AUROC is {learnt:.1f} %, NAP's {ours:.1f} %.",
    )


def _next_to_nothing(_entry: Entry, table: pd.DataFrame) -> Finding | None:
    share = float(_values(table, "share").sum())
    return Finding(
        int(share < SMALL),
        1,
        f"NAP lengthens the forward pass by {100 * share:.3g} % on this device; the paper says 0.0462 %.",
    )


_FINDERS = {
    "cost": _next_to_nothing,
    "methods": _better,
    "layers": _deepest,
    "oracle": _runs_along,
    "weights": _searched_w,
    "curves": _all_along,
    "accuracy": _on_the_front,
}
