"""The search for w, which needs no OOD image (NAP paper, section 4.3 and Appendix H).

The first ID images are distorted in 15 ways each. These pseudo-OOD images go through the network once, and the w of
every combination is the one that separates them best from the ID images. A search returns its weights: the caller
passes them on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nap_core import methods
from nap_core.analysis import distorted_images
from nap_core.analysis.distorted_images import IMAGES as IMAGES
from nap_core.analysis.distorted_images import SEED as SEED
from nap_core.analysis.distorted_images import distorted as distorted
from nap_core.analysis.distorted_images import extracted as extracted
from nap_core.analysis.distorted_images import extraction_plan as extraction_plan
from nap_core.analysis.distorted_images import pseudo_images as pseudo_images
from nap_core.analysis.evaluation import parts_of_combination, weight_curve
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, combination
from nap_core.methods.combination import INNER_WEIGHTS, WeightCurve

PSEUDO = "pseudo-ood"
"""What a curve calls the pseudo-OOD images beside the names of datasets."""


@dataclass(frozen=True)
class SearchStep:
    """One step of the binary search: the AUROC at two neighbouring weights shows on which side the best w lies.

    Attributes:
        low: The smallest w that may be the best.
        high: The largest w that may be the best.
        w: The w in their middle.
        w_next: The next larger w.
        auroc: The AUROC at ``w`` on the pseudo-OOD images, a share.
        auroc_next: The AUROC at ``w_next``.
    """

    low: float
    high: float
    w: float
    w_next: float
    auroc: float
    auroc_next: float

    @property
    def goes_up(self) -> bool:
        """Whether the search goes on above ``w``."""
        return self.auroc_next > self.auroc


def binary_search(
    auroc: Callable[[float], float], weights: Sequence[float] = INNER_WEIGHTS
) -> tuple[float, tuple[SearchStep, ...]]:
    """The w of the highest AUROC on the pseudo-OOD images (NAP paper, Appendix H).

    The AUROC of a combination rises with w up to one place and falls behind it, or nearly so: two neighbours in the
    middle show on which side that place is, and the other half is left out; 19 weights take five steps. The paper does
    not say what it maximises: AUROC was chosen because FPR95 depends on a single ID image and jumps from one w to the
    next.

    Args:
        auroc: The AUROC at a weight, a share.
        weights: The weights to choose from, ascending.

    Returns:
        The w, the smaller among equals, and the steps to it.

    Raises:
        ValueError: There are no weights.
    """
    if not weights:
        raise ValueError("a search needs weights to choose from")
    low, high, steps = 0, len(weights) - 1, []
    while low < high:
        middle = (low + high) // 2
        pair = weights[middle], weights[middle + 1]
        steps.append(SearchStep(weights[low], weights[high], *pair, *map(auroc, pair)))
        low, high = (middle + 1, high) if steps[-1].goes_up else (low, middle)
    return weights[low], tuple(steps)


@dataclass(frozen=True)
class WeightSearch:
    """What a search found, beside the result on the true OOD images, which it did not use.

    Attributes:
        w: The weight found.
        steps: The steps that lead to it.
        pseudo: FPR95 and AUROC over w on the pseudo-OOD images.
        true: FPR95 and AUROC over w on the OOD datasets.
    """

    w: float
    steps: tuple[SearchStep, ...]
    pseudo: WeightCurve
    true: WeightCurve

    @property
    def oracle(self) -> float:
        """The w of the lowest FPR95 on average over the OOD datasets: what could be had by looking at them."""
        return self.true.best("fpr95")

    def lost(self, name: str | None = None) -> float:
        """By how much FPR95 at the w found lies above that at the best w.

        Args:
            name: An OOD dataset, which has its own best w; None for the average over all.

        Returns:
            The difference, a share, 0 or more.
        """
        values = self.true.average("fpr95") if name is None else self.true.fpr95[self.true.datasets.index(name)]
        here = int(np.argmin(np.abs(self.true.w - self.w)))
        return float(values[here] - values.min())


def search(data: EvaluationData, pseudo: ImageSet, spec: str) -> WeightSearch:
    """The search for the w of a combination.

    Args:
        data: The ID and OOD images; the search does not use the latter.
        pseudo: The pseudo-OOD images, as ``extracted`` gives them.
        spec: The combination, by name.

    Returns:
        The w, the steps to it, and the curves on the pseudo-OOD images and on the OOD datasets.

    Raises:
        UserError: As ``methods.scored`` does: for what is no combination, and for a method that needs images.
    """
    curve = _pseudo_curve(data, pseudo, spec)
    return WeightSearch(*_best(curve), curve, weight_curve(data, spec))


def search_all(data: EvaluationData, pseudo: ImageSet, specs: Sequence[str]) -> dict[str, float]:
    """The searched w of several combinations.

    Args:
        data: The ID images and what methods may use besides them.
        pseudo: The pseudo-OOD images, as ``extracted`` gives them.
        specs: The methods, by name.

    Returns:
        Combination → w, 0 to 1, without what cannot be searched: what is no combination, what needs images, and what
        lacks its fit split. For these the published w is used.
    """
    weights = {}
    for spec in specs:
        method = methods.parse(spec)
        try:
            if method.prior is not None and not methods.missing_fit(method, data.context):
                weights[spec] = _best(_pseudo_curve(data, pseudo, spec))[0]
        except UserError:
            continue
    return weights


def _pseudo_curve(data: EvaluationData, pseudo: ImageSet, spec: str) -> WeightCurve:
    id_other, id_prior = parts_of_combination(data, distorted_images.sources(data, pseudo), spec)
    other, prior = parts_of_combination(data, pseudo, spec)
    return combination.weight_curve(id_other, id_prior, {PSEUDO: other}, {PSEUDO: prior})


def _best(curve: WeightCurve) -> tuple[float, tuple[SearchStep, ...]]:
    return binary_search(dict(zip(curve.w.tolist(), curve.auroc[0].tolist(), strict=True)).__getitem__)
