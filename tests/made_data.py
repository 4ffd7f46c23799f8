"""Evaluation data of activations alone, for tests without images."""

from __future__ import annotations

from collections.abc import Mapping

from nap_core.activations import Activations
from nap_core.methods import EvaluationData, ImageSet, ScoringContext


def made_data(
    id_activations: Activations,
    ood: Mapping[str, Activations],
    context: ScoringContext | None = None,
    id_name: str = "cifar10",
) -> EvaluationData:
    """The data of activations that a test made up; the network is one of CIFAR-10 where no context says otherwise."""
    parts = {name: ImageSet(one) for name, one in ood.items()}
    return EvaluationData(id_name, ImageSet(id_activations), parts, context or ScoringContext(trained_on="CIFAR-10"))
