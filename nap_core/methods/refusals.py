"""Why a method cannot run on a network, a fit split or images: one sentence each, before anything is computed.

Scoring, pending work and the command line take their sentences from here.
"""

from __future__ import annotations

import math

import numpy as np

from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.methods.context import ScoringContext
from nap_core.methods.spec import NEED_SENTENCES, OWN_PASS_NEEDS, Limit, Method, Need, Parameter, Value
from nap_core.models import LoadedModel


def refusal(method: Method, context: ScoringContext, activations: Activations | None = None) -> UserError | None:
    """Why ``method`` cannot run, None where it can.

    Args:
        method: the method; of a combination, both parts are examined.
        context: the network and the fit split; without a network, its limits are those of ``activations``.
        activations: some of the activations to be scored.
    """
    for part in (method.prior, method.alone):
        if part is not None and (error := _out_of_range(part, context, activations)):
            return error
    needs = method.record.needs
    if context.model is not None and (reason := network_refusal(method.record.title, needs, context.model)):
        return UserError(reason)
    if context.model is not None and method.record.reads_scale and not context.model.output.scaled:
        return UserError(
            f"{method.record.title} reads the scale of the logits, and {context.model.title} answers with "
            "probabilities, which fix the logits up to a constant of each image. MSP, entropy and GEN can run."
        )
    return context.fit_refusal(method.title, "labels" in needs) if method.fits else None


def without_images(title: str) -> UserError:
    """The refusal of a method with a pass of its own where there are activations alone."""
    return UserError(
        f"{title} needs the images themselves, and only activations are at hand. Choose datasets that come with their "
        "images."
    )


def own_pass_needs(method: Method) -> str:
    """What a method needs that stored activations do not hold, in words."""
    return " and ".join(NEED_SENTENCES[need] for need in method.record.needs if need in OWN_PASS_NEEDS)


def _limit(name: Limit, context: ScoringContext, activations: Activations | None) -> tuple[float, str] | None:
    """What records call "classes" or "features" on this network: the number, and a clause that says where it comes
    from. None where it is unknown."""
    model = context.model
    if name == "heads":
        if model is None:
            return None
        return (
            model.heads,
            f"{model.title} has {model.heads} heads" if model.heads else f"{model.title} is no Transformer",
        )
    if name in ("layers", "layers less one"):
        layers = len(model.architecture.layers) if model else 0
        return (
            (layers - (name == "layers less one"), f"{model.title} names {layers} layers") if model and layers else None
        )
    if name == "fit images":
        rows = context.fit_rows
        return (rows, f"the fit split has {rows:,} images") if rows else None
    classes = context.classes or (activations.logits.shape[1] if activations is not None else 0)
    if name == "classes":
        return (classes, f"the network has {classes:,} classes") if classes else None
    if name == "images of a class":
        labels = context.fit_labels
        fewest = int(np.bincount(labels, minlength=classes).min()) if len(labels) and labels.min() >= 0 else 0
        return (fewest, f"the fit split has {fewest:,} images of a class") if fewest else None
    return _of_features(name, context, activations)


def _of_features(name: Limit, context: ScoringContext, activations: Activations | None) -> tuple[float, str] | None:
    features = activations.pooled.shape[1] if activations is not None else 0
    if context.model is not None and context.model.head_weight is not None:
        features = context.model.head_weight.shape[1]
    if not features:
        return None
    half = 0.5 / features  # a share is rounded to a number of features: half a feature is the border
    numbers = {
        "features less one": features - 1,
        "all but one feature": math.floor(1e4 * (1 - half) - 1e-6) / 1e4,
        "one feature": math.ceil(1e4 * half + 1e-6) / 1e4,
    }
    return numbers[name], f"the network has {features:,} features"


def bounds(
    parameter: Parameter, context: ScoringContext, activations: Activations | None = None
) -> tuple[float, float, str]:
    """The lowest and highest value of a number on this network, both included, and a clause that says why."""
    low, high, why = parameter.low, parameter.high, ""
    if parameter.low_on and (limit := _limit(parameter.low_on, context, activations)):
        low, why = max(low, limit[0]), limit[1]
    if parameter.high_on and (limit := _limit(parameter.high_on, context, activations)):
        high, why = min(high, limit[0]), limit[1]
    return low, high, why


def used_parameters(
    method: Method, context: ScoringContext, activations: Activations | None = None
) -> dict[str, Value]:
    """The parameters with which a method runs on this network.

    Args:
        method: the method; of a combination, the one that is no prior.
        context: the network and the fit split, see ``refusal``.
        activations: some of the activations to be scored.

    Returns:
        Every parameter by name: as it was given, else its default. A default that lies beyond a limit of the network or
        of the fit split becomes that limit; a given value never changes, see ``refusal``.
    """
    values = method.parameters(context.trained_on)
    for parameter in method.record.parameters:
        value = values[parameter.name]
        if parameter.name not in dict(method.settings) and not isinstance(value, str):
            low, high, _why = bounds(parameter, context, activations)
            values[parameter.name] = type(value)(min(max(value, low), high))
    return values


def _out_of_range(method: Method, context: ScoringContext, activations: Activations | None) -> UserError | None:
    """The refusal of a parameter value that was given and does not fit this network; defaults adapt to it."""
    given = dict(method.settings)
    for parameter in method.record.parameters:
        name = parameter.name
        low, high, why = bounds(parameter, context, activations)
        if high < low:
            return UserError(f"{method.record.title} has no {name} to choose here: {why}.")
        value = given.get(name, low)
        if not isinstance(value, str) and not low <= value <= high:
            allowed = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            return UserError(f"{method.record.title}: {name} must be {allowed} here, where {why}, not {value}.")
    return None


def network_refusal(title: str, needs: tuple[Need, ...], model: LoadedModel) -> str:
    """Why a method with these needs cannot run on ``model``; empty where it can."""
    if "layers" in needs and not model.architecture.layers:
        return f"{title} reads several layers, and {model.title} names none."
    if "dropout" in needs and not model.has_dropout:
        return f"{title} needs a network with dropout, and {model.title} has none."
    if "maps" in needs and not model.logits_from_means:
        return f"{title} needs logits that are linear in the penultimate map's mean, and {model.title}'s are not."
    return ""
