"""Whether NAP is defined on the map that a network is read at: values from zero up, more than one neuron a channel."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from nap_core.errors import UserError
from nap_core.models.feature_hook import ONE_PASS_AT_A_TIME, FeatureHook
from nap_core.models.findings import Finding
from nap_core.models.introspection import ImagesRefusedError, Layer, inspect_network
from nap_core.models.preprocessing import MAX_SIDE

if TYPE_CHECKING:
    from nap_core.models.loaded_model import LoadedModel

LARGER = (2, 4, 8, 16)
"""How many times larger the crops are that are tried in place of one whose map has one neuron."""


def findings(model: LoadedModel) -> list[Finding]:
    """What is to be said of the map that the model is read at."""
    if has_one_neuron(model):
        return [Finding("map", "refused", one_neuron(model))]
    hook, structure = model.hook, model.structure
    if not (isinstance(hook, FeatureHook) and hook.rectified and structure):
        return []
    activations = {structure.hook: structure.activation} | {layer.hook: layer.activation for layer in structure.layers}
    source = activations.get(hook, "")
    because = f"{source} lets values below zero through" if source else "It has values below zero"
    where = f"{hook.side} of “{hook.module}”"
    sentence = f"The map at the {where} is cut at zero. {because}, and NAP is defined on maps ≥ 0."
    return [Finding("map", "note", sentence)]


def has_one_neuron(model: LoadedModel) -> bool:
    """Whether each channel of the map has one neuron, whose maximum is its mean."""
    shape = model.map_shape
    return shape is not None and shape[1] * shape[2] == 1


def require_neurons(model: LoadedModel) -> LoadedModel:
    """The model itself. Raises UserError, with what would work, where its map has one neuron a channel."""
    if has_one_neuron(model):
        said = next((one.sentence for one in model.findings if (one.code, one.level) == ("map", "refused")), "")
        raise UserError(said or one_neuron(model))
    return model


def one_neuron(model: LoadedModel) -> str:
    """The sentence about a map of one neuron: the layer and the crop that would work."""
    side = model.transform.crop
    ways = []
    layer, crop = _last_larger_layer(model), _larger_crop(model)
    if layer:
        ways.append(f"read another layer: the last with a larger map is “{layer.name}” ({_size(layer.shape)})")
    if crop:
        ways.append(f"choose a crop of {crop} pixels or more")
    what = "; or ".join(ways) or "choose a larger crop"
    return (
        f"{model.title} shrinks images of {side} × {side} pixels to maps of one neuron, whose maximum is their mean, "
        f"and NAP compares the two. {what[0].upper()}{what[1:]}."
    )


def _size(shape: tuple[int, int, int]) -> str:
    return f"{shape[1]} × {shape[2]}"


def _last_larger_layer(model: LoadedModel) -> Layer | None:
    """The outermost module that ends with the smallest map of more than one neuron."""
    layers = [one for one in (model.structure.layers if model.structure else ()) if one.shape[1] * one.shape[2] > 1]
    smallest = min((one.shape[1] for one in layers), default=0)
    last = [one for one in layers if one.shape[1] == smallest]
    return max(reversed(last), key=lambda one: -one.name.count("."), default=None)


def _larger_crop(model: LoadedModel) -> int | None:
    """The first larger crop at which the map has more than one neuron, if the network takes such images."""
    for factor in LARGER:
        side = model.transform.crop * factor
        if side > MAX_SIDE:
            return None
        with suppress(ImagesRefusedError), ONE_PASS_AT_A_TIME:
            shape = inspect_network(model.network, side, model.hook, model.transform.channels).shape
            if shape[1] * shape[2] > 1:
                return side
    return None
