"""NAP and the designs of its Table 6: the scores that other methods are combined with."""

from __future__ import annotations

from functools import partial

from nap_core.methods.catalogue.sources import NAP_PAPER
from nap_core.methods.spec import MethodRecord, Parameter
from nap_core.nap import EPSILON

EPSILON_PARAMETER = Parameter(
    "epsilon",
    "what is added to the mean before dividing by it",
    EPSILON,
    "NAP paper, section 5",
    1e-6,
    1e3,
    search=(0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0),
)
HEAD = Parameter(
    "head",
    "of a Transformer only: 0 is the mean over the heads of the last block, another number that head alone",
    0,
    "the NAP paper, Appendix K, leaves the heads open",
    0,
    1024,
    high_on="heads",
)

_prior = partial(MethodRecord, family="prior", **NAP_PAPER, prior=True)

RECORDS: tuple[MethodRecord, ...] = (
    _prior(
        name="nap",
        title="NAP",
        formula="mean over channels of (max / (mean + 1))²; on a Transformer max(A), A the class token's attention",
        implementation="nap_core.nap:nap_score",
        parameters=(EPSILON_PARAMETER, HEAD),
    ),
    _prior(
        name="nap-variance",
        title="Variance",
        formula="mean over channels of the variance",
        implementation="nap_core.nap:variance_score",
    ),
    _prior(
        name="nap-no-square",
        title="No Square",
        formula="mean over channels of max / (mean + 1)",
        implementation="nap_core.nap:no_square_score",
        parameters=(EPSILON_PARAMETER,),
    ),
    _prior(
        name="nap-minus",
        title="Minus",
        formula="mean over channels of max − mean",
        implementation="nap_core.nap:minus_score",
    ),
)
