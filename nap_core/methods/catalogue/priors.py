"""NAP and the designs of its Table 6: what other methods are combined with."""

from __future__ import annotations

from nap_core.methods import custom
from nap_core.methods.spec import MethodRecord

NAP_PAPER = {
    "paper": "Out-of-Distribution Detection using Neural Activation Prior",
    "venue": "arXiv",
    "year": 2024,
    "url": "https://arxiv.org/abs/2402.18162",
}


RECORDS: tuple[MethodRecord, ...] = (
    custom.nap_record(
        name="nap",
        title="NAP",
        score=custom.NAP,
        formula="mean over channels of (max / (mean + 1))²; on a Transformer max(A), A the class token's attention",
        **NAP_PAPER,
    ),
    custom.nap_record(
        name="nap-variance",
        title="Variance",
        score=custom.VARIANCE,
        formula="mean over channels of the variance",
        **NAP_PAPER,
    ),
    custom.nap_record(
        name="nap-no-square",
        title="No Square",
        score=custom.NO_SQUARE,
        formula="mean over channels of max / (mean + 1)",
        **NAP_PAPER,
    ),
    custom.nap_record(
        name="nap-minus", title="Minus", score=custom.MINUS, formula="mean over channels of max − mean", **NAP_PAPER
    ),
)
