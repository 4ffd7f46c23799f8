"""Methods that need the logits and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytorch_ood.detector import (
    GEN,
    EnergyBased,
    Entropy,
    KLMatching,
    MaxLogit,
    MaxSoftmax,
    TemperatureScaling,
)

from nap_core.methods import custom
from nap_core.methods.catalogue.sources import published_w
from nap_core.methods.context import ScoringContext
from nap_core.methods.pytorch_ood_adapter import record
from nap_core.methods.spec import CLIPPED, COMPLEMENT, EXPONENTIAL, PROBABILITY, MethodRecord, Parameter, Value


def _gen_classes(_ground: ScoringContext, parameters: dict[str, Value]) -> Mapping[str, Any]:
    return {"M": parameters.pop("M") or None}


RECORDS: tuple[MethodRecord, ...] = (
    record(
        MaxSoftmax,
        name="msp",
        title="MSP",
        formula="largest softmax probability",
        positive=PROBABILITY,
        published_w=published_w(0.5, 0.3, 0.3),
    ),
    record(MaxLogit, name="maxlogit", title="MaxLogit", formula="largest logit", positive=CLIPPED),
    record(
        EnergyBased,
        name="energy",
        title="Energy",
        formula="log Σ exp(logits)",
        positive=CLIPPED,
        default_w=0.4,
        published_w=published_w(0.4, 0.4, 0.6),
    ),
    record(
        Entropy,
        name="entropy",
        title="Entropy",
        formula="negated entropy of the softmax",
        positive=EXPONENTIAL,
    ),
    record(
        GEN,
        name="gen",
        title="GEN",
        formula="negated generalised entropy of the M largest softmax probabilities",
        parameters=(
            Parameter("gamma", "exponent of the probabilities", 0.1, "GEN paper, section 3", 0.001, 10.0),
            Parameter(
                "M",
                "how many of the largest probabilities count; 0 for all",
                0,
                "GEN paper, section 4: 100 on ImageNet",
                0,
                100_000,
                by_benchmark={"ImageNet-1k": 100},
            ),
        ),
        extra=_gen_classes,
        positive=EXPONENTIAL,
    ),
    record(
        TemperatureScaling,
        name="temperature",
        title="Temperature scaling",
        formula="MSP at the temperature that fits the fit split best",
        needs=("fit split", "labels"),
        positive=PROBABILITY,
    ),
    record(
        KLMatching,
        name="kl-matching",
        title="KL-Matching",
        formula="negated KL divergence from the nearest class's average softmax",
        positive=EXPONENTIAL,
    ),
    custom.openmax_record(positive=COMPLEMENT),
)
