"""Loads the implementation that a method's record names and gives it its parameters."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping

from pytorch_ood.api import Detector

from nap_core.methods import custom
from nap_core.methods.context import Prepared, ScoringContext
from nap_core.methods.image_based import OnImages, Pass
from nap_core.methods.image_based_detectors import whole_network
from nap_core.methods.pytorch_ood_adapter import StoredDetector
from nap_core.methods.spec import MethodRecord, Value


def prepare(record: MethodRecord, context: ScoringContext, parameters: Mapping[str, Value]) -> Prepared:
    """The method of ``record`` for one study, not fitted yet.

    The kind of object that ``record.implementation`` names decides how it is used: the score of a prior takes
    activations, a ``Pass`` takes images, a detector of pytorch-ood takes either. Any other takes the arguments of this
    function.

    Raises:
        UserError: the study lacks what the method needs.
    """
    implementation = pkgutil.resolve_name(record.implementation)
    if record.prior:
        return custom.prior(record, implementation, context, parameters)
    if isinstance(implementation, type) and issubclass(implementation, Detector):
        if not record.own_pass:
            return StoredDetector(record, implementation, context, parameters)
        implementation = whole_network(implementation)
    if isinstance(implementation, type) and issubclass(implementation, Pass):
        return OnImages(record, implementation, context, parameters)
    prepared: Prepared = implementation(record, context, parameters)
    return prepared
