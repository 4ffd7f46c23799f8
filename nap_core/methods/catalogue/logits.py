"""Methods that need the logits and nothing else."""

from __future__ import annotations

from functools import partial

from nap_core.methods.catalogue.sources import MAXLOGIT_PAPER, published_w
from nap_core.methods.spec import CLIPPED, COMPLEMENT, EXPONENTIAL, PROBABILITY, MethodRecord, Parameter

_logits = partial(MethodRecord, family="logits")

RECORDS: tuple[MethodRecord, ...] = (
    _logits(
        name="msp",
        title="MSP",
        paper="A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural Networks",
        venue="ICLR",
        year=2017,
        url="https://arxiv.org/abs/1610.02136",
        formula="largest softmax probability",
        implementation="pytorch_ood.detector:MaxSoftmax",
        positive=PROBABILITY,
        published_w=published_w(0.5, 0.3, 0.3),
    ),
    _logits(
        name="maxlogit",
        title="MaxLogit",
        **MAXLOGIT_PAPER,
        formula="largest logit",
        implementation="pytorch_ood.detector:MaxLogit",
        reads_scale=True,
        positive=CLIPPED,
    ),
    _logits(
        name="energy",
        title="Energy",
        paper="Energy-based Out-of-distribution Detection",
        venue="NeurIPS",
        year=2020,
        url="https://proceedings.neurips.cc/paper/2020/file/f5496252609c43eb8a3d147ab9b9c006-Paper.pdf",
        formula="log Σ exp(logits)",
        implementation="pytorch_ood.detector:EnergyBased",
        reads_scale=True,
        positive=CLIPPED,
        default_w=0.4,
        published_w=published_w(0.4, 0.4, 0.6),
    ),
    _logits(
        name="entropy",
        title="Entropy",
        paper="Entropy Maximization and Meta Classification for Out-of-Distribution Detection in Semantic Segmentation",
        venue="ICCV",
        year=2021,
        url="https://arxiv.org/abs/2012.06575",
        formula="negated entropy of the softmax",
        implementation="pytorch_ood.detector:Entropy",
        positive=EXPONENTIAL,
    ),
    _logits(
        name="gen",
        title="GEN",
        paper="GEN: Pushing the Limits of Softmax-Based Out-of-Distribution Detection",
        venue="CVPR",
        year=2023,
        url="https://openaccess.thecvf.com/content/CVPR2023/html/Liu_GEN_Pushing_the_Limits_of_Softmax-Based_Out-of-Distribution_Detection_CVPR_2023_paper.html",
        formula="negated generalised entropy of the M largest softmax probabilities",
        implementation="pytorch_ood.detector:GEN",
        arguments="nap_core.methods.pytorch_ood_adapter:zero_as_none",
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
                high_on="classes",
            ),
        ),
        positive=EXPONENTIAL,
    ),
    _logits(
        name="temperature",
        title="Temperature scaling",
        paper="On Calibration of Modern Neural Networks",
        venue="ICML",
        year=2017,
        url="https://arxiv.org/pdf/1706.04599.pdf",
        formula="MSP at the temperature that fits the fit split best",
        implementation="pytorch_ood.detector:TemperatureScaling",
        needs=("fit split", "labels"),
        positive=PROBABILITY,
    ),
    _logits(
        name="kl-matching",
        title="KL-Matching",
        **MAXLOGIT_PAPER,
        formula="negated KL divergence from the nearest class's average softmax",
        implementation="pytorch_ood.detector:KLMatching",
        needs=("fit split",),
        positive=EXPONENTIAL,
    ),
    _logits(
        name="openmax",
        title="OpenMax",
        paper="Towards Open Set Deep Networks",
        venue="CVPR",
        year=2016,
        url="https://arxiv.org/abs/1511.06233",
        formula="one minus the probability of an unknown class, from distances to class means of the logits",
        implementation="nap_core.methods.vectorised:VectorisedOpenMax",
        reads_scale=True,
        needs=("fit split", "labels"),
        parameters=(
            Parameter(
                "tailsize",
                "how many of a class's farthest images its Weibull is fitted to",
                25,
                "pytorch-ood",
                2,
                10_000,
                high_on="images of a class",
            ),
            Parameter(
                "alpha",
                "how many of the largest logits are revised",
                10,
                "OpenMax paper, section 3",
                1,
                1000,
                high_on="classes",
            ),
            Parameter(
                "euclid_weight", "share of the Euclidean distance beside the cosine's", 1.0, "pytorch-ood", 0.0, 1.0
            ),
        ),
        positive=COMPLEMENT,
    ),
)
