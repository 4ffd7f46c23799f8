"""Methods that run the network again over the images."""

from __future__ import annotations

from pytorch_ood.detector import (
    ASH,
    MCD,
    NACUE,
    ODIN,
    GradUncertainty,
    Gram,
    MahalanobisODIN,
    MultiMahalanobis,
    RankFeat,
)

from nap_core.methods import image_based_detectors
from nap_core.methods.catalogue.sources import PERCENTILE
from nap_core.methods.image_based import image_record
from nap_core.methods.pytorch_ood_adapter import paper_of
from nap_core.methods.spec import CLIPPED, PROBABILITY, RECIPROCAL, MethodRecord, Parameter

RECORDS: tuple[MethodRecord, ...] = (
    image_record(
        image_based_detectors.whole_network(ODIN),
        name="odin",
        title="ODIN",
        formula="MSP at a high temperature after a small step along the input's gradient",
        needs=("gradients",),
        parameters=(
            Parameter("temperature", "temperature of the softmax", 1000.0, "ODIN paper, section 4", 1.0, 1e6),
            Parameter(
                "eps", "length of the step, for pixels between 0 and 1", 0.0014, "ODIN paper, section 4", 0.0, 0.1
            ),
        ),
        positive=PROBABILITY,
        **paper_of(ODIN),
    ),
    image_record(
        image_based_detectors.MahalanobisOdinPass,
        name="mahalanobis-odin",
        title="Mahalanobis with input step",
        formula="Mahalanobis after a small step along the input's gradient",
        needs=("gradients", "fit split", "labels"),
        parameters=(
            Parameter("eps", "length of the step, for pixels between 0 and 1", 0.002, "pytorch-ood", 0.0, 0.1),
        ),
        positive=RECIPROCAL,
        **paper_of(MahalanobisODIN),
    ),
    image_record(
        image_based_detectors.MultiLayerMahalanobis,
        name="mdsens",
        title="MDSEns",
        formula="Mahalanobis at the end of every layer, summed",
        needs=("layers", "fit split", "labels"),
        positive=RECIPROCAL,
        **paper_of(MultiMahalanobis),
    ),
    image_record(
        image_based_detectors.GramPass,
        name="gram",
        title="Gram",
        formula="how far Gram matrices of every layer leave their range on the fit split, negated",
        needs=("layers", "fit split", "labels"),
        positive=RECIPROCAL,
        **paper_of(Gram),
    ),
    image_record(
        image_based_detectors.CoveragePass,
        name="nac-ue",
        title="NAC-UE",
        formula="mean over layers and neurons of how well the fit split covers the neuron's state",
        needs=("gradients", "layers", "fit split"),
        parameters=(
            Parameter("layers", "how many layers, counted from the last", 4, "NAC, layer table", 1, 16),
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
        **paper_of(NACUE),
    ),
    image_record(
        image_based_detectors.RankFeatPass,
        name="rankfeat",
        title="RankFeat",
        formula="Energy without the first singular direction of the penultimate map",
        needs=("maps",),
        own_logits=True,
        positive=CLIPPED,
        **paper_of(RankFeat),
    ),
    image_record(
        image_based_detectors.EarlyAsh,
        name="ash-early",
        title="ASH at an earlier layer",
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
        own_logits=True,
        positive=CLIPPED,
        **paper_of(ASH),
    ),
    image_record(
        image_based_detectors.whole_network(GradUncertainty),
        name="grad-uncertainty",
        title="Gradient uncertainty",
        formula="negated squared length of the gradient towards a label that is all ones",
        needs=("gradients",),
        positive=RECIPROCAL,
        **paper_of(GradUncertainty),
    ),
    image_record(
        image_based_detectors.DropoutPass,
        name="mc-dropout",
        title="MC dropout",
        formula="negated variance of the softmax over passes with dropout",
        needs=("dropout",),
        parameters=(Parameter("samples", "how many passes", 30, "pytorch-ood", 2, 1000),),
        positive=RECIPROCAL,
        **paper_of(MCD),
    ),
)
