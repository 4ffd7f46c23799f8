"""Score histograms: ID against OOD under each method, with the threshold (Figure 2 of the NAP paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nap_core import metrics
from nap_core.figures.picture import Picture
from nap_core.figures.score_histograms.bins import Bins, Placed, bins_of, images_in_bin
from nap_core.figures.score_histograms.drawing import draw, least_width
from nap_core.figures.score_histograms.panels import Panel, label, panels
from nap_core.figures.text import join, percent

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores

__all__ = ["Bins", "Placed", "bins_of", "histograms", "images_in_bin", "label", "least_width", "panels"]

COLUMNS = ["method", "w", "against", "dataset", "role", "low", "high", "images", "share"]
PRINTED = ["threshold", "tpr", "fpr", "fpr95", "auroc"]


def histograms(
    rows: Sequence[MethodScores],
    id_dataset: str,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    *,
    tpr: float = metrics.TPR,
    together: bool = False,
) -> Picture:
    """Small multiples of score histograms: a row a method, a column an OOD dataset; both of a panel have equal areas.

    Args:
        rows: The scores of at least one method.
        id_dataset: Catalogue name of the ID dataset.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.
        tpr: The share of ID images that the threshold accepts, above 0 and at most 1.
        together: One column for all OOD datasets.

    Returns:
        The figure, Figure 2 of the NAP paper. A click on a column of bars selects a point whose customdata is [method,
        the panel's OOD datasets joined by commas, position of the bin]. The table holds one row a bar, images as counts
        and as shares.

    Raises:
        ValueError: ``tpr`` lies outside (0, 1], or a score is not finite.
    """
    grid = [panels(scores, tpr, together) for scores in rows]
    marks = [mark for line in grid for panel in line for mark in _marks(panel, id_dataset)]
    return Picture(
        draw(grid, id_dataset, titles, colours),
        _reading(grid, id_dataset, titles, tpr),
        pd.DataFrame(marks, columns=COLUMNS + PRINTED),
        "score-histograms",
    )


def _marks(panel: Panel, id_dataset: str) -> list[tuple[object, ...]]:
    """One row a bar, in the order of ``COLUMNS`` and ``PRINTED``."""
    series = [(id_dataset, "id", panel.id_counts, panel.id_size)]
    series += [(name, "ood", counts, panel.ood_size) for name, counts in panel.ood_counts.items()]
    head = (panel.method, panel.w, "+".join(panel.ood_counts))
    tail = tuple(getattr(panel, name) for name in PRINTED)
    return [
        (*head, name, role, *panel.bins.bounds(position), count, count / size, *tail)
        for name, role, counts, size in series
        for position, count in enumerate(counts.tolist())
    ]


def _reading(grid: Sequence[Sequence[Panel]], id_dataset: str, titles: Mapping[str, str], tpr: float) -> str:
    """The FPR of every method at its threshold, the best method first."""
    best, *others = sorted(grid, key=_average)
    names = [name for panel in best for name in panel.ood_counts]
    whom = titles[names[0]] if len(names) == 1 else "the OOD images"
    sentence = f"{best[0].label} accepts {percent(_average(best))} of {whom}"
    if others:
        sentence += f", {join([f'{line[0].label} {percent(_average(line))}' for line in others])}"
    if len(best) > 1:
        notes = [f"averages of {len(best)} datasets"]
        hardest = max(best, key=lambda panel: panel.fpr)
        if sum(panel.fpr == hardest.fpr for panel in best) == 1:
            notes.append(
                f"hardest for {best[0].label}: {titles[next(iter(hardest.ood_counts))]}, {percent(hardest.fpr)}"
            )
        sentence += f" ({'; '.join(notes)})"
    return f"At the threshold that accepts {100 * tpr:g}\N{NO-BREAK SPACE}% of {titles[id_dataset]}, {sentence}."


def _average(line: Sequence[Panel]) -> float:
    return float(np.mean([panel.fpr for panel in line]))
