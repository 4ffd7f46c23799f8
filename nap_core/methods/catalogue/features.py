"""Methods on the pooled features of the penultimate layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytorch_ood.detector import (
    GMM,
    KNN,
    NCI,
    PNML,
    SHE,
    NNGuide,
    ViM,
)

from nap_core.errors import UserError
from nap_core.methods import custom
from nap_core.methods.catalogue.sources import published_w
from nap_core.methods.context import ScoringContext
from nap_core.methods.pytorch_ood_adapter import record
from nap_core.methods.spec import CLIPPED, COMPLEMENT, LOGISTIC, RECIPROCAL, MethodRecord, Parameter, Value
from nap_core.methods.vectorised import MatrixFDBD, MatrixMahalanobis, MatrixRMD

LARGEST_MIXTURE = 4 * 2**30  # bytes of a Gaussian mixture's covariances


def _vim_dimension(context: ScoringContext, parameters: dict[str, Value]) -> Mapping[str, Any]:
    if parameters["d"] == 0:
        channels = int(context.network("ViM").linear_head("ViM")[0].shape[1])
        parameters["d"] = 1000 if channels >= 2048 else 512 if channels >= 768 else channels // 2
    return {}


def _mixture_fits(context: ScoringContext, _parameters: dict[str, Value]) -> Mapping[str, Any]:
    """Refuse what no memory holds before it is tried: 1,000 classes of 2,048 channels take 33 gigabytes."""
    weight = context.model.head_weight if context.model else None
    if weight is not None:
        classes, channels = weight.shape
        size = 8 * classes * channels**2
        if size > LARGEST_MIXTURE:
            raise UserError(
                f"A Gaussian mixture keeps a covariance matrix for each class: {classes:,} of {channels:,} × "
                f"{channels:,} numbers would take {size / 1e9:,.0f} GB. Use Mahalanobis, whose classes share one."
            )
    return {}


RECORDS: tuple[MethodRecord, ...] = (
    record(
        MatrixMahalanobis,
        name="mahalanobis",
        title="Mahalanobis",
        formula="negated squared distance from the nearest class mean, one covariance for all classes",
        needs=("fit split", "labels"),
        positive=RECIPROCAL,
    ),
    record(
        MatrixRMD,
        name="rmd",
        title="Relative Mahalanobis",
        formula="Mahalanobis less the same distance from the mean of all classes",
        needs=("fit split", "labels"),
        positive=LOGISTIC,
    ),
    record(
        GMM,
        name="gmm",
        title="Gaussian mixture",
        paper="Pattern Recognition and Machine Learning, section 4.2: class-conditional Gaussians",
        venue="Springer",
        year=2006,
        url="https://www.microsoft.com/en-us/research/publication/pattern-recognition-machine-learning/",
        formula="log likelihood under a Gaussian for each class with a covariance of its own",
        needs=("fit split", "labels"),
        parameters=(
            Parameter("reg", "what is added to the diagonal of each covariance", 1e-3, "own choice", 1e-9, 10.0),
        ),
        extra=_mixture_fits,
        positive=LOGISTIC,
    ),
    record(
        KNN,
        name="knn",
        title="KNN",
        formula="negated distance from the k-th nearest feature of the fit split, on the unit sphere",
        parameters=(Parameter("k", "which neighbour", 50, "KNN paper, section 4.1: 50 on CIFAR", 1, 100_000),),
        positive=RECIPROCAL,
        default_w=0.8,
        published_w=published_w(0.8, 0.8, 0.6),
    ),
    record(
        NNGuide,
        name="nnguide",
        title="NNGuide",
        formula="Energy times the mean similarity with the k nearest features, weighted by their Energy",
        parameters=(Parameter("k", "how many neighbours", 10, "NNGuide paper, section 4", 1, 100_000),),
        positive=CLIPPED,
    ),
    record(
        ViM,
        name="vim",
        title="ViM",
        formula="Energy less the scaled length of the feature outside the principal subspace",
        parameters=(
            Parameter(
                "d",
                "dimensions of the principal subspace; 0: 1,000 from 2,048 channels on, 512 from 768 on, else half",
                0,
                "ViM paper, section 5.1",
                0,
                100_000,
            ),
        ),
        extra=_vim_dimension,
        positive=LOGISTIC,
    ),
    record(
        SHE,
        name="she",
        title="SHE",
        formula="inner product of the feature with the predicted class's stored pattern",
        needs=("fit split", "labels"),
        positive=CLIPPED,
    ),
    record(
        MatrixFDBD,
        name="fdbd",
        title="fDBD",
        formula="mean distance from the decision boundaries over the distance from the mean feature",
        positive=CLIPPED,
    ),
    record(
        NCI,
        name="nci",
        title="NCI",
        formula="how far the centred feature points along the predicted class's weights",
        parameters=(
            Parameter(
                "alpha",
                "weight of the feature's L1 norm",
                0.0,
                "NCI paper's code: searched from 0 to 1",
                0.0,
                10.0,
            ),
        ),
        positive=CLIPPED,
    ),
    record(
        PNML,
        name="pnml",
        title="pNML",
        formula="negated regret of the best learner that sees the image's true class",
        positive=COMPLEMENT,
    ),
    custom.gradnorm_record(positive=CLIPPED),
)
