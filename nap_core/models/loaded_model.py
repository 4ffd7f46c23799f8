"""A network ready for inference, and its variants with another penultimate layer or preprocessing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from nap_core.errors import UserError
from nap_core.models import attention_hook
from nap_core.models.architectures import Architecture
from nap_core.models.attention_hook import AttentionHook
from nap_core.models.feature_hook import ONE_PASS_AT_A_TIME, FeatureHook
from nap_core.models.introspection import ImagesRefusedError, NetworkStructure, inspect_network
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
        record_accuracy: top-1 accuracy on the test set by the catalogue's record, a share; None where it has none.
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
    record_accuracy: float | None = None

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

    One forward pass over random images shows what the head reads, and locates feature map and head where the
    architecture does not name them. Raises UserError as ``inspect_network`` does, with the accepted image size, and
    TypeError when the architecture's head does not output the logits.
    """
    hook = blueprint.hook or attention_hook.find(network)
    try:
        structure = inspect_network(network.eval(), transform.crop, hook)
    except ImagesRefusedError as error:
        side, size = transform.crop, getattr(network, "image_size", blueprint.transform.crop)
        raise UserError(
            f"This {blueprint.title} does not take images of {side} × {side} pixels. Set the centre crop to {size}."
        ) from error
    if structure.classes != len(classes):
        raise UserError(
            f"{blueprint.title} answers with {structure.classes} numbers, but there are {len(classes)} classes."
        )
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
    return LoadedModel(
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
    )


def with_layer(model: LoadedModel, layer: str) -> LoadedModel:
    """The same network with the output of the module ``layer`` as its penultimate feature map.

    The logits do not change. If the head's input is not that map's mean, extraction stores it as well. Raises UserError
    when no module of that name outputs a feature map.
    """
    if model.structure is None:
        raise UserError(f"{model.title} was not inspected, so no other layer can be chosen.")
    chosen = model.structure.layer(layer)
    architecture = replace(model.architecture, hook=chosen.hook)
    return replace(model, architecture=architecture, keeps_features=model.has_head and not chosen.feeds_head)


def with_preprocessing(model: LoadedModel, transform: Transform) -> LoadedModel:
    """The same network with another preprocessing.

    Raises UserError when it does not accept images of that size, or its feature map has only 1 × 1 neurons: maximum
    and mean are then equal.
    """
    if transform.crop == model.transform.crop:
        return replace(model, transform=transform)
    with ONE_PASS_AT_A_TIME:
        structure = inspect_network(model.network, transform.crop, model.hook)
    if structure.shape[1] * structure.shape[2] == 1:
        size = f"{transform.crop} × {transform.crop}"
        raise UserError(
            f"{model.title} shrinks images of {size} pixels to maps of one neuron, whose maximum is their mean. "
            "Choose a larger crop."
        )
    keeps = model.has_head and not structure.head_on_mean
    return replace(model, transform=transform, keeps_features=keeps, structure=structure)
