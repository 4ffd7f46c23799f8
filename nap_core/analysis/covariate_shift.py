"""Covariate shift: ID images that look worse and still show an ID class, by corruption and severity.

The first images of a study's ID dataset go through all 15 corruptions at severities 1 to 5 (Hendrycks and Dietterich,
ICLR 2019) and once through the network. A method's threshold stays where the clean ID images put it. The corruptions
are the NAP paper's pseudo-OOD data (Section 4.3 and Appendix H); here they serve the other question: whether a
detector rejects images that the network still classifies rightly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nap_core import corruptions, datasets, extraction, methods, metrics
from nap_core.activations import Activations
from nap_core.analysis.evaluation import MethodScores, metrics_of
from nap_core.corruptions.pseudo_ood import PseudoOod, for_views
from nap_core.corruptions.spec import SMALL
from nap_core.errors import Hint, UserError
from nap_core.methods import EvaluationData, ImageSet
from nap_core.studies.study import Study

IMAGES = 100
"""ID images that are shifted, fewer where a study has fewer: 1,500 of each severity, 7,500 in all."""
SEVERITIES = (1, 2, 3, 4, 5)
CORRUPTIONS = tuple(corruptions.RECORDS)
SEED = 0

Metric = Literal["kept", "auroc"]
FloatVector = NDArray[np.float64]


def shifted_images(study: Study, severity: int) -> PseudoOod:
    """The first ``IMAGES`` ID images of the study as its network sees them, each in all 15 corruptions at a severity.

    The parameters are those of the published covariate-shift benchmarks: CIFAR-10-C's for views of up to 64 pixels,
    ImageNet-C's above. The search for w takes ImageNet-C's everywhere, because it needs images that are no longer
    ID; here they are meant to stay recognisable.

    Args:
        study: The study.
        severity: 1 to 5.

    Returns:
        The corrupted images as a dataset.

    Raises:
        UserError: The ID dataset is a reference bank, whose images are not shipped.
    """
    record = datasets.find(study.id_dataset)
    if not record.images_shipped:
        raise UserError(
            f"The images of {record.title} are not shipped, so they cannot be distorted: there is no covariate shift "
            "to show.",
            Hint.ID_IMAGES,
        )
    id_dataset, transform = datasets.load(study.id_dataset), study.network().transform
    limit = min(IMAGES, study.images)
    return PseudoOod(id_dataset, transform, severities=(severity,), seed=SEED, limit=limit, each=True, scale="auto")


def parameters_of(study: Study) -> str:
    """Whose parameters the study's shifted images have.

    Args:
        study: The study, whose network gives the size of the views.

    Returns:
        "CIFAR-10-C" or "ImageNet-C".
    """
    return "CIFAR-10-C" if study.network().transform.crop <= SMALL else "ImageNet-C"


def extraction_plan(study: Study, device: str | None = None) -> extraction.ExtractionPlan:
    """The shifted images through the study's network.

    Args:
        study: The study.
        device: "cpu", "cuda" …; None for the best there is.

    Returns:
        A step for each severity, the mildest first.

    Raises:
        UserError: As ``shifted_images`` does.
    """
    sites = (for_views(study.network()),)
    return extraction.ExtractionPlan(
        [extraction.ExtractionStep(sites, shifted_images(study, severity)) for severity in SEVERITIES], device
    )


@dataclass(frozen=True, eq=False)
class Shifted:
    """What one pass kept of the shifted images: each of I images in all K corruptions at every severity.

    Attributes:
        images: The number of ID images that were shifted, I.
        parts: Severity → its shifted images, I · K rows.
        source: Severity → the ID image of each row, (I · K,).
        corruption: Severity → the index in ``CORRUPTIONS`` of each row, (I · K,).
    """

    images: int
    parts: Mapping[int, ImageSet]
    source: Mapping[int, NDArray[np.int64]]
    corruption: Mapping[int, NDArray[np.int64]]


def shifted(study: Study, activations: Sequence[Activations]) -> Shifted:
    """The shifted images of the study from a run of its ``extraction_plan``.

    Args:
        study: The study.
        activations: What the plan gave, one a severity.

    Returns:
        The activations by severity, with the origin of each row.

    Raises:
        UserError: As ``shifted_images`` does.
        ValueError: ``activations`` are not one a severity.
    """
    plans = {severity: shifted_images(study, severity).plan for severity in SEVERITIES}
    sources = {severity: plan.source for severity, plan in plans.items()}
    kinds = {severity: plan.corruption for severity, plan in plans.items()}
    # Without the images: no method runs the network over them again.
    parts = {severity: ImageSet(one) for severity, one in zip(SEVERITIES, activations, strict=True)}
    return Shifted(len(activations[0]) // len(CORRUPTIONS), parts, sources, kinds)


@dataclass(frozen=True, eq=False)
class ShiftRates:
    """The response of a method to shifted images, in shares; index 0 of the 6 severities is the clean image.

    The last four are NaN where there are no such images, or no classes.

    Attributes:
        kept: The images that reach the threshold, over all corruptions, (6,).
        auroc: The AUROC of the study's ID images against them, (6,).
        cells: Both metrics for each severity from 1 and each of ``CORRUPTIONS``, (5, K).
        right: The images that the network classifies correctly, (6,).
        right_among_kept: The correct ones among those that reach the threshold, (6,).
        right_among_rejected: The correct ones among those that do not, (6,).
        rejected_among_right: The rejected ones among the correct ones, (6,).
    """

    kept: FloatVector
    auroc: FloatVector
    cells: Mapping[Metric, FloatVector]
    right: FloatVector
    right_among_kept: FloatVector
    right_among_rejected: FloatVector
    rejected_among_right: FloatVector


@dataclass(frozen=True, eq=False)
class ShiftResult:
    """One method on all that is not clean ID.

    Attributes:
        scores: The scores of the study's images.
        ood: OOD dataset → its FPR95, as "kept", and its AUROC, shares.
        shift: The response to shifted images; None where there are none or the method cannot score them.
        reason: Why the method cannot score them; else empty.
    """

    scores: MethodScores
    ood: Mapping[str, Mapping[Metric, float]]
    shift: ShiftRates | None = None
    reason: str = ""

    @property
    def title(self) -> str:
        """As the method is printed."""
        return self.scores.title

    @property
    def method(self) -> str:
        """The method's name."""
        return self.scores.method

    def average(self, names: Sequence[str], metric: Metric) -> float:
        """The mean of a metric over OOD datasets, each counted once.

        Args:
            names: Catalogue names of the datasets.
            metric: "kept" (FPR95) or "auroc".

        Returns:
            The mean, a share; NaN for no dataset.
        """
        return float(np.mean([self.ood[name][metric] for name in names])) if names else float("nan")


def respond(data: EvaluationData, shifted: Shifted | None, scores: MethodScores) -> ShiftResult:
    """A method on the study's OOD datasets and on shifted images, at the threshold of all the study's ID images.

    Args:
        data: The images of the study and what methods may use besides them.
        shifted: The shifted images; None where there are none.
        scores: The method's scores on the study, as ``evaluation.method_scores`` gives them.

    Returns:
        The result; where the method cannot score the shifted images, with the reason in place of ``shift``.
    """
    rows = metrics_of(scores).itertuples(index=False)
    ood: dict[str, dict[Metric, float]] = {name: {"kept": fpr95, "auroc": auroc} for name, fpr95, auroc in rows}
    if shifted is None:
        return ShiftResult(scores, ood)
    id_activations = data.id.activations
    predictions = id_activations.predictions if scores.id_predictions is None else scores.id_predictions
    first = slice(shifted.images)
    try:
        by_severity = {0: _Scored(scores.id[first], predictions[first], id_activations.labels[first])}
        for severity, part in shifted.parts.items():
            one = methods.scored(methods.parse(scores.method), part, data.context, w=scores.w)
            own = part.activations.predictions if one.predictions is None else one.predictions
            by_severity[severity] = _Scored(one.scores, own, id_activations.labels[shifted.source[severity]])
    except UserError as error:
        return ShiftResult(scores, ood, reason=str(error))
    return ShiftResult(scores, ood, _shares(scores.id, by_severity, shifted.corruption))


@dataclass(frozen=True, eq=False)
class _Scored:
    scores: FloatVector
    predictions: NDArray[np.int64]
    labels: NDArray[np.int64]


def _shares(
    id_scores: FloatVector, by_severity: Mapping[int, _Scored], corruption: Mapping[int, NDArray[np.int64]]
) -> ShiftRates:
    threshold = metrics.threshold_at_tpr(id_scores)
    columns = []
    for one in by_severity.values():
        kept = one.scores >= threshold
        labelled, right = one.labels >= 0, one.predictions == one.labels
        columns.append(
            (
                _share(kept, np.ones_like(kept)),
                metrics.auroc(id_scores, one.scores),
                _share(right, labelled),
                _share(right, labelled & kept),
                _share(right, labelled & ~kept),
                _share(~kept, labelled & right),
            )
        )
    parts = [
        [by_severity[severity].scores[corruption[severity] == column] for column in range(len(CORRUPTIONS))]
        for severity in SEVERITIES
    ]
    cells: dict[Metric, FloatVector] = {
        "kept": np.array([[metrics.share_reaching(scores, threshold) for scores in row] for row in parts]),
        "auroc": np.array([[metrics.auroc(id_scores, scores) for scores in row] for row in parts]),
    }
    kept, auroc, right, among_kept, among_rejected, thrown_away = np.array(columns).T
    return ShiftRates(kept, auroc, cells, right, among_kept, among_rejected, thrown_away)


def _share(of: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(np.mean(of[among])) if among.any() else float("nan")
