"""What several records share: parameters and published weights."""

from __future__ import annotations

from collections.abc import Mapping

from nap_core.methods.spec import Parameter, Value

PERCENTILE = "share of the activations that are pruned, the smallest first"


def published_w(cifar10: float, cifar100: float, imagenet: float) -> dict[str, float]:
    """The weights of NAP's Table 11 by ID dataset."""
    return {"CIFAR-10": cifar10, "CIFAR-100": cifar100, "ImageNet-1k": imagenet}


def percentile(default: float, source: str, by_benchmark: Mapping[str, Value]) -> Parameter:
    """The parameter of pruning methods."""
    return Parameter("percentile", PERCENTILE, default, source, 0.0, 0.99, by_benchmark=by_benchmark)
