"""NAP and the designs of its Table 6: what other methods are combined with."""

from __future__ import annotations

from nap_core.methods import ours
from nap_core.methods.records import (
    MethodRecord,
)

NAP_PAPER = {
    "paper": "Out-of-Distribution Detection using Neural Activation Prior",
    "venue": "arXiv",
    "year": 2024,
    "url": "https://arxiv.org/abs/2402.18162",
}


RECORDS: tuple[MethodRecord, ...] = (
    ours.nap_record(
        name="nap",
        title="NAP",
        score=ours.NAP,
        formula="mean over channels of (max / (mean + 1))²; on a Transformer max(A), A the class token's attention",
        **NAP_PAPER,
    ),
    ours.nap_record(
        name="nap-variance",
        title="Variance",
        score=ours.VARIANCE,
        formula="mean over channels of the variance",
        **NAP_PAPER,
    ),
    ours.nap_record(
        name="nap-no-square",
        title="No Square",
        score=ours.NO_SQUARE,
        formula="mean over channels of max / (mean + 1)",
        **NAP_PAPER,
    ),
    ours.nap_record(
        name="nap-minus", title="Minus", score=ours.MINUS, formula="mean over channels of max − mean", **NAP_PAPER
    ),
)
