"""A network that is ready to be asked, and the same network read at another layer or fed in another way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from nap_core.errors import UserError
from nap_core.models import attention_hook
from nap_core.models.architectures import Architecture
from nap_core.models.attention_hook import AttentionTap
from nap_core.models.feature_hook import ONE_PASS_AT_A_TIME, FeatureHook
from nap_core.models.introspection import ImagesRefusedError, NetworkStructure, inspect_network
from nap_core.models.preprocessing import Transform


@dataclass(frozen=True)
class Variant:
    """Which model is meant, by name, and how: ``layer`` is the dotted name of the module whose output is the
    penultimate map, ``transform`` a text as ``Transform.changed`` takes it. Empty ones are the model's own."""

    name: str
    layer: str = ""
    transform: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it is the model as it comes."""
        return not (self.layer or self.transform)


@dataclass(frozen=True, eq=False)  # one object is one model: it serves as a key of caches
class LoadedModel:
    """A network ready to be asked, with everything that goes with it.

    ``network`` is in evaluation mode; ``head_weight`` (K, D) and ``head_bias`` (K,) are its last linear layer, which
    turns features into logits. The features are the spatial mean of the penultimate map, unless ``keeps_features``:
    then something lies between the two (more layers in a VGG, a norm in a ConvNeXt), and extraction keeps them.
    Without a last linear layer both are None. ``weights_sha256`` identifies the weights file. ``anatomy`` is what was
    found in the running network, None for one that was put together by hand.
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

    def logits_of(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        """Features (N, D) → logits (N, K). Raises UserError when the network has no last linear layer."""
        weight, bias = self.linear_head("Making logits of features")
        return features @ weight.T + bias

    def linear_head(self, what: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weight (K, D) and bias (K,) of the last linear layer. Raises UserError, naming ``what`` needs it, when there
        is none."""
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
        """Where the features are read, (B, D) once flattened; None without a last linear layer."""
        return FeatureHook(self.architecture.head, side="input") if self.architecture.head else None

    @property
    def hook(self) -> FeatureHook | AttentionTap:
        """Where the penultimate map is read, or a Transformer's attention in its place."""
        if self.architecture.hook is None:
            raise ValueError(f"where {self.title} is read has not been looked for; assemble() does")
        return self.architecture.hook

    @property
    def reads_attention(self) -> bool:
        """Whether ``tap`` reads attention: its channels are then the mean over the heads and each head, and NAP is
        ``nap.attention_score``."""
        return self.heads > 0

    @property
    def heads(self) -> int:
        """How many heads the attention that ``tap`` reads has; 0 for a map."""
        return self.hook.heads(self.network) if isinstance(self.hook, AttentionTap) else 0

    @property
    def has_dropout(self) -> bool:
        """Whether the network drops anything in training."""
        dropouts = (module for module in self.network.modules() if isinstance(module, _DropoutNd))
        return any(module.p > 0 for module in dropouts)


def assemble(
    blueprint: Architecture, network: nn.Module, transform: Transform, classes: tuple[str, ...], weights_sha256: str
) -> LoadedModel:
    """A network that has its weights, with all that goes with it; a pass over made-up images tells what its head reads,
    and where its map and its head are, if the architecture does not say.

    Raises UserError as ``anatomy.dissect`` does, with the size of images that the network does take, TypeError when the
    architecture's head does not make the logits.
    """
    hook = blueprint.hook or attention_hook.find(network)
    try:
        found = inspect_network(network.eval(), transform.crop, hook)
    except ImagesRefusedError as error:
        side, size = transform.crop, getattr(network, "image_size", blueprint.transform.crop)
        raise UserError(
            f"This {blueprint.title} does not take images of {side} × {side} pixels. Set the centre crop to {size}."
        ) from error
    if found.classes != len(classes):
        raise UserError(
            f"{blueprint.title} answers with {found.classes} numbers, but there are {len(classes)} classes."
        )
    head = found.head if blueprint.head is None else blueprint.head
    if blueprint.hook is None:
        blueprint = replace(blueprint, layers=blueprint.layers or found.stages)
    blueprint = replace(blueprint, hook=found.hook, head=head)
    weight, bias = None, None
    if head:
        last = network.get_submodule(head)
        if head != found.head or not isinstance(last, nn.Linear):
            raise TypeError(f"{head} of {blueprint.name} does not make the logits")
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
        keeps_features=bool(head) and not found.head_on_mean,
        structure=found,
    )


def with_layer(model: LoadedModel, layer: str) -> LoadedModel:
    """The same network with the output of the module ``layer`` as its penultimate map.

    The logits stay what they are: where the last linear layer reads something else than that map's mean, its features
    are kept. Raises UserError when no module that puts out a map is called so.
    """
    if model.structure is None:
        raise UserError(f"{model.title} does not tell its layers, so none can be chosen.")
    found = model.structure.layer(layer)
    architecture = replace(model.architecture, hook=found.hook)
    return replace(model, architecture=architecture, keeps_features=model.has_head and not found.feeds_head)


def with_preprocessing(model: LoadedModel, transform: Transform) -> LoadedModel:
    """The same network with another preprocessing.

    Raises UserError when it does not take images of that size, or shrinks them to maps of one neuron, which have no
    peak.
    """
    if transform.crop == model.transform.crop:
        return replace(model, transform=transform)
    with ONE_PASS_AT_A_TIME:
        found = inspect_network(model.network, transform.crop, model.hook)
    if found.shape[1] * found.shape[2] == 1:
        size = f"{transform.crop} × {transform.crop}"
        raise UserError(
            f"{model.title} shrinks images of {size} pixels to maps of one neuron, whose maximum is their mean. "
            "Choose a larger crop."
        )
    keeps = model.has_head and not found.head_on_mean
    return replace(model, transform=transform, keeps_features=keeps, structure=found)
