"""Why a method cannot run on a network, a fit split or images: one sentence each, before anything is computed.

Scoring, pending work and the command line take their sentences from here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.methods.context import ScoringContext
from nap_core.methods.names import Method
from nap_core.methods.spec import NEED_SENTENCES, OWN_PASS_NEEDS, Limit, Need, Parameter
from nap_core.models import LoadedModel

Limits = Mapping[Limit | None, tuple[float, str]]


def refusal(method: Method, context: ScoringContext, activations: Activations | None = None) -> UserError | None:
    """Why ``method`` cannot run, None where it can.

    Args:
        method: the method; of a combination, both parts are examined.
        context: the network and the fit split; without a network, its limits are those of ``activations``.
        activations: some of the activations to be scored.
    """
    ranges = limits(context, activations)
    for part in (method.prior, method.alone):
        if part is not None and (error := _out_of_range(part, ranges)):
            return error
    needs = method.record.needs
    if context.model is not None and (reason := network_refusal(method.record.title, needs, context.model)):
        return UserError(reason)
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


def limits(context: ScoringContext, activations: Activations | None = None) -> Limits:
    """What records call "classes" or "features" on this network: the number, and a clause that says where it comes
    from. Without those that are unknown."""
    found: dict[Limit | None, tuple[float, str]] = {}
    model = context.model
    classes = context.classes or (activations.logits.shape[1] if activations is not None else 0)
    features = 0
    if model is not None and model.head_weight is not None:
        features = model.head_weight.shape[1]
    elif activations is not None:
        features = activations.pooled.shape[1]
    if classes:
        found["classes"] = classes, f"the network has {classes:,} classes"
    if features:
        why = f"the network has {features:,} features"
        found["features less one"] = features - 1, why
        # A share is rounded to a number of features: half a feature is the border.
        half = 0.5 / features
        found["all but one feature"] = math.floor(1e4 * (1 - half) - 1e-6) / 1e4, why
        found["one feature"] = math.ceil(1e4 * half + 1e-6) / 1e4, why
    if model is not None and (layers := len(model.architecture.layers)):
        found["layers"] = layers, f"{model.title} names {layers} layers"
        found["layers less one"] = layers - 1, f"{model.title} names {layers} layers"
    if model is not None:
        heads = f"{model.title} has {model.heads} heads" if model.heads else f"{model.title} is no Transformer"
        found["heads"] = model.heads, heads
    if context.has_fit:
        rows = context.fit_rows
        found["fit images"] = rows, f"the fit split has {rows:,} images"
        labels = context.fit_labels
        if len(labels) and labels.min() >= 0:
            fewest = int(np.bincount(labels, minlength=classes).min())
            if fewest:
                found["images of a class"] = fewest, f"the fit split has {fewest:,} images of a class"
    return found


def _out_of_range(method: Method, ranges: Limits) -> UserError | None:
    """The refusal of a parameter value that was given and does not fit this network; defaults adapt to it."""
    told = dict(method.told)
    for parameter in method.record.parameters:
        name = parameter.name
        low, high = bounds(parameter, ranges)
        value = told.get(name, low if low <= high else parameter.default)
        if isinstance(value, str) or low <= value <= high:
            continue
        by = (
            parameter.high_on if high < value and parameter.high_on in ranges else parameter.low_on or parameter.high_on
        )
        why = ranges[by][1] if by in ranges else "its range ends"
        if high < low:
            return UserError(f"{method.record.title} has no {name} to choose here: {why}.")
        allowed = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        return UserError(f"{method.record.title}: {name} must be {allowed} here, where {why}, not {value}.")
    return None


def bounds(parameter: Parameter, ranges: Limits) -> tuple[float, float]:
    """The lowest and highest value of a number on this network, both included."""
    low, high = parameter.low, parameter.high
    if parameter.low_on in ranges:
        low = max(low, ranges[parameter.low_on][0])
    if parameter.high_on in ranges:
        high = min(high, ranges[parameter.high_on][0])
    return low, high


def network_refusal(title: str, needs: tuple[Need, ...], model: LoadedModel) -> str:
    """Why a method with these needs cannot run on ``model``; empty where it can."""
    if "layers" in needs and not model.architecture.layers:
        return f"{title} reads several layers, and {model.title} names none."
    if "dropout" in needs and not model.has_dropout:
        return f"{title} needs a network with dropout, and {model.title} has none."
    if "maps" in needs and not model.logits_from_means:
        return f"{title} needs logits that are linear in the penultimate map's mean, and {model.title}'s are not."
    return ""
