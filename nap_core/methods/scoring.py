"""Scores of images under a method, alone or combined with a prior."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from pytorch_ood.api import Detector

from nap_core import nap
from nap_core.activations import Activations
from nap_core.errors import Hint, UserError
from nap_core.methods.combination import combine
from nap_core.methods.context import Prepared, ScoringContext
from nap_core.methods.image_based import ImageBasedDetector, ImageBasedMethod
from nap_core.methods.image_based_detectors import whole_network
from nap_core.methods.inputs import ImageSet
from nap_core.methods.names import parse
from nap_core.methods.pytorch_ood_adapter import StoredDetector
from nap_core.methods.refusals import refusal, used_parameters
from nap_core.methods.spec import Method, MethodRecord, Scored, Scores, Value, Weight
from nap_core.models import LoadedModel
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks


def weight(method: Method, context: ScoringContext, given: float | Weight | None = None) -> Weight | None:
    """The w of a combination and its origin: what was ``given``, else the published w, which depends on the method,
    the training data of the network and its number of classes alone. None for a method that is no combination."""
    if method.prior is None:
        return None
    if given is not None:
        return given if isinstance(given, Weight) else Weight(given, "given")
    published = method.record.weight(context.trained_on, context.classes)
    # Table 11 is about NAP; its w is the best guess for another prior, and no more.
    return published if method.prior.record.name == "nap" else Weight(published.w, "assumed")


def default_w(spec: str, context: ScoringContext) -> float | None:
    """The published w of a combination, by the name of the method; see ``weight``."""
    published = weight(parse(spec), context)
    return published.w if published else None


def scored(
    method: Method,
    image_set: ImageSet,
    context: ScoringContext,
    *,
    w: float | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> Scored:
    """The scores of N images and the predictions under the method's own logits.

    Args:
        method: the method.
        image_set: the images. What is computed of them is kept as long as this object lives.
        context: what the method may use besides the activations.
        w: the weight of the other method in a combination; None for the published one, see ``weight``.
        callbacks: progress and cancellation of a pass that the method still needs.

    Returns:
        Scores (N,) float64, higher means more in-distribution, and predictions (N,) or None.

    Raises:
        UserError: the context lacks what the method needs.
        ValueError: w lies outside [0, 1].
        ExtractionStopped: when the callbacks stop it.
    """
    if method.prior is None:
        prepared = _prepared(method, context, image_set)
        return context.scored(method.spec, image_set, lambda: prepared(image_set, callbacks))
    chosen = default_w(method.spec, context) if w is None else w
    if chosen is None:
        raise ValueError(f"{method.spec} has no default weight")
    prior = scored(method.prior, image_set, context, callbacks=callbacks)
    return Scored(
        combine(positive(method.alone, image_set, context, callbacks=callbacks), np.maximum(prior.scores, 0), chosen),
        scored(method.alone, image_set, context, callbacks=callbacks).predictions,
    )


def positive(
    method: Method, image_set: ImageSet, context: ScoringContext, *, callbacks: RunCallbacks = NO_CALLBACKS
) -> Scores:
    """The score in the positive form that the combination needs, (N,). Raises UserError when there is none."""
    form = method.record.positive
    if form is None:
        raise UserError(f"{method.title} has no positive form, so NAP cannot be combined with it.")
    own = scored(method, image_set, context, callbacks=callbacks).scores
    fit = (
        scored(method, context.fit(method.title, callbacks), context, callbacks=callbacks).scores
        if form.fitted
        else own
    )
    return form.apply(own, fit)


def score(
    spec: str,
    images: Activations | ImageSet,
    context: ScoringContext | None = None,
    *,
    w: float | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> Scores:
    """The score of every image under a method.

    Args:
        spec: the method's name with its parameters, as ``parse`` reads it: "nap+knn:k=10".
        images: the N images.
        context: what the method may use besides the activations; None for methods that need nothing else.
        w: see ``scored``.
        callbacks: see ``scored``.

    Returns:
        Scores (N,) float64; higher means more in-distribution.

    Raises:
        UserError: as ``scored`` and ``parse`` do.
        ValueError: as ``scored`` does.
        ExtractionStopped: as ``scored`` does.
    """
    image_set = images if isinstance(images, ImageSet) else ImageSet(images)
    return scored(parse(spec), image_set, context or ScoringContext(), w=w, callbacks=callbacks).scores


def check(method: Method, image_set: ImageSet, context: ScoringContext) -> None:
    """Raise UserError where the method, or a part of a combination, cannot run on these images; nothing is computed.

    A fit split that is missing is left to ``missing_fit``.
    """
    for part in (method.prior, method.alone):
        if part is not None:
            _prepared(part, context, image_set)


def missing(method: Method, image_set: ImageSet, context: ScoringContext) -> int:
    """How many images of ``image_set`` a pass of the method's own has still to be run on; 0 when it needs none.

    Raises UserError when the pass cannot run.
    """
    if not method.own_pass:
        return 0
    count = getattr(_prepared(method, context, image_set), "missing", None)
    return int(count(image_set)) if count else 0


def missing_fit(method: Method, context: ScoringContext) -> int:
    """How many images of the fit split have to be extracted before the method can be scored.

    Raises UserError when it needs a fit split and there is none.
    """
    if not method.fits or (method.record.fits and getattr(_prepared(method, context), "fitted", False)):
        return 0
    if not context.has_fit:
        context.fit(method.record.title)  # says what is missing
    return context.missing_fit()


def _prepared(method: Method, context: ScoringContext, image_set: ImageSet | None = None) -> Prepared:
    """The method without its prior, given its parameters once. Raises UserError where it cannot run."""
    alone, activations = method.alone, image_set.activations if image_set else None
    error = refusal(alone, context, activations)
    # Where a fit split is missing, the method says so itself if it is ever fitted: ReAct with a threshold is not.
    if error and error.hint is not Hint.FIT_SPLIT:
        raise error
    parameters = used_parameters(alone, context, activations)
    settled = replace(alone, settings=tuple(parameters.items()))
    return context.prepared(settled.spec, lambda: prepare(alone.record, context, parameters))


def prepare(record: MethodRecord, context: ScoringContext, parameters: Mapping[str, Value]) -> Prepared:
    """The method of ``record`` for one study, not fitted yet.

    The kind of object that ``record.implementation`` names decides how it is used: the score of a prior takes
    activations, an ``ImageBasedDetector`` takes images, a detector of pytorch-ood takes either. Any other takes the
    arguments of this function.

    Raises:
        UserError: the study lacks what the method needs.
    """
    implementation = pkgutil.resolve_name(record.implementation)
    if record.prior:
        return _prior(record, implementation, context, parameters)
    if isinstance(implementation, type) and issubclass(implementation, Detector):
        if not record.own_pass:
            return StoredDetector(record, implementation, context, parameters)
        implementation = whole_network(implementation)
    if isinstance(implementation, type) and issubclass(implementation, ImageBasedDetector):
        return ImageBasedMethod(record, implementation, context, parameters)
    prepared: Prepared = implementation(record, context, parameters)
    return prepared


def _prior(
    record: MethodRecord, score: Callable[..., Scores], context: ScoringContext, parameters: Mapping[str, Value]
) -> Prepared:
    """NAP or one of its designs of Table 6: a score of maximum, mean and variance alone.

    On a Transformer NAP is the maximum of the class token's attention, and the designs are not defined.
    """
    values = dict(parameters)
    head = int(values.pop("head", 0))
    if context.model is not None and context.model.reads_attention:
        return _attention(record, context.model, head, values)
    if head:
        raise UserError(
            f"{record.title} has heads to choose from on Transformers only. On any other network, leave head at 0."
        )

    def scores(image_set: ImageSet, _callbacks: RunCallbacks, /) -> Scored:
        return Scored(score(image_set.activations, **values))

    return scores


def _attention(record: MethodRecord, model: LoadedModel, head: int, others: Mapping[str, Value]) -> Prepared:
    """NAP of a Transformer. Raises UserError for what is not defined there."""
    if record.name != "nap":
        raise UserError(
            f"{record.title} is a design for the maps of CNNs. On a Transformer such as {model.title}, NAP is the "
            "highest attention of the class token: choose NAP."
        )
    if others.get("epsilon", nap.EPSILON) != nap.EPSILON:
        raise UserError("NAP of a Transformer is max(A), without a mean and without an ε: leave epsilon as it is.")

    def scores(image_set: ImageSet, _callbacks: RunCallbacks, /) -> Scored:
        return Scored(nap.attention_score(image_set.activations, head))

    return scores
