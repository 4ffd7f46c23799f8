"""A network ready for inference, and its variants with another penultimate layer or preprocessing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from nap_core.errors import UserError
from nap_core.models import attention_hook, check, map_check, output, repeatability
from nap_core.models.architectures import Architecture
from nap_core.models.attention_hook import AttentionHook
from nap_core.models.feature_hook import ONE_PASS_AT_A_TIME, FeatureHook
from nap_core.models.findings import Finding
from nap_core.models.introspection import NetworkStructure, inspect_network
from nap_core.models.output import LOGITS, Output
from nap_core.models.preprocessing import Transform


@dataclass(frozen=True, eq=False)  # compared by identity, because models are keys of caches
class LoadedModel:
    """A network ready for inference, with its preprocessing, class names and last linear layer.

    Attributes:
        name: the model's name in the catalogue.
        title: the name on the screen.
        architecture: constructor, feature hook and head.
        network: the module, in evaluation mode, on the CPU.
        transform: the preprocessing.
        classes: the K class names in the order of the logits.
        weights_sha256: identifies the weights; part of store keys.
        head_weight: weight (K, D) of the last linear layer; None if there is none.
        head_bias: its bias (K,); None if there is no last linear layer.
        keeps_features: True if the head's input (N, D) is not the spatial mean of the penultimate feature map (more
            layers in a VGG, a norm in a ConvNeXt); extraction then stores it as well.
        structure: what introspection located in the running network; None if it was not inspected.
        output: how the network's answer becomes logits.
        findings: what the examination of the network showed.
        record_accuracy: top-1 accuracy on the test set by the catalogue's record, a share; None where it has none.
        notes: what was taken from the weights file and what was left, a sentence each; empty where all was taken.
    """

    name: str
    title: str
    architecture: Architecture
    network: nn.Module
    transform: Transform
    classes: tuple[str, ...]
    weights_sha256: str
    head_weight: NDArray[np.float32] | None
    head_bias: NDArray[np.float32] | None
    keeps_features: bool = False
    structure: NetworkStructure | None = None
    output: Output = LOGITS
    findings: tuple[Finding, ...] = ()
    record_accuracy: float | None = None
    notes: tuple[str, ...] = ()

    def logits_of(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        """Features (N, D) → logits (N, K). Raises UserError when the network has no last linear layer."""
        weight, bias = self.linear_head("Making logits of features")
        return features @ weight.T + bias

    def linear_head(self, what: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weight (K, D) and bias (K,) of the last linear layer.

        Raises UserError, with ``what`` needs it, for a network without one.
        """
        if self.head_weight is None or self.head_bias is None:
            raise UserError(f"{what} needs a network that ends in a linear layer, and {self.title} does not.")
        return self.head_weight, self.head_bias

    @property
    def has_head(self) -> bool:
        """Whether the last layer is linear."""
        return self.head_weight is not None

    @property
    def logits_from_means(self) -> bool:
        """Whether the logits are a linear function of the channels' means."""
        return self.has_head and not self.keeps_features

    @property
    def head_hook(self) -> FeatureHook | None:
        """The hook on the head's input, (B, D) after flattening; None without a last linear layer."""
        return FeatureHook(self.architecture.head, side="input") if self.architecture.head else None

    @property
    def hook(self) -> FeatureHook | AttentionHook:
        """The hook on the penultimate feature map, or on a Transformer's attention in its place."""
        if self.architecture.hook is None:
            raise ValueError(f"the feature map of {self.title} has not been located; assemble() does that")
        return self.architecture.hook

    @property
    def map_shape(self) -> tuple[int, int, int] | None:
        """(C, H, W) of the map at ``hook``; None if the network was not inspected there."""
        if self.structure is None:
            return None
        shapes = [(self.structure.hook, self.structure.shape)]
        shapes += [(layer.hook, layer.shape) for layer in self.structure.layers]
        return next((shape for hook, shape in shapes if hook == self.hook), None)

    @property
    def reads_attention(self) -> bool:
        """Whether ``hook`` reads attention.

        The channels are then the mean over the heads and each head, and NAP is ``nap.attention_score``.
        """
        return self.heads > 0

    @property
    def heads(self) -> int:
        """Number of attention heads that ``hook`` reads; 0 for a feature map."""
        return self.hook.heads(self.network) if isinstance(self.hook, AttentionHook) else 0

    @property
    def has_dropout(self) -> bool:
        """Whether the network has dropout with a probability above 0."""
        dropouts = (module for module in self.network.modules() if isinstance(module, _DropoutNd))
        return any(module.p > 0 for module in dropouts)


def assemble(
    blueprint: Architecture, network: nn.Module, transform: Transform, classes: tuple[str, ...], weights_sha256: str
) -> LoadedModel:
    """Build a ``LoadedModel`` from a network with weights.

    A few forward passes over seeded noise show what the head reads, locate feature map and head where the architecture
    does not name them, and examine the network: see ``LoadedModel.findings``. Raises UserError as ``check.located`` and
    ``repeatability.check`` do, and TypeError when the architecture's head does not output the logits.
    """
    output.restore(network)
    findings = [*repeatability.switch_to_evaluation(network), *check.to_single_precision(network)]
    hook = blueprint.hook or attention_hook.find(network)
    usual = getattr(network, "image_size", blueprint.transform.crop)
    structure, transform, fed = check.located(network, transform.checked(), hook, blueprint.title, usual)
    answers, made = check.settle_output(network, structure, transform)
    if structure.classes == 1:
        structure = inspect_network(network, transform.crop, structure.hook, transform.channels)
        classes = classes if len(classes) == structure.classes else output.BINARY
    if structure.classes != len(classes):
        raise UserError(
            f"{blueprint.title} answers with {structure.classes} numbers, but there are {len(classes)} classes."
        )
    repeated = repeatability.check(network, check.pixels(network, transform), blueprint.title)
    head = structure.head if blueprint.head is None else blueprint.head
    if blueprint.hook is None:
        blueprint = replace(blueprint, layers=blueprint.layers or structure.stages)
    blueprint = replace(blueprint, hook=structure.hook, head=head)
    weight, bias = None, None
    if head:
        last = network.get_submodule(head)
        if head != structure.head or not isinstance(last, nn.Linear):
            raise TypeError(f"{head} of {blueprint.name} does not output the logits")
        weight = last.weight.detach().numpy()
        bias = np.zeros(len(weight), np.float32) if last.bias is None else last.bias.detach().numpy()
    model = LoadedModel(
        name=blueprint.name,
        title=blueprint.title,
        architecture=blueprint,
        network=network,
        transform=transform,
        classes=classes,
        weights_sha256=weights_sha256,
        head_weight=weight,
        head_bias=bias,
        keeps_features=bool(head) and not structure.head_on_mean,
        structure=structure,
        output=answers,
        findings=(*findings, *fed, *made, *repeated),
    )
    return _with_map_findings(model)


def _with_map_findings(model: LoadedModel) -> LoadedModel:
    """The model with the findings about the map that it is read at now."""
    others = [finding for finding in model.findings if finding.code != "map"]
    return replace(model, findings=(*others, *map_check.findings(model)))


def with_layer(model: LoadedModel, layer: str) -> LoadedModel:
    """The same network with the output of the module ``layer`` as its penultimate feature map.

    The logits do not change. If the head's input is not that map's mean, extraction stores it as well. Raises UserError
    when no module of that name outputs a feature map.
    """
    if model.structure is None:
        raise UserError(f"{model.title} was not inspected, so no other layer can be chosen.")
    chosen = model.structure.layer(layer)
    architecture = replace(model.architecture, hook=chosen.hook)
    keeps = model.has_head and not chosen.feeds_head
    return _with_map_findings(replace(model, architecture=architecture, keeps_features=keeps))


def with_preprocessing(model: LoadedModel, transform: Transform) -> LoadedModel:
    """The same network with another preprocessing.

    The number of channels is the network's. Raises UserError for a transform that cannot be, and when the network does
    not accept images of that size. A map of one neuron is a finding, because another
    layer may have a larger one: see ``map_check.require_neurons``.
    """
    transform = replace(transform.checked(), channels=model.transform.channels)
    if transform.crop == model.transform.crop:
        return replace(model, transform=transform)
    with ONE_PASS_AT_A_TIME:
        structure = inspect_network(model.network, transform.crop, model.hook, transform.channels)
    keeps = model.has_head and not structure.head_on_mean
    changed = replace(model, transform=transform, keeps_features=keeps, structure=structure)
    return _with_map_findings(changed)
