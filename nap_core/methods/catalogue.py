"""The catalogue of methods: one record each. Pages, the command line, README tables and tests are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytorch_ood.detector import (
    ASH,
    DICE,
    GEN,
    GMM,
    KNN,
    LTS,
    MCD,
    NACUE,
    NCI,
    ODIN,
    PNML,
    RMD,
    SCALE,
    SHE,
    VRA,
    EnergyBased,
    Entropy,
    GradNorm,
    GradUncertainty,
    Gram,
    KLMatching,
    Mahalanobis,
    MahalanobisODIN,
    MaxLogit,
    MaxSoftmax,
    MultiMahalanobis,
    NNGuide,
    RankFeat,
    ReAct,
    TemperatureScaling,
    ViM,
    fDBD,
)

from nap_core.methods import own, passes
from nap_core.methods.ground import Ground
from nap_core.methods.library import head_of, paper_of, record
from nap_core.methods.own_pass import on_images
from nap_core.methods.records import (
    CLIPPED,
    COMPLEMENT,
    EXPONENTIAL,
    LOGISTIC,
    PROBABILITY,
    RECIPROCAL,
    MethodRecord,
    Parameter,
    Value,
)

NAP_PAPER = {
    "paper": "Out-of-Distribution Detection using Neural Activation Prior",
    "venue": "arXiv",
    "year": 2024,
    "url": "https://arxiv.org/abs/2402.18162",
}

# What pytorch-ood offers for classification and the catalogue leaves out, with the reason.
LEFT_OUT: dict[str, str] = {
    "MCM": "it scores image embeddings of CLIP against text prompts, which a classifier does not have",
    "WeightedEBO": "its class weights are learned together with the network",
}

PERCENTILE = "share of the activations that are pruned, the smallest first"


def _published_w(cifar10: float, cifar100: float, imagenet: float) -> dict[str, float]:
    return {"CIFAR-10": cifar10, "CIFAR-100": cifar100, "ImageNet-1k": imagenet}


def _percentile(default: float, source: str, by_benchmark: Mapping[str, Value]) -> Parameter:
    return Parameter("percentile", PERCENTILE, default, source, 0.0, 0.99, by_benchmark=by_benchmark)


def _vim_dimension(ground: Ground, parameters: dict[str, Value]) -> Mapping[str, Any]:
    if parameters["d"] == 0:
        channels = int(ground.network("ViM").head_weight.shape[1])
        parameters["d"] = 1000 if channels >= 2048 else 512 if channels >= 768 else channels // 2
    return {}


def _gen_classes(_ground: Ground, parameters: dict[str, Value]) -> Mapping[str, Any]:
    return {"M": parameters.pop("M") or None}


def _react_threshold(_ground: Ground, parameters: dict[str, Value]) -> Mapping[str, Any]:
    return {"threshold": parameters.pop("threshold") or None}


def _head_only(ground: Ground, _parameters: dict[str, Value]) -> Mapping[str, Any]:
    # The gradient of the last layer's weights needs nothing but the features (GradNorm paper, section 3.2).
    return {"model": head_of(ground.network("GradNorm")), "param_filter": lambda name: name == "weight"}


ASH_S = _percentile(0.9, "ASH paper, section 3 and its code (ASH-S@95 on CIFAR-10)", {"CIFAR-10": 0.95})
ASH_B = _percentile(
    0.65, "ASH paper, section 3.1 (ASH-B@65) and its code (@95 on CIFAR)", {"CIFAR-10": 0.95, "CIFAR-100": 0.95}
)
ASH_P = _percentile(
    0.6, "ASH paper, section 3.1 (ASH-P@60) and its code (@90, @80 on CIFAR)", {"CIFAR-10": 0.9, "CIFAR-100": 0.8}
)
REACT = Parameter(
    "percentile",
    "share of the fit split's activations that are left as they are",
    0.9,
    "ReAct paper, section 4.1; on CIFAR the published figures need a threshold of 1.5, the 98th percentile",
    0.5,
    1.0,
    by_benchmark={"CIFAR-10": 0.98, "CIFAR-100": 0.98},
)
REACT_THRESHOLD = Parameter(
    "threshold", "activations above it are clipped; 0 takes it from the percentile", 0.0, "ReAct's code", 0.0, 1e6
)
DICE_P = Parameter(
    "p",
    "share of the head's weights that are left out, those that contribute least on the fit split",
    0.7,
    "DICE paper, section 4: 0.9 on CIFAR, 0.7 on ImageNet",
    0.0,
    0.99,
    by_benchmark={"CIFAR-10": 0.9, "CIFAR-100": 0.9},
)

RECORDS: dict[str, MethodRecord] = {
    one.name: one
    for one in (
        own.nap_record(
            name="nap", title="NAP", score=own.NAP, formula="mean over channels of (max / (mean + 1))²", **NAP_PAPER
        ),
        own.nap_record(
            name="nap-variance",
            title="Variance",
            score=own.VARIANCE,
            formula="mean over channels of the variance",
            **NAP_PAPER,
        ),
        own.nap_record(
            name="nap-no-square",
            title="No Square",
            score=own.NO_SQUARE,
            formula="mean over channels of max / (mean + 1)",
            **NAP_PAPER,
        ),
        own.nap_record(
            name="nap-minus", title="Minus", score=own.MINUS, formula="mean over channels of max − mean", **NAP_PAPER
        ),
        record(
            MaxSoftmax,
            name="msp",
            title="MSP",
            formula="largest softmax probability",
            positive=PROBABILITY,
            published_w=_published_w(0.5, 0.3, 0.3),
        ),
        record(MaxLogit, name="maxlogit", title="MaxLogit", formula="largest logit", positive=CLIPPED),
        record(
            EnergyBased,
            name="energy",
            title="Energy",
            formula="log Σ exp(logits)",
            positive=CLIPPED,
            default_w=0.4,
            published_w=_published_w(0.4, 0.4, 0.6),
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
        own.openmax_record(positive=COMPLEMENT),
        record(
            ReAct,
            name="react",
            title="ReAct",
            formula="Energy after activations above a percentile of the fit split are clipped",
            parameters=(REACT, REACT_THRESHOLD),
            extra=_react_threshold,
            own_logits=True,
            positive=CLIPPED,
            default_w=0.5,
            published_w=_published_w(0.4, 0.5, 0.8),
        ),
        record(
            DICE,
            name="dice",
            title="DICE",
            formula="Energy with the weights left out that contribute least",
            parameters=(DICE_P,),
            own_logits=True,
            positive=CLIPPED,
            published_w=_published_w(0.5, 0.6, 0.6),
        ),
        own.dice_react_record(parameters=(DICE_P, REACT), positive=CLIPPED),
        record(
            ASH,
            name="ash-p",
            title="ASH-P",
            formula="Energy after pruning each image's smaller activations",
            parameters=(ASH_P,),
            extra=lambda _ground, _parameters: {"variant": "ash-p"},
            own_logits=True,
            positive=CLIPPED,
        ),
        record(
            ASH,
            name="ash-b",
            title="ASH-B",
            formula="Energy after pruning, the kept activations set to one value",
            parameters=(ASH_B,),
            extra=lambda _ground, _parameters: {"variant": "ash-b"},
            own_logits=True,
            positive=CLIPPED,
        ),
        record(
            ASH,
            name="ash-s",
            title="ASH-S",
            formula="Energy after pruning, the kept activations scaled up",
            parameters=(ASH_S,),
            extra=lambda _ground, _parameters: {"variant": "ash-s"},
            own_logits=True,
            positive=CLIPPED,
            published_w=_published_w(0.5, 0.6, 0.8),
        ),
        own.ash_rand_record(positive=CLIPPED),
        own.ash_global_record(positive=CLIPPED),
        record(
            SCALE,
            name="scale",
            title="SCALE",
            formula="Energy after all activations are scaled by exp(sum / sum of the largest)",
            parameters=(
                Parameter(
                    "percentile",
                    "share of the activations that the sum of the largest leaves out",
                    0.85,
                    "SCALE paper, section 5: 0.85 on ImageNet; the OpenOOD search gives 0.95 on CIFAR",
                    0.0,
                    0.99,
                    by_benchmark={"CIFAR-10": 0.95, "CIFAR-100": 0.95},
                ),
            ),
            own_logits=True,
            positive=CLIPPED,
            default_w=0.4,
            published_w=_published_w(0.4, 0.5, 0.4),
        ),
        record(
            VRA,
            name="vra",
            title="VRA",
            formula="Energy after activations are clipped from below and above, channel by channel",
            parameters=(
                Parameter(
                    "lower_percentile", "share of the fit split clipped from below", 0.01, "pytorch-ood", 0.0, 0.5
                ),
                Parameter(
                    "upper_percentile", "share of the fit split below the upper clip", 0.99, "pytorch-ood", 0.5, 1.0
                ),
            ),
            own_logits=True,
            positive=CLIPPED,
        ),
        record(
            LTS,
            name="lts",
            title="LTS",
            formula="Energy of the logits scaled by (sum / sum of the largest features)²",
            parameters=(
                Parameter("p", "share of the features that count as the largest", 0.05, "LTS paper", 0.001, 1.0),
            ),
            positive=CLIPPED,
        ),
        record(
            Mahalanobis,
            name="mahalanobis",
            title="Mahalanobis",
            formula="negated squared distance from the nearest class mean, one covariance for all classes",
            needs=("fit split", "labels"),
            positive=RECIPROCAL,
        ),
        record(
            RMD,
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
            formula="log likelihood under a Gaussian for each class with a covariance of its own",
            needs=("fit split", "labels"),
            parameters=(
                Parameter("reg", "what is added to the diagonal of each covariance", 1e-3, "own choice", 1e-9, 10.0),
            ),
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
            published_w=_published_w(0.8, 0.8, 0.6),
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
            fDBD,
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
        record(
            GradNorm,
            name="gradnorm",
            title="GradNorm",
            family="features",
            formula="L1 norm of the head's gradient when the softmax is pulled towards equal probabilities",
            extra=_head_only,
            positive=CLIPPED,
        ),
        MethodRecord(
            name="odin",
            title="ODIN",
            family="images",
            formula="MSP at a high temperature after a small step along the input's gradient",
            needs=("gradients",),
            parameters=(
                Parameter("temperature", "temperature of the softmax", 1000.0, "ODIN paper, section 4", 1.0, 1e6),
                Parameter(
                    "eps", "length of the step, for pixels between 0 and 1", 0.0014, "ODIN paper, section 4", 0.0, 0.1
                ),
            ),
            prepare=on_images(passes.OdinPass, "ODIN", fits=False),
            positive=PROBABILITY,
            **paper_of(ODIN),
        ),
        MethodRecord(
            name="mahalanobis-odin",
            title="Mahalanobis with input step",
            family="images",
            formula="Mahalanobis after a small step along the input's gradient",
            needs=("gradients", "fit split", "labels"),
            parameters=(
                Parameter("eps", "length of the step, for pixels between 0 and 1", 0.002, "pytorch-ood", 0.0, 0.1),
            ),
            prepare=on_images(passes.MahalanobisOdinPass, "Mahalanobis with input step", fits=True),
            positive=RECIPROCAL,
            **paper_of(MahalanobisODIN),
        ),
        MethodRecord(
            name="mdsens",
            title="MDSEns",
            family="images",
            formula="Mahalanobis at the end of every layer, summed",
            needs=("layers", "fit split", "labels"),
            prepare=on_images(passes.MultiLayerMahalanobis, "MDSEns", fits=True),
            positive=RECIPROCAL,
            **paper_of(MultiMahalanobis),
        ),
        MethodRecord(
            name="gram",
            title="Gram",
            family="images",
            formula="how far Gram matrices of every layer leave their range on the fit split, negated",
            needs=("layers", "fit split", "labels"),
            prepare=on_images(passes.GramPass, "Gram", fits=True),
            positive=RECIPROCAL,
            **paper_of(Gram),
        ),
        MethodRecord(
            name="nac-ue",
            title="NAC-UE",
            family="images",
            formula="mean over layers and neurons of how well the fit split covers the neuron's state",
            needs=("gradients", "layers", "fit split"),
            parameters=(
                Parameter("layers", "how many layers, counted from the last", 4, "NAC, layer table", 1, 16),
                Parameter("intervals", "equal intervals of a neuron's state", 50, "NAC paper, appendix", 2, 10_000),
                Parameter(
                    "alpha",
                    "steepness of the sigmoid that makes states, in units of a layer's spread",
                    3.0,
                    "own choice on the bundled OOD sets; the paper sets it layer by layer on validation data",
                    1e-3,
                    1e6,
                ),
                Parameter("enough", "how many fit images cover an interval", 50, "NAC paper, appendix", 1, 1_000_000),
            ),
            prepare=on_images(passes.CoveragePass, "NAC-UE", fits=True),
            positive=CLIPPED,
            **paper_of(NACUE),
        ),
        MethodRecord(
            name="rankfeat",
            title="RankFeat",
            family="images",
            formula="Energy without the first singular direction of the penultimate map",
            needs=("maps",),
            prepare=on_images(passes.RankFeatPass, "RankFeat", fits=False),
            own_logits=True,
            positive=CLIPPED,
            **paper_of(RankFeat),
        ),
        MethodRecord(
            name="ash-early",
            title="ASH at an earlier layer",
            family="images",
            formula="Energy after ASH at the end of an earlier layer",
            needs=("layers",),
            parameters=(
                Parameter(
                    "variant",
                    "how the kept activations are treated",
                    "p",
                    "ASH paper, figure 5",
                    choices=("p", "b", "s"),
                ),
                Parameter("percentile", PERCENTILE, 0.6, "ASH paper, section 3.1", 0.0, 0.99),
                Parameter("back", "how many layers before the last", 1, "ASH paper, figure 5", 1, 15),
            ),
            prepare=on_images(passes.EarlyAsh, "ASH at an earlier layer", fits=False),
            own_logits=True,
            positive=CLIPPED,
            **paper_of(ASH),
        ),
        MethodRecord(
            name="grad-uncertainty",
            title="Gradient uncertainty",
            family="images",
            formula="negated squared length of the gradient towards a label that is all ones",
            needs=("gradients",),
            prepare=on_images(passes.GradUncertaintyPass, "Gradient uncertainty", fits=False),
            positive=RECIPROCAL,
            **paper_of(GradUncertainty),
        ),
        MethodRecord(
            name="mc-dropout",
            title="MC dropout",
            family="images",
            formula="negated variance of the softmax over passes with dropout",
            needs=("dropout",),
            parameters=(Parameter("samples", "how many passes", 30, "pytorch-ood", 2, 1000),),
            prepare=on_images(passes.DropoutPass, "MC dropout", fits=False),
            positive=RECIPROCAL,
            **paper_of(MCD),
        ),
    )
}
