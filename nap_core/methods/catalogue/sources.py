"""Papers, parameters and published weights that several records share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nap_core.methods.spec import Parameter, Value

NAP_PAPER: dict[str, Any] = {
    "paper": "Out-of-Distribution Detection using Neural Activation Prior",
    "venue": "arXiv",
    "year": 2024,
    "url": "https://arxiv.org/abs/2402.18162",
}
ASH_PAPER: dict[str, Any] = {
    "paper": "Extremely Simple Activation Shaping for Out-of-Distribution Detection",
    "venue": "ICLR",
    "year": 2023,
    "url": "https://openreview.net/pdf?id=ndYXTEL6cZz",
}
DICE_PAPER: dict[str, Any] = {
    "paper": "DICE: Leveraging Sparsification for Out-of-Distribution Detection",
    "venue": "ECCV",
    "year": 2022,
    "url": "https://arxiv.org/abs/2111.09805",
}
MAHALANOBIS_PAPER: dict[str, Any] = {
    "paper": "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks",
    "venue": "NeurIPS",
    "year": 2018,
    "url": "https://arxiv.org/abs/1807.03888",
}
MAXLOGIT_PAPER: dict[str, Any] = {
    "paper": "Scaling Out-of-Distribution Detection for Real-World Settings",
    "venue": "ICML",
    "year": 2022,
    "url": "https://arxiv.org/abs/1911.11132",
}
PERCENTILE = "share of the activations that are pruned, the smallest first"


def published_w(cifar10: float, cifar100: float, imagenet: float) -> dict[str, float]:
    """The weights of NAP's Table 11 by ID dataset."""
    return {"CIFAR-10": cifar10, "CIFAR-100": cifar100, "ImageNet-1k": imagenet}


def percentile(default: float, source: str, by_benchmark: Mapping[str, Value], meaning: str = PERCENTILE) -> Parameter:
    """The parameter of methods that prune pooled features."""
    return Parameter("percentile", meaning, default, source, 0.0, 0.99, (), by_benchmark, high_on="all but one feature")


def ash_variant(default: str, source: str) -> Parameter:
    """The parameter that chooses among ASH-P, ASH-B and ASH-S."""
    return Parameter("variant", "how the kept activations are treated", default, source, choices=("p", "b", "s"))


def input_step(default: float, source: str) -> Parameter:
    """The parameter of methods that move the input along its gradient."""
    return Parameter("eps", "length of the step, for pixels between 0 and 1", default, source, 0.0, 0.1)
