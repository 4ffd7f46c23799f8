"""NAC-ME: a score of the model from the coverage of its neurons' states, not of an image."""

from __future__ import annotations

import numpy as np

from nap_core.methods.context import ScoringContext
from nap_core.methods.image_based import Site
from nap_core.methods.image_based_detectors import NeuronCoverage
from nap_core.methods.names import parse
from nap_core.methods.spec import Value
from nap_core.storage.activation_store.scores import ScoreFile
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

TITLE = "NAC-ME"


def stored_coverage(context: ScoringContext) -> float | None:
    """NAC-ME of the context's model where the store holds it, else None."""
    file = _file(context)
    stored = file.read()[0] if file else np.empty(0)
    return float(stored[0]) if len(stored) else None


def model_coverage(context: ScoringContext, callbacks: RunCallbacks = NO_CALLBACKS) -> float:
    """NAC-ME, 0 to 1: the area of its neurons' states that the fit split covers, with the parameters of "nac-ue".

    It compares models of the same data: the larger, the better a model generalises (NAC paper, "Model Evaluation").
    It takes a pass with gradients over the fit split and is kept in the store.

    Args:
        context: the model, the images of its fit split, and the store.
        callbacks: progress and cancellation.

    Raises:
        UserError: there is no fit split.
        ExtractionStopped: ``callbacks.should_stop`` returned True.
    """
    stored = stored_coverage(context)
    if stored is not None:
        return stored
    score = NeuronCoverage(Site(TITLE, context, _parameters(context)), callbacks).coverage.model_score()
    if file := _file(context):
        file.write(np.array([score]), np.array([-1], np.int64))
    return score


def _parameters(context: ScoringContext) -> dict[str, Value]:
    return parse("nac-ue").parameters(context.trained_on)


def _file(context: ScoringContext) -> ScoreFile | None:
    fit = context.fit_images
    if context.store is None or fit is None:
        return None
    model = context.network(TITLE)
    key = {
        "method": [TITLE, NeuronCoverage.revision],
        "parameters": _parameters(context),
        "weights": model.weights_sha256,
        "transform": model.transform.describe(),
        "fit": [fit.fingerprint, context.fit_limit],
    }
    return ScoreFile(context.store.root, key)
