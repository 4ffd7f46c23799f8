"""The numbers of one panel: one method, ID against one OOD dataset or against several together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nap_core import metrics
from nap_core.figures.score_histograms.bins import Bins, bins_of

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores


@dataclass(frozen=True)
class Panel:
    """The numbers of a panel.

    Attributes:
        method: The method's name.
        title: Its title.
        label: Its title with its w.
        w: The weight of a combination, else None.
        bins: The B bins of the method.
        id_counts: ID images in each bin, (B,).
        ood_counts: OOD dataset → its images in each bin, (B,).
        threshold: The score from which on an image is accepted as ID.
        tpr: The share of ID images at or above ``threshold``.
        fpr: The share of OOD images at or above ``threshold``.
        fpr95: FPR at TPR 95 %, a share.
        auroc: The AUROC, a share.
    """

    method: str
    title: str
    label: str
    w: float | None
    bins: Bins
    id_counts: NDArray[np.int64]
    ood_counts: dict[str, NDArray[np.int64]]
    threshold: float
    tpr: float
    fpr: float
    fpr95: float
    auroc: float

    @property
    def id_size(self) -> int:
        return int(self.id_counts.sum())

    @property
    def ood_size(self) -> int:
        return int(sum(counts.sum() for counts in self.ood_counts.values()))


def label(scores: MethodScores) -> str:
    """The title of a method, with its w where it has one.

    Args:
        scores: The scores of the method.

    Returns:
        "NAP", or "NAP+Energy (w = 0.4)" for a combination.
    """
    return scores.title if scores.w is None else f"{scores.title} (w = {scores.w:g})"


def panels(scores: MethodScores, tpr: float = metrics.TPR, together: bool = False) -> list[Panel]:
    """The panels of a method's row.

    Args:
        scores: The scores of the method on all datasets.
        tpr: The share of ID images that the threshold accepts, above 0 and at most 1.
        together: One panel for all OOD datasets.

    Returns:
        A panel for each OOD dataset, or a single one with all of them.

    Raises:
        ValueError: ``tpr`` lies outside (0, 1], or a score is not finite.
    """
    groups = [tuple(scores.ood)] if together else [(name,) for name in scores.ood]
    bins = bins_of(scores)
    return [_panel(scores, bins, group, tpr) for group in groups]


def _panel(scores: MethodScores, bins: Bins, names: Sequence[str], tpr: float) -> Panel:
    pooled = np.concatenate([scores.ood[name] for name in names])
    threshold = scores.threshold(tpr)
    return Panel(
        method=scores.method,
        title=scores.title,
        label=label(scores),
        w=scores.w,
        bins=bins,
        id_counts=bins.counts(scores.id),
        ood_counts={name: bins.counts(scores.ood[name]) for name in names},
        threshold=threshold,
        tpr=metrics.share_reaching(scores.id, threshold),
        fpr=metrics.share_reaching(pooled, threshold),
        fpr95=metrics.fpr_at_tpr(scores.id, pooled),
        auroc=metrics.auroc(scores.id, pooled),
    )
