"""Methods. Each turns images into one score an image; higher means more in-distribution.

    >>> from nap_core import methods
    >>> methods.score("nap+energy", activations)
    >>> methods.score("ash-s:percentile=0.9", activations, ground)

A method is named by a word of ``RECORDS``; parameters follow it ("vra:lower_percentile=0.05:upper_percentile=0.9"). A
combination is "prior+other" and needs no record of its own: "nap+energy", "nap-variance+knn:k=10". ``Ground`` holds
what a method may use beside the activations it scores; most need nothing, or only what a sentence then asks for.
"""

from __future__ import annotations

import numpy as np

from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.methods.catalogue import LEFT_OUT, RECORDS
from nap_core.methods.combination import SearchedWeight, combine, search_weight
from nap_core.methods.context import ImageSet, PseudoOODSet, ScoringContext
from nap_core.methods.names import COMBINATIONS, PRIORS, STANDARD, Method, combination_parts, parse, title
from nap_core.methods.spec import (
    FAMILIES,
    NEED_SENTENCES,
    OWN_PASS_NEEDS,
    Family,
    MethodRecord,
    Need,
    Parameter,
    Positive,
    Prepared,
    Scored,
    Scores,
    Value,
    Weight,
)
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

__all__ = [
    "COMBINATIONS",
    "FAMILIES",
    "LEFT_OUT",
    "NEED_SENTENCES",
    "OWN_PASS_NEEDS",
    "PRIORS",
    "RECORDS",
    "STANDARD",
    "Family",
    "ImageSet",
    "Method",
    "MethodRecord",
    "Need",
    "Parameter",
    "Positive",
    "PseudoOODSet",
    "RunCallbacks",
    "Scored",
    "Scores",
    "ScoringContext",
    "Value",
    "Weight",
    "combination_parts",
    "default_w",
    "parse",
    "positive",
    "score",
    "scored",
    "search",
    "title",
    "weight",
]


def weight(method: Method, context: ScoringContext) -> Weight | None:
    """The w that a combination uses when nobody chose one: the one that a search on the study's pseudo-OOD images
    finds, once these are in the store, else the published one. None for a method that is no combination."""
    if method.prior is None:
        return None
    found = _searched(method, context)
    if found:
        return Weight(found.w, "found")
    published = method.record.weight(context.trained_on, context.classes)
    # Table 11 is about NAP; its w is the best guess for another prior, and no more.
    return published if method.prior.record.name == "nap" else Weight(published.w, "assumed")


def default_w(spec: str, context: ScoringContext) -> float | None:
    """The w of ``weight``, by the name of the method."""
    found = weight(parse(spec), context)
    return found.w if found else None


def _searched(method: Method, context: ScoringContext) -> SearchedWeight | None:
    """None where there is nothing to search on, or the method cannot score it: those that need images cannot."""
    images = context.search_set
    if images is None:
        return None
    try:
        if missing_fit(method, context):
            return None  # the published w must do until somebody has asked for the fit split
        return context.searched(method.spec, lambda: search(method, images, context))
    except UserError:
        return None


def search(method: Method, images: PseudoOODSet, context: ScoringContext) -> SearchedWeight:
    """The search for the w of a combination, see ``combination.search_weight``. Raises UserError as ``scored`` does,
    and for a method that is no combination."""
    if method.prior is None:
        raise UserError(f"{method.title} is no combination. A combination is written nap+energy.")
    other, prior = method.alone, method.prior

    def form(image_set: ImageSet) -> Scores:
        return positive(other, image_set, context)

    def peak(image_set: ImageSet) -> Scores:
        return np.maximum(scored(prior, image_set, context).scores, 0)

    known, pseudo = images.known, images.pseudo
    return search_weight(form(known), peak(known), form(pseudo), peak(pseudo))


def scored(
    method: Method,
    image_set: ImageSet,
    context: ScoringContext,
    *,
    w: float | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> Scored:
    """Score (N,) and own predictions of every image of ``part``; what was found is kept while ``part`` is in use.

    ``w`` is the weight of the other method in a combination; None takes its default. Raises UserError when the method
    needs what ``ground`` does not have, ValueError for a w outside [0, 1], ExtractionStopped when ``watch`` asks.
    """
    if method.prior is None:
        prepared = _prepared(method, context)
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
    """The score of every image under the method ``spec``: (N,) float64, higher means more in-distribution.

    ``ground`` can be left out for methods that need nothing but activations. Raises as ``scored`` and ``parse`` do.
    """
    part = images if isinstance(images, ImageSet) else ImageSet(images)
    return scored(parse(spec), part, context or ScoringContext(), w=w, callbacks=callbacks).scores


def missing(method: Method, image_set: ImageSet, context: ScoringContext) -> int:
    """How many images of ``part`` a pass of the method's own has still to be run on; 0 when it needs none.

    Raises UserError when the pass cannot run.
    """
    if not method.own_pass:
        return 0
    count = getattr(_prepared(method, context), "missing", None)
    return int(count(image_set)) if count else 0


def missing_fit(method: Method, context: ScoringContext) -> int:
    """How many images of the fit split have to be extracted before the method can be scored.

    Raises UserError when it needs a fit split and there is none.
    """
    fits_itself = method.record.fits and not getattr(_prepared(method, context), "fitted", False)
    if not fits_itself and method.fits == method.record.fits:
        return 0
    if not context.has_fit:
        context.fit(method.record.title)  # says what is missing
    return context.missing_fit()


def _prepared(method: Method, context: ScoringContext) -> Prepared:
    """The method without its prior, given its parameters once."""
    parameters = method.parameters(context.trained_on)
    return context.prepared(method.alone.spec, lambda: method.record.prepare(context, parameters))
