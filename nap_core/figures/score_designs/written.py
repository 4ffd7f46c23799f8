"""A score that a user wrote, in numbers beside S_NAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nap_core.analysis.score_variants import figures_of
from nap_core.figures.text import averaged_over, column_title, percent

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores


def beside(scores: Sequence[MethodScores], titles: Mapping[str, str]) -> pd.DataFrame:
    """The metrics of scores side by side, as papers print them.

    Args:
        scores: The scores of each method on the same images.
        titles: Catalogue name → title of the datasets.

    Returns:
        A row a method, a column an OOD dataset and, of several, their average: "FPR95 / AUROC" in percent.
    """
    rows = []
    for one in scores:
        figures = figures_of(one)
        percents = 100 * figures[["fpr95", "auroc"]].to_numpy(dtype=np.float64)
        cells = {
            column_title(name, titles): f"{fpr95:.1f} / {auroc:.1f}"
            for name, (fpr95, auroc) in zip(figures["ood"], percents, strict=True)
        }
        rows.append({"Score": one.title, **cells})
    return pd.DataFrame(rows)


def verdict(pairs: Mapping[str, tuple[MethodScores, MethodScores]], titles: Mapping[str, str]) -> str:
    """The AUROC of a written score beside that of S_NAP, and advice where lower scores are more in-distribution.

    Args:
        pairs: "alone", "with Energy" → the scores of the written score and of S_NAP, the first pair alone.
        titles: Catalogue name → title of the datasets.

    Returns:
        One or two sentences.
    """
    areas = {kind: tuple(_area(one) for one in pair) for kind, pair in pairs.items()}
    parts = [
        f"{kind} {percent(mine)}, {_beside(mine, nap)} {percent(nap)} of {pairs[kind][1].title}"
        for kind, (mine, nap) in areas.items()
    ]
    first = next(iter(pairs.values()))[0]
    sentence = f"The AUROC of your score, {averaged_over(first.ood, titles)}, is {'; '.join(parts)}."
    if _area(first) < 0.5:
        sentence += (
            " Below 50\N{NO-BREAK SPACE}%, a lower score means more in-distribution: take its reciprocal, as in "
            "1 / (mean + eps)."
        )
    return sentence


def _area(scores: MethodScores) -> float:
    """The AUROC, of several OOD datasets their average."""
    return float(figures_of(scores)["auroc"].iloc[-1])


def _beside(mine: float, nap: float) -> str:
    if round(100 * mine, 1) == round(100 * nap, 1):
        return "level with"
    return "above" if mine > nap else "below"
