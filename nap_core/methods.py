"""The catalogue of methods. Each turns activations into one score an image; higher means more in-distribution.

pytorch-ood's detectors give outlier scores; ``_from_pytorch_ood`` is the one place where they are negated. A
combination with NAP is written "nap+energy" and needs no record of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_ood.api import LogitsDetector
from pytorch_ood.detector import EnergyBased, MaxSoftmax

from nap_core.activations import Activations
from nap_core.combination import combine
from nap_core.errors import UserError
from nap_core.nap import nap_score

Scores = NDArray[np.float64]
TINY = 1e-6
NAP_PAPER = "Out-of-Distribution Detection using Neural Activation Prior"


@dataclass(frozen=True)
class MethodRecord:
    """What is known of a method before it runs.

    ``positive`` makes the score positive for the combination with NAP, and for nothing else; ``positive_note`` says how
    in a sentence. ``published_w`` is the weight of NAP's Table 11 by ID dataset, ``default_w`` what is used elsewhere.
    """

    name: str
    title: str
    paper: str
    venue: str
    year: int
    needs: tuple[str, ...]
    formula: str
    score: Callable[[Activations], Scores]
    positive: Callable[[Scores], Scores] | None = None
    positive_note: str = ""
    default_w: float = 0.5
    published_w: Mapping[str, float] = field(default_factory=dict)

    def positive_score(self, activations: Activations) -> Scores:
        """The score in the positive form that the combination needs, (N,). Raises UserError when there is none."""
        if self.positive is None:
            raise UserError(f"{self.title} has no positive form, so NAP cannot be combined with it.")
        return self.positive(self.score(activations))


def _from_pytorch_ood(detector: LogitsDetector) -> Callable[[Activations], Scores]:
    def score(activations: Activations) -> Scores:
        # In double precision: a softmax in single precision gives exactly 1 for many confident images, and ties.
        logits = torch.from_numpy(np.array(activations.logits, dtype=np.float64))
        outlier: Scores = detector.predict_logits(logits).numpy()
        return -outlier

    return score


def _as_it_is(scores: Scores) -> Scores:
    return scores


def _clipped(scores: Scores) -> Scores:
    return np.maximum(scores, TINY)


RECORDS: dict[str, MethodRecord] = {
    record.name: record
    for record in (
        MethodRecord(
            name="nap",
            title="NAP",
            paper=NAP_PAPER,
            venue="arXiv",
            year=2024,
            needs=("maximum", "mean"),
            formula="mean over channels of (max / (mean + 1))²",
            score=nap_score,
        ),
        MethodRecord(
            name="msp",
            title="MSP",
            paper=MaxSoftmax.info.paper.title,
            venue=MaxSoftmax.info.paper.venue,
            year=MaxSoftmax.info.paper.year,
            needs=("logits",),
            formula="largest softmax probability",
            score=_from_pytorch_ood(MaxSoftmax(None)),
            positive=_as_it_is,
            positive_note="MSP is a probability, so it is positive as it is.",
            default_w=0.5,
            published_w={"CIFAR-10": 0.5, "CIFAR-100": 0.3, "ImageNet-1k": 0.3},
        ),
        MethodRecord(
            name="energy",
            title="Energy",
            paper=EnergyBased.info.paper.title,
            venue=EnergyBased.info.paper.venue,
            year=EnergyBased.info.paper.year,
            needs=("logits",),
            formula="log Σ exp(logits)",
            score=_from_pytorch_ood(EnergyBased(None)),
            positive=_clipped,
            positive_note=f"Energy's log-sum-exp of the logits is clipped at {TINY:g} where it is not positive.",
            default_w=0.4,
            published_w={"CIFAR-10": 0.4, "CIFAR-100": 0.4, "ImageNet-1k": 0.6},
        ),
    )
}

COMBINATIONS: tuple[str, ...] = tuple(f"nap+{name}" for name, record in RECORDS.items() if record.positive)
NAMES: tuple[str, ...] = (*RECORDS, *COMBINATIONS)


def parts(name: str) -> tuple[MethodRecord, ...]:
    """The records that ``name`` is made of: one, or NAP's and the other's for "nap+other".

    Raises UserError for a name that is not in the catalogue and for a method that NAP cannot be combined with.
    """
    lead, plus, other = name.partition("+")
    if name not in NAMES:
        reason = " (the order is nap+other)" if plus and f"{other}+{lead}" in NAMES else ""
        raise UserError(f"There is no method called “{name}”{reason}. There are: {', '.join(NAMES)}.")
    return (RECORDS[lead], RECORDS[other]) if plus else (RECORDS[lead],)


def combination_parts(name: str) -> tuple[MethodRecord, MethodRecord]:
    """NAP's record and the other's. Raises UserError when ``name`` is no combination."""
    found = parts(name)
    if len(found) != 2:
        raise UserError(f"{found[0].title} is no combination. There are: {', '.join(COMBINATIONS)}.")
    return found[0], found[1]


def title(name: str) -> str:
    """The name as it is printed: "NAP+Energy" for "nap+energy"."""
    return "+".join(record.title for record in parts(name))


def default_w(name: str, knows: str | None = None) -> float | None:
    """The weight a combination uses when nobody chose one: the paper's for the ID dataset, else the record's.

    None for a method that is no combination.
    """
    found = parts(name)
    return found[1].published_w.get(knows or "", found[1].default_w) if len(found) == 2 else None


def score(name: str, activations: Activations, *, w: float | None = None, knows: str | None = None) -> Scores:
    """The score of every image under the method ``name``: (N,) float64, higher means more in-distribution.

    ``w`` is the weight of the other method in a combination; None takes ``default_w``. Raises UserError for an unknown
    method, ValueError for a w outside [0, 1].
    """
    found = parts(name)
    if len(found) == 1:
        return found[0].score(activations)
    weight = default_w(name, knows) if w is None else w
    nap, other = combination_parts(name)
    if weight is None:
        raise ValueError(f"{name} has no default weight")
    return combine(other.positive_score(activations), nap.score(activations), weight)
