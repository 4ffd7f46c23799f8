"""Methods that run the network again over the images."""

from __future__ import annotations

from functools import partial

from nap_core.methods.catalogue.sources import ASH_PAPER, MAHALANOBIS_PAPER, PERCENTILE, ash_variant, input_step
from nap_core.methods.spec import CLIPPED, PROBABILITY, RECIPROCAL, MethodRecord, Parameter

_images = partial(MethodRecord, family="images")

RECORDS: tuple[MethodRecord, ...] = (
    _images(
        name="odin",
        title="ODIN",
        paper="Enhancing The Reliability of Out-of-distribution Image Detection in Neural Networks",
        venue="ICLR",
        year=2018,
        url="https://arxiv.org/abs/1706.02690",
        formula="MSP at a high temperature after a small step along the input's gradient",
        implementation="pytorch_ood.detector:ODIN",
        needs=("gradients",),
        parameters=(
            Parameter("temperature", "temperature of the softmax", 1000.0, "ODIN paper, section 4", 1.0, 1e6),
            input_step(0.0014, "ODIN paper, section 4"),
        ),
        positive=PROBABILITY,
    ),
    _images(
        name="mahalanobis-odin",
        title="Mahalanobis with input step",
        **MAHALANOBIS_PAPER,
        formula="Mahalanobis after a small step along the input's gradient",
        implementation="nap_core.methods.image_based_detectors:PerturbedMahalanobis",
        needs=("gradients", "fit split", "labels"),
        parameters=(input_step(0.002, "pytorch-ood"),),
        positive=RECIPROCAL,
    ),
    _images(
        name="mdsens",
        title="MDSEns",
        **MAHALANOBIS_PAPER,
        formula="Mahalanobis at the end of every layer, summed",
        implementation="nap_core.methods.image_based_detectors:MultiLayerMahalanobis",
        needs=("layers", "fit split", "labels"),
        positive=RECIPROCAL,
    ),
    _images(
        name="gram",
        title="Gram",
        paper="Detecting Out-of-Distribution Examples with Gram Matrices",
        venue="ICML",
        year=2020,
        url="https://arxiv.org/abs/1912.12510",
        formula="how far Gram matrices of every layer leave their range on the fit split, negated",
        implementation="nap_core.methods.image_based_detectors:GramMatrices",
        needs=("layers", "fit split", "labels"),
        positive=RECIPROCAL,
    ),
    _images(
        name="nac-ue",
        title="NAC-UE",
        paper="Neuron Activation Coverage: Rethinking Out-of-distribution Detection and Generalization",
        venue="ICLR",
        year=2024,
        url="https://arxiv.org/pdf/2306.02879",
        formula="mean over layers and neurons of how well the fit split covers the neuron's state",
        implementation="nap_core.methods.image_based_detectors:NeuronCoverage",
        needs=("gradients", "layers", "fit split"),
        parameters=(
            Parameter(
                "layers", "how many layers, counted from the last", 4, "NAC, layer table", 1, 16, high_on="layers"
            ),
            Parameter("intervals", "equal intervals of a neuron's state", 50, "pytorch-ood's NACUE", 2, 10_000),
            Parameter(
                "alpha",
                "steepness of the sigmoid that makes states, in units of a layer's spread",
                3.0,
                "own choice on the bundled OOD sets; the paper sets it layer by layer on validation data",
                1e-3,
                1e6,
            ),
            Parameter("enough", "how many fit images cover an interval", 50, "pytorch-ood's NACUE", 1, 1_000_000),
        ),
        positive=CLIPPED,
    ),
    _images(
        name="rankfeat",
        title="RankFeat",
        paper="RankFeat: Rank-1 Feature Removal for Out-of-distribution Detection",
        venue="NeurIPS",
        year=2022,
        url="https://arxiv.org/abs/2209.08590",
        formula="Energy without the first singular direction of the penultimate map",
        implementation="nap_core.methods.image_based_detectors:RankOneRemoval",
        needs=("maps",),
        own_logits=True,
        positive=CLIPPED,
    ),
    _images(
        name="ash-early",
        title="ASH at an earlier layer",
        **ASH_PAPER,
        formula="Energy after ASH at the end of an earlier layer",
        implementation="nap_core.methods.image_based_detectors:EarlyAsh",
        reads_scale=True,
        needs=("layers",),
        parameters=(
            ash_variant("p", "ASH paper, figure 5"),
            Parameter("percentile", PERCENTILE, 0.6, "ASH paper, section 3.1", 0.0, 0.99),
            Parameter(
                "back", "how many layers before the last", 1, "ASH paper, figure 5", 1, 15, high_on="layers less one"
            ),
        ),
        own_logits=True,
        positive=CLIPPED,
    ),
    _images(
        name="grad-uncertainty",
        title="Gradient uncertainty",
        paper="Gradients as a Measure of Uncertainty in Neural Networks",
        venue="ICIP",
        year=2020,
        url="https://arxiv.org/abs/2008.08030v2",
        formula="negated squared length of the gradient towards a label that is all ones",
        implementation="pytorch_ood.detector:GradUncertainty",
        needs=("gradients",),
        positive=RECIPROCAL,
    ),
    _images(
        name="mc-dropout",
        title="MC dropout",
        paper="Dropout as a Bayesian Approximation: Representing Model Uncertainty in Deep Learning",
        venue="ICML",
        year=2016,
        url="http://proceedings.mlr.press/v48/gal16.pdf",
        formula="negated variance of the softmax over passes with dropout",
        implementation="nap_core.methods.image_based_detectors:MCDropout",
        needs=("dropout",),
        parameters=(Parameter("samples", "how many passes", 30, "pytorch-ood", 2, 1000),),
        positive=RECIPROCAL,
    ),
)
