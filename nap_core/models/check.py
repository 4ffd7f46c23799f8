"""The examination of a network when it is loaded."""

from __future__ import annotations

from torch import nn

from nap_core.models.findings import Finding
from nap_core.models.introspection import NetworkStructure
from nap_core.models.output import LOGITS, Output, return_output_of


def settle_output(network: nn.Module, structure: NetworkStructure) -> tuple[Output, list[Finding]]:
    """Make ``network`` return logits, and say how.

    Args:
        network: the network, on which hooks are set where a function follows its last linear layer.
        structure: what introspection located in it.

    Returns:
        How the answer becomes logits, and the findings.
    """
    ending, head = structure.ending, structure.head
    if ending == "logits":
        return LOGITS, []
    return_output_of(network, head)
    sentence = f"The network ends in {ending}, which is taken off: the logits are the output of “{head}”."
    return Output(ending, f"before {ending}"), [Finding("output", "note", sentence)]
