"""Papers, parameters and published weights that several records share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nap_core.methods.spec import Home, Limit, Parameter, Value

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
DENSENET = "DenseNet-BC-100-12"
ON_IMAGENET = Home("ImageNet-1k", ("ResNet-50", "MobileNetV2"))
"""The networks on which ReAct, DICE, ASH and SCALE state their values for ImageNet."""
ON_CIFAR = {name: (Home(name, (DENSENET,)),) for name in ("CIFAR-10", "CIFAR-100")}
"""… and that of their code, and of the NAP paper, for CIFAR."""
CHOSEN_ON_CIFAR = {name: (Home(name, (DENSENET,), published=False),) for name in ON_CIFAR}

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)
"""Values to search among, of a share of activations or weights that a method leaves out: finer where papers look."""
HIGH_SHARES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1.0)
"""… of the share of activations below a clip from above."""
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""… of neighbours or images that are counted."""
STEPS = (0.0, 0.0005, 0.001, 0.0014, 0.002, 0.0028, 0.005, 0.01)
"""… of a step along the input's gradient; the ODIN paper and its code look between 0 and 0.004."""

PERCENTILE = "share of the activations that are pruned, the smallest first"


def published_w(cifar10: float, cifar100: float, imagenet: float) -> dict[str, float]:
    """The weights of NAP's Table 11 by ID dataset."""
    return {"CIFAR-10": cifar10, "CIFAR-100": cifar100, "ImageNet-1k": imagenet}


def percentile(
    default: float,
    source: str,
    by_benchmark: Mapping[str, Value],
    homes: Mapping[str, tuple[Home, ...]],
    meaning: str = PERCENTILE,
) -> Parameter:
    """The parameter of methods that prune pooled features."""
    limit: Limit = "all but one feature"
    return Parameter(
        "percentile", meaning, default, source, 0.0, 0.99, (), by_benchmark, None, limit, homes=homes, search=SHARES
    )


def ash_variant(default: str, source: str) -> Parameter:
    """The parameter that chooses among ASH-P, ASH-B and ASH-S."""
    kinds = ("p", "b", "s")
    return Parameter("variant", "how the kept activations are treated", default, source, choices=kinds, search=kinds)


def input_step(default: float, source: str, *homes: Home) -> Parameter:
    """The parameter of methods that move the input along its gradient."""
    meaning = "length of the step, for pixels between 0 and 1"
    return Parameter("eps", meaning, default, source, 0.0, 0.1, homes={"": homes} if homes else {}, search=STEPS)
