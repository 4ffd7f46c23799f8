"""The examination of a network when it is loaded."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from nap_core.errors import UserError
from nap_core.models import output, probes
from nap_core.models.attention_hook import AttentionHook
from nap_core.models.feature_hook import FeatureHook
from nap_core.models.findings import Finding
from nap_core.models.introspection import ImagesRefusedError, NetworkStructure, in_short, inspect_network
from nap_core.models.output import LOGITS, Ending, Output
from nap_core.models.preprocessing import Transform

CLOSE = 1e-3
"""How far a sum of probabilities may lie from 1."""
_SATURATED = "Values that were rounded to 0 or 1 are placed at the edge of single precision"


def to_single_precision(network: nn.Module) -> list[Finding]:
    """Convert a half, bfloat16 or double network to single precision, and say so."""
    tensors = (*network.parameters(), *network.buffers())
    kinds = sorted({str(one.dtype).removeprefix("torch.") for one in tensors if one.is_floating_point()} - {"float32"})
    if not kinds:
        return []
    network.float()
    sentence = f"The network's weights are {' and '.join(kinds)}: they were converted to float32, in which it runs."
    return [Finding("precision", "note", sentence)]


def located(
    network: nn.Module, transform: Transform, hook: FeatureHook | AttentionHook | None, title: str, usual: int
) -> tuple[NetworkStructure, Transform, list[Finding]]:
    """Locate feature map and head; a network that takes one channel is fed grey images.

    Args:
        network: the network.
        transform: the preprocessing.
        hook: reads the penultimate feature map; None to locate it.
        title: the network's title.
        usual: the crop that its architecture usually has.

    Returns:
        The structure, the preprocessing with the network's number of channels, and the findings.

    Raises:
        UserError: as ``inspect_network`` does; with torch's reason where the network does not take the images, and the
            usual crop if it takes that.
    """
    try:
        return inspect_network(network, transform.crop, hook, transform.channels), transform, []
    except ImagesRefusedError as error:
        refused = error
    grey = replace(transform, channels=1)
    if transform.channels == 3 and (structure := _taken(network, grey.crop, hook, 1)):
        sentence = (
            "The network has one input channel: images are fed as grey (luma), with mean "
            f"{grey.fed_mean[0]:.4g} and standard deviation {grey.fed_std[0]:.4g}."
        )
        return structure, grey, [Finding("channels", "note", sentence)]
    reason = in_short(refused.__cause__) if isinstance(refused.__cause__, Exception) else str(refused)
    sizes = {1, transform.channels} if usual != transform.crop else ()
    mend = f" Set the centre crop to {usual}." if any(_taken(network, usual, hook, one) for one in sizes) else ""
    side = transform.crop
    raise UserError(f"This {title} does not take images of {side} × {side} pixels: {reason}.{mend}") from refused


def _taken(
    network: nn.Module, side: int, hook: FeatureHook | AttentionHook | None, channels: int
) -> NetworkStructure | None:
    try:
        return inspect_network(network, side, hook, channels)
    except ImagesRefusedError:
        return None


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
