"""The examination of a network when it is loaded."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nap_core.models import output, probes
from nap_core.models.findings import Finding
from nap_core.models.introspection import NetworkStructure
from nap_core.models.output import LOGITS, Ending, Output
from nap_core.models.preprocessing import Transform

CLOSE = 1e-3
"""How far a sum of probabilities may lie from 1."""
_SATURATED = "Values that were rounded to 0 or 1 are placed at the edge of single precision"


def settle_output(
    network: nn.Module, structure: NetworkStructure, transform: Transform
) -> tuple[Output, list[Finding]]:
    """Make ``network`` return logits (B, K), K at least 2, and say how.

    Args:
        network: the network. A function after its last linear layer is taken off, an answer without a linear layer
            behind it is converted, one output becomes two logits.
        structure: what introspection located in it.
        transform: the preprocessing.

    Returns:
        How the answer becomes logits, and the findings.
    """
    if structure.classes == 1:
        return _one_output(network, structure, transform)
    if structure.head:
        return _behind_head(network, structure)
    return _without_head(network, transform)


def _behind_head(network: nn.Module, structure: NetworkStructure) -> tuple[Output, list[Finding]]:
    ending, head = structure.ending, structure.head
    if ending == "logits":
        return LOGITS, []
    output.return_output_of(network, head)
    sentence = f"The network ends in {ending}, which is taken off: the logits are the output of “{head}”."
    return Output(ending, f"before {ending}"), [Finding("output", "note", sentence)]


def _one_output(network: nn.Module, structure: NetworkStructure, transform: Transform) -> tuple[Output, list[Finding]]:
    ending, head = structure.ending, structure.head
    if head:
        output.make_two_logits(network, head)
        output.return_output_of(network, head)
    elif _is_sigmoid(network, _answers(network, transform), transform):
        ending = "sigmoid"
        output.convert(network, output.two_logits_of_sigmoid)
    else:
        output.convert(network, output.two_logits)
    value = "z" if ending == "logits" else f"{ending} of z, and the {ending} is taken off"
    sentence = f"The network has one output, {value}. Its two logits are 0 and z, for the first and the second class."
    if ending != "logits" and not head:
        sentence += f" {_SATURATED}."
    return Output(ending, f"two logits of one, before {ending}"), [Finding("output", "note", sentence)]


def _without_head(network: nn.Module, transform: Transform) -> tuple[Output, list[Finding]]:
    answers = _answers(network, transform)
    made: Ending
    sums = answers.sum(1)
    if (answers >= 0).all() and ((sums - 1).abs() < CLOSE).all():
        output.convert(network, output.log_of)
        made, changed = "softmax", "log of probabilities"
    elif (answers <= CLOSE).all() and (answers.logsumexp(1).abs() < CLOSE).all():
        made, changed = "log_softmax", ""
    elif _is_sigmoid(network, answers, transform):
        output.convert(network, output.inverse_sigmoid)
        sentence = (
            "The network ends in sigmoid, and no linear layer gives what is before it: the logits are the inverse of "
            f"the sigmoid. {_SATURATED}, and such images tie."
        )
        return Output("sigmoid", "inverse of sigmoid"), [Finding("output", "note", sentence)]
    else:
        return LOGITS, _between_0_and_1(answers)
    what = "log-probabilities" if made == "log_softmax" else "probabilities"
    sentence = (
        f"The network answers with {what}, and no linear layer gives the logits: they are known up to a constant of "
        "each image. MSP, entropy and GEN are exact; methods that read the scale of the logits, such as Energy and "
        "MaxLogit, are refused."
    )
    return Output(made, changed, scaled=False), [Finding("output", "refused", sentence)]


def _between_0_and_1(answers: Tensor) -> list[Finding]:
    if not ((answers >= 0) & (answers <= 1)).all():
        return []
    sentence = (
        "All answers to the test images lie between 0 and 1, and no linear layer gives them: they may be "
        "probabilities, of which Energy and MaxLogit mean nothing. They are taken as logits."
    )
    return [Finding("output", "warning", sentence)]


def _is_sigmoid(network: nn.Module, answers: Tensor, transform: Transform) -> bool:
    if not ((answers >= 0) & (answers <= 1)).all():
        return False
    return output.last_function(network, probes.pixels(network, transform)[:1]) == "Sigmoid"


def _answers(network: nn.Module, transform: Transform) -> Tensor:
    """The finite rows of the network's answers to the test images, (n, K)."""
    with torch.no_grad():
        answers: Tensor = network(probes.pixels(network, transform))
    rows = answers.reshape(len(answers), -1).float()
    return rows[rows.isfinite().all(1)]
