"""A score that a user wrote, in numbers beside S_NAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.evaluation import MethodScores
from nap_core.analysis.score_variants import figures_of
from nap_core.figures.picture import percent


def beside(scores: Sequence[MethodScores], titles: Mapping[str, str]) -> pd.DataFrame:
    """A row each of ``scores``, a column an OOD dataset and, of several, their average: FPR95 / AUROC in percent, as
    papers print them."""
    rows = []
    for one in scores:
        figures = figures_of(one)
        percents = 100 * figures[["fpr95", "auroc"]].to_numpy(dtype=np.float64)
        cells = {
            "Average" if name == AVERAGE else titles[name]: f"{fpr95:.1f} / {auroc:.1f}"
            for name, (fpr95, auroc) in zip(figures["ood"], percents, strict=True)
        }
        rows.append({"Score": one.title, **cells})
    return pd.DataFrame(rows)


def verdict(pairs: Mapping[str, tuple[MethodScores, MethodScores]], titles: Mapping[str, str]) -> str:
    """One sentence: the AUROC of the written score beside that of S_NAP, for each of ``pairs`` ("alone", "with
    Energy"); and what to do where less of it, alone, means more in-distribution."""
    areas = {kind: tuple(_area(one) for one in pair) for kind, pair in pairs.items()}
    parts = [
        f"{kind} {percent(mine)}, {_beside(mine, nap)} {percent(nap)} of {pairs[kind][1].title}"
        for kind, (mine, nap) in areas.items()
    ]
    first = next(iter(pairs.values()))[0]
    where = (
        f"on average over {len(first.ood)} OOD datasets"
        if len(first.ood) > 1
        else f"on {titles[next(iter(first.ood))]}"
    )
    sentence = f"The AUROC of your score {where} is {'; '.join(parts)}."
    if _area(first) < 0.5:
        sentence += (
            " Below 50\N{NO-BREAK SPACE}% less of it means more in-distribution: put it below a fraction, as in "
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
