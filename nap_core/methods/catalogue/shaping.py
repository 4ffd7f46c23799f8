"""Methods that change the activations or the head and score the Energy of the resulting logits."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from nap_core.methods.catalogue.sources import (
    ASH_PAPER,
    CHOSEN_ON_CIFAR,
    DENSENET,
    DICE_PAPER,
    HIGH_SHARES,
    ON_CIFAR,
    ON_IMAGENET,
    SHARES,
    ash_variant,
    percentile,
    published_w,
)
from nap_core.methods.spec import CLIPPED, Home, MethodRecord, Parameter

ASH_S = percentile(
    0.9,
    "ASH paper, section 3.1, and its code on CIFAR-100; on CIFAR-10 the NAP paper's Table 9 is reproduced at 0.95",
    {"CIFAR-10": 0.95},
    {"": (ON_IMAGENET, Home("CIFAR-100", (DENSENET,))), "CIFAR-10": ON_CIFAR["CIFAR-10"]},
)
# Neither paper nor code states what Table 2 used on CIFAR; these are among the values that the code searches through.
ASH_B = percentile(
    0.65,
    "ASH paper, section 3.1, on ImageNet; own choice on CIFAR, where no source states one",
    {"CIFAR-10": 0.95, "CIFAR-100": 0.9},
    {"": (ON_IMAGENET,), **CHOSEN_ON_CIFAR},
)
ASH_P = percentile(
    0.6,
    "ASH paper, section 3.1, on ImageNet; own choice on CIFAR, where no source states one",
    {"CIFAR-10": 0.9, "CIFAR-100": 0.8},
    {"": (ON_IMAGENET,), **CHOSEN_ON_CIFAR},
)
REACT = Parameter(
    "percentile",
    "share of the fit split's activations that are left as they are",
    0.9,
    "ReAct paper, section 4.1; on CIFAR the published figures need a threshold of 1.5, the 98th percentile",
    0.5,
    1.0,
    by_benchmark={"CIFAR-10": 0.98, "CIFAR-100": 0.98},
    homes={"": (ON_IMAGENET,), **ON_CIFAR},
    search=HIGH_SHARES,
)
REACT_THRESHOLD = Parameter(
    "threshold",
    "activations above it are clipped; 0 takes it from the percentile",
    0.0,
    "ReAct's code",
    0.0,
    1e6,
    replaces_fit=True,
)
DICE_P = Parameter(
    "p",
    "share of the head's weights that are left out, those that contribute least on the fit split",
    0.7,
    "DICE's code on CIFAR; DICE paper, section 4, on ImageNet",
    0.0,
    0.99,
    by_benchmark={"CIFAR-10": 0.9, "CIFAR-100": 0.9},
    homes={"": (ON_IMAGENET,), **ON_CIFAR},
    search=SHARES,
)


_shaping = partial(MethodRecord, family="shaping", own_logits=True, positive=CLIPPED)


def _ash(variant: str, formula: str, pruned: Parameter, **others: Any) -> MethodRecord:
    """The record of a variant of ASH: "p", "b" or "s"."""
    return _shaping(
        name=f"ash-{variant}",
        title=f"ASH-{variant.upper()}",
        **ASH_PAPER,
        formula=formula,
        implementation="pytorch_ood.detector:ASH",
        constants={"variant": f"ash-{variant}"},
        parameters=(pruned,),
        **others,
    )


RECORDS: tuple[MethodRecord, ...] = (
    _shaping(
        name="react",
        title="ReAct",
        paper="ReAct: Out-of-distribution Detection With Rectified Activations",
        venue="NeurIPS",
        year=2021,
        url="https://arxiv.org/abs/2111.12797",
        formula="Energy after activations above a percentile of the fit split are clipped",
        implementation="pytorch_ood.detector:ReAct",
        arguments="nap_core.methods.pytorch_ood_adapter:zero_as_none",
        needs=("fit split",),
        parameters=(REACT, REACT_THRESHOLD),
        default_w=0.5,
        published_w=published_w(0.4, 0.5, 0.8),
    ),
    _shaping(
        name="dice",
        title="DICE",
        family="features",
        **DICE_PAPER,
        formula="Energy with the weights left out that contribute least",
        implementation="nap_core.methods.vectorised:MatrixDICE",
        needs=("fit split",),
        parameters=(DICE_P,),
        published_w=published_w(0.5, 0.6, 0.6),
    ),
    _shaping(  # DICE paper, table 1; ASH paper, table 1: ReAct's clip in front of DICE's head
        name="dice-react",
        title="DICE & ReAct",
        **DICE_PAPER,
        formula="Energy with DICE's weights on activations that ReAct has clipped",
        implementation="nap_core.methods.custom:DiceReact",
        needs=("fit split",),
        parameters=(DICE_P, REACT),
    ),
    _ash("p", "Energy after pruning each image's smaller activations", ASH_P),
    _ash("b", "Energy after pruning, the kept activations set to one value", ASH_B),
    _ash(
        "s",
        "Energy after pruning, the kept activations scaled up",
        ASH_S,
        published_w=published_w(0.5, 0.6, 0.8),
    ),
    _shaping(  # ASH paper, table 4
        name="ash-rand",
        title="ASH-RAND",
        **ASH_PAPER,
        formula="Energy after pruning, the kept activations set to random numbers between 0 and 10",
        implementation="nap_core.methods.custom:AshRandom",
        parameters=(
            replace(ASH_B, source="ASH paper, table 4, on ImageNet; on CIFAR as ASH-B"),
            Parameter("seed", "of the random numbers", 0, "own choice", 0, 2**31 - 1),
        ),
    ),
    _shaping(  # ASH paper, table 5
        name="ash-global",
        title="ASH, global threshold",
        **ASH_PAPER,
        formula="ASH with one threshold for all images, a percentile of the fit split's activations",
        implementation="nap_core.methods.custom:AshGlobal",
        needs=("fit split",),
        parameters=(
            ash_variant("b", "ASH paper, table 5"),
            Parameter(
                "percentile",
                "share of the fit split's activations below it",
                0.9,
                "ASH paper, table 5",
                0.0,
                0.999,
                homes={"": (Home("ImageNet-1k", ("ResNet-50",)),)},
                search=SHARES,
            ),
        ),
    ),
    _shaping(
        name="scale",
        title="SCALE",
        paper="Scaling for Training Time and Post-hoc Out-of-distribution Detection Enhancement",
        venue="ICLR",
        year=2024,
        url="https://arxiv.org/abs/2310.00227",
        formula="Energy after all activations are scaled by exp(sum / sum of the largest)",
        implementation="pytorch_ood.detector:SCALE",
        parameters=(
            percentile(
                0.85,
                "OpenOOD's default; on CIFAR-10 the NAP paper's Table 9 is reproduced at 0.95, CIFAR-100 as ASH-S",
                {"CIFAR-10": 0.95, "CIFAR-100": 0.9},
                {
                    "": (Home("ImageNet-1k", ("ResNet-50",)),),
                    "CIFAR-10": ON_CIFAR["CIFAR-10"],
                    "CIFAR-100": CHOSEN_ON_CIFAR["CIFAR-100"],
                },
                "share of the activations that the sum of the largest leaves out",
            ),
        ),
        default_w=0.4,
        published_w=published_w(0.4, 0.5, 0.4),
    ),
    _shaping(
        name="vra",
        title="VRA",
        paper="Variational Rectified Activation for Out-of-distribution Detection",
        venue="NeurIPS",
        year=2023,
        url="https://arxiv.org/abs/2302.11716",
        formula="Energy after activations are clipped from below and above, channel by channel",
        implementation="pytorch_ood.detector:VRA",
        needs=("fit split",),
        parameters=(
            Parameter(
                "lower_percentile",
                "share of the fit split clipped from below",
                0.01,
                "pytorch-ood",
                0.0,
                0.5,
                search=(0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5),
            ),
            Parameter(
                "upper_percentile",
                "share of the fit split below the upper clip",
                0.99,
                "pytorch-ood",
                0.5,
                1.0,
                search=HIGH_SHARES,
            ),
        ),
    ),
)
