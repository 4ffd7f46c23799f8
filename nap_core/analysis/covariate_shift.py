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
    """The first ``IMAGES`` ID images of the study as its network sees them, each in all 15 corruptions at ``severity``.

    The parameters are those of the published covariate-shift benchmarks: CIFAR-10-C's for views of up to 64 pixels,
    ImageNet-C's above. The search for w takes ImageNet-C's everywhere, because it needs images that are no longer
    ID; here they are meant to stay recognisable. Raises UserError for a reference bank, whose images are not
    shipped.
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
    """Whose parameters the study's shifted images have: "CIFAR-10-C" or "ImageNet-C"."""
    return "CIFAR-10-C" if study.network().transform.crop <= SMALL else "ImageNet-C"


def extraction_plan(study: Study, device: str | None = None) -> extraction.ExtractionPlan:
    """The shifted images through the study's network, a step for each severity. Raises as ``shifted_images`` does."""
    sites = (for_views(study.network()),)
    return extraction.ExtractionPlan(
        [extraction.ExtractionStep(sites, shifted_images(study, severity)) for severity in SEVERITIES], device
    )


@dataclass(frozen=True, eq=False)
class Shifted:
    """What one pass kept of the shifted images: ``parts`` by severity, each of K corruptions × I images.

    ``source`` and ``corruption`` (5, I·K) give the ID image of each row and its index in ``CORRUPTIONS``.
    """

    images: int
    parts: Mapping[int, ImageSet]
    source: Mapping[int, NDArray[np.int64]]
    corruption: Mapping[int, NDArray[np.int64]]


def shifted(study: Study, activations: Sequence[Activations]) -> Shifted:
    """The shifted images of the study from what its ``extraction_plan`` gave."""
    plans = {severity: shifted_images(study, severity).plan for severity in SEVERITIES}
    sources = {severity: plan.source for severity, plan in plans.items()}
    kinds = {severity: plan.corruption for severity, plan in plans.items()}
    # Without the images: no method runs the network over them again.
    parts = {severity: ImageSet(one) for severity, one in zip(SEVERITIES, activations, strict=True)}
    return Shifted(len(activations[0]) // len(CORRUPTIONS), parts, sources, kinds)


@dataclass(frozen=True, eq=False)
class ShiftRates:
    """What a method does to shifted images; index 0 of the severities is the clean image. All are shares of 0 to 1.

    ``kept`` and ``auroc`` (6,) are over all corruptions: the images that reach the threshold, and the AUROC of the
    study's ID images against them. ``cells`` holds both for each severity from 1 and each of ``CORRUPTIONS``, (5, K).
    ``right`` (6,) are the images that the network classifies correctly, ``right_among_kept`` and
    ``right_among_rejected`` the same among those, ``rejected_among_right`` the rejected ones among the correct ones.
    These four are NaN where there are no such images, or no classes.
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
    """One method on all that is not clean ID: ``ood`` has FPR95 (as "kept") and AUROC of each OOD dataset, shares.

    ``scores`` are those of the study. ``shift`` is None where there are no shifted images or the method cannot score
    them; ``reason`` then says why.
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
        """The mean of a metric over the OOD datasets ``names``, each counted once; NaN for none."""
        return float(np.mean([self.ood[name][metric] for name in names])) if names else float("nan")


def respond(data: EvaluationData, shifted: Shifted | None, scores: MethodScores) -> ShiftResult:
    """A method on the study's OOD datasets and on ``shifted``, at the threshold of all the study's ID images.

    ``scores`` are the method's on the study, as ``evaluation.method_scores`` gives them.
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
