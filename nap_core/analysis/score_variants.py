"""Designs of the score: Table 6 of the NAP paper on any study, a score that a user wrote, and what ε does.

Every design is a prior like NAP: it stands alone, and it is combined with another method, S_other^w · S_design^(1−w).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nap_core import datasets, methods, metrics, nap
from nap_core.analysis import evaluation
from nap_core.analysis.comparison import with_average
from nap_core.analysis.evaluation import MethodScores, method_scores, metrics_of
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.methods.combination import combine
from nap_core.methods.expressions import Expression
from nap_core.metrics import METRIC_TITLES, Metric

DESIGNS = ("nap-variance", "nap-no-square", "nap-minus", "nap")
"""In the order of Table 6; the last is S_NAP."""

OTHER = "energy"  # what Table 6 combines them with
DESIGN_COLUMNS = ["design", "combined", "method", "w", "ood", "fpr95", "auroc", "fpr95_change", "auroc_change"]
EPSILONS = tuple(float(10.0 ** (step / 4)) for step in range(-8, 9))
"""From 0.01 to 100, the paper's 1 among them."""

EXAMPLES: Mapping[str, str] = {
    "S_NAP": "(max / (mean + eps)) ** 2",
    "No Square": "max / (mean + eps)",
    "Minus": "max - mean",
    "Variance": "var",
    "Peak in deviations": "(max - mean) / sqrt(var + 0.01)",
    "Variance over mean": "var / (mean + eps)",
    "Log of the peak": "log(eps + max)",
    "Maximum": "max",
}
"""Expressions to begin with: the designs of Table 6, and others."""
FIRST_EXAMPLE = "Peak in deviations"


def default_weights(data: EvaluationData, other: str = OTHER) -> dict[str, float]:
    """The published w of each design combined with another method.

    Args:
        data: The images and what methods may use besides them.
        other: The other method, by name.

    Returns:
        Design → w, 0 to 1, without designs that have none.
    """
    weights = {design: methods.default_w(f"{design}+{other}", data.context) for design in DESIGNS}
    return {design: w for design, w in weights.items() if w is not None}


def best_weights(data: EvaluationData, other: str = OTHER) -> dict[str, float]:
    """The w of each design with the lowest FPR95 on average, read off the study's own OOD images.

    It is what each can do at most, so that a design does not lose for its exponent (No Square weighs half as much as
    S_NAP at the same w).

    Args:
        data: The images and what methods may use besides them.
        other: The method that the designs are combined with, by name.

    Returns:
        Design → w, 0 to 1.

    Raises:
        UserError: As ``methods.scored`` does, as for a Transformer, which has no designs.
    """
    return {design: evaluation.weight_curve(data, f"{design}+{other}").best("fpr95") for design in DESIGNS}


def others(context: ScoringContext | None = None) -> tuple[str, ...]:
    """The methods that a design can be combined with on stored activations alone.

    Args:
        context: what refuses methods; None for none.

    Returns:
        Their names, without methods that are fitted, made positive with a fit split, need a pass of their own, or are
        refused in the ``context``.
    """
    combinations = (methods.parse(spec) for spec in methods.COMBINATIONS)
    stored = [one.alone for one in combinations if not one.fits and not one.own_pass]
    return tuple(one.record.name for one in stored if context is None or methods.refusal(one, context) is None)


def design_table(
    data: EvaluationData,
    specs: Sequence[str] = DESIGNS,
    *,
    other: str = OTHER,
    weights: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """``other`` alone, each design alone and each combined with it, against every OOD dataset (NAP paper, Table 6).

    Args:
        data: The images and what methods may use besides them.
        specs: The designs, by name.
        other: The method that they are combined with.
        weights: Design → its w in the combination, 0 to 1; the others take their published w.

    Returns:
        A row a method and OOD dataset, and one for their average where there are several: ``design`` (a name of
        ``specs``, empty for the baseline), ``combined``, ``method``, ``w``, ``ood``, ``fpr95``, ``auroc`` (shares), and
        ``fpr95_change``, ``auroc_change``, the difference from the baseline.

    Raises:
        UserError: As ``methods.scored`` does, as for a Transformer, which has no designs.
    """
    rows = [("", False, other), *((spec, False, spec) for spec in specs)]
    rows += [(spec, True, f"{spec}+{other}") for spec in specs]
    parts = []
    for design, combined, method in rows:
        scores = method_scores(data, method, w=(weights or {}).get(design) if combined else None)
        parts.append(figures_of(scores).assign(design=design, combined=combined, method=method, w=scores.w))
    table = pd.concat(parts, ignore_index=True)
    baseline = parts[0].set_index("ood")
    for metric in METRIC_TITLES:
        table[f"{metric}_change"] = table[metric] - table["ood"].map(baseline[metric])
    return table[DESIGN_COLUMNS]


def figures_of(scores: MethodScores) -> pd.DataFrame:
    """FPR95 and AUROC of one method on every OOD dataset and, of several, their average.

    Args:
        scores: The scores of the method.

    Returns:
        One row an OOD dataset, ``AVERAGE`` last: the columns "ood", "fpr95" and "auroc", shares.

    Raises:
        ValueError: The scores of a dataset are empty or not finite.
    """
    return with_average(metrics_of(scores))


OWN = "Own"
"""What a written score is called, as in "Own score" and "Own+Energy"."""


@dataclass(frozen=True)
class WrittenScores(MethodScores):
    """The scores of an expression, alone or combined: no name of the catalogue stands for them.

    Attributes:
        named: The title: "Own", "Own+Energy".
    """

    named: str = ""

    @property
    def title(self) -> str:
        return self.named


def expression_scores(data: EvaluationData, expression: Expression) -> WrittenScores:
    """The score of every image of a study under an expression.

    Args:
        data: The images of the study.
        expression: The expression, over the statistics of each channel.

    Returns:
        The scores of the ID images, (N,), and of each OOD dataset, (M,).

    Raises:
        UserError: A score is not finite; the message names the dataset.
    """

    scores = {}
    for name in data.parts:
        try:
            scores[name] = expression.scores(data.of(name))
        except UserError as error:
            raise UserError(f"{datasets.title(name)}: {error}") from error
    id_scores = scores.pop(data.id_name)
    return WrittenScores("expression", None, id_scores, scores, named=OWN)


def combined_scores(data: EvaluationData, written: MethodScores, other: str, w: float) -> WrittenScores:
    """The scores of an expression combined with a method; what is negative counts as 0, as of every prior.

    Args:
        data: The images and what methods may use besides them.
        written: The scores of the expression on the same images.
        other: The method, by name.
        w: The weight of the method, 0 to 1.

    Returns:
        The scores of the ID images, (N,), and of each OOD dataset, (M,).

    Raises:
        UserError: The method has no positive form here.
        ValueError: ``w`` lies outside [0, 1].
    """
    method = methods.parse(other)

    def of(image_set: ImageSet, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return combine(methods.positive(method, image_set, data.context), np.maximum(scores, 0), w)

    ood = {name: of(part, written.ood[name]) for name, part in data.ood.items()}
    return WrittenScores(
        f"expression+{other}", w, of(data.id, written.id), ood, named=f"{written.title}+{method.title}"
    )


@dataclass(frozen=True)
class EpsilonCurve:
    """FPR95 and AUROC over ε of S_NAP, on D OOD datasets; each metric under its key, "fpr95" or "auroc", shares.

    Attributes:
        epsilon: The values of ε, (E,).
        datasets: Catalogue names of the OOD datasets, in the order of the rows.
        other: The method that NAP is combined with, by name.
        w: The weight of the combination, 0 to 1.
        alone: The metrics of NAP alone, (D, E).
        combined: The metrics of the combination, (D, E).
        baseline: The metrics of ``other`` alone, (D,).
    """

    epsilon: NDArray[np.float64]
    datasets: tuple[str, ...]
    other: str
    w: float
    alone: Mapping[Metric, NDArray[np.float64]]
    combined: Mapping[Metric, NDArray[np.float64]]
    baseline: Mapping[Metric, NDArray[np.float64]]


def epsilon_curve(
    data: EvaluationData, *, other: str = OTHER, w: float | None = None, epsilons: Sequence[float] = EPSILONS
) -> EpsilonCurve:
    """What ε of S_NAP does on a study (NAP paper, section 5: "consistently set to 1.0 for numerical stability").

    Args:
        data: The images and what methods may use besides them.
        other: The method that NAP is combined with.
        w: The weight of the combination, 0 to 1; None takes its published w.
        epsilons: The E values of ε.

    Returns:
        Both metrics of NAP alone and combined, (D, E) each for D OOD datasets, shares.

    Raises:
        UserError: The network is a Transformer, whose NAP has no ε.
        ValueError: The combination has no published w and none is given.
    """
    method = methods.parse(other)
    if data.context.model is not None and data.context.model.reads_attention:
        raise UserError(
            f"{data.context.model.title} is a Transformer: its NAP is max(A), without a mean and without an ε."
        )
    weight = methods.default_w(f"nap+{other}", data.context) if w is None else w
    if weight is None:
        raise ValueError(f"nap+{other} has no default weight")
    kinds: dict[str, Callable[[ImageSet, NDArray[np.float64]], NDArray[np.float64]]] = {
        "alone": lambda _part, prior: prior,
        "combined": lambda part, prior: combine(methods.positive(method, part, data.context), prior, weight),
    }
    curves = {kind: {metric: np.empty((len(data.ood), len(epsilons))) for metric in METRIC_TITLES} for kind in kinds}
    for column, epsilon in enumerate(epsilons):
        id_prior = nap.nap_score(data.id.activations, epsilon)
        ids = {kind: make(data.id, id_prior) for kind, make in kinds.items()}
        for row, part in enumerate(data.ood.values()):
            prior = nap.nap_score(part.activations, epsilon)
            for kind, make in kinds.items():
                scores = make(part, prior)
                curves[kind]["fpr95"][row, column] = metrics.fpr_at_tpr(ids[kind], scores)
                curves[kind]["auroc"][row, column] = metrics.auroc(ids[kind], scores)
    alone = metrics_of(method_scores(data, other))
    baseline = {metric: alone[metric].to_numpy(np.float64) for metric in METRIC_TITLES}
    return EpsilonCurve(
        np.asarray(epsilons), tuple(data.ood), other, weight, curves["alone"], curves["combined"], baseline
    )
