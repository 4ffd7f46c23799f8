"""Models by name: records, networks with their weights and preprocessing, hooks.

    >>> from nap_core import models
    >>> model = models.load("resnet20-cifar10")
    >>> model.network, model.transform, model.classes

A new bundled model is one more ``ModelRecord`` in ``catalogue/bundled.py``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nap_core.datasets.catalogue.bundled import CIFAR10_CLASSES
from nap_core.models.catalogue import RECORDS
from nap_core.models.preprocessing import Transform
from nap_core.models.sources import find, is_here, listing, names
from nap_core.models.spec import ModelRecord

if TYPE_CHECKING:
    from nap_core.models.architectures import ARCHITECTURES
    from nap_core.models.attention_hook import AttentionHook
    from nap_core.models.feature_hook import FeatureHook
    from nap_core.models.loaded_model import LoadedModel, Variant, assemble, with_layer, with_preprocessing
    from nap_core.models.loading import add, benchmark_classes, load, load_checkpoint
    from nap_core.models.plugins import entry

__all__ = [
    "ARCHITECTURES",
    "CIFAR10_CLASSES",
    "RECORDS",
    "AttentionHook",
    "FeatureHook",
    "LoadedModel",
    "ModelRecord",
    "Transform",
    "Variant",
    "add",
    "assemble",
    "benchmark_classes",
    "entry",
    "find",
    "is_here",
    "listing",
    "load",
    "load_checkpoint",
    "names",
    "with_layer",
    "with_preprocessing",
]

# Records and titles load without torch; these names import it when they are used first.
_LAZY = {
    "architectures": ("ARCHITECTURES",),
    "attention_hook": ("AttentionHook",),
    "feature_hook": ("FeatureHook",),
    "loaded_model": ("LoadedModel", "Variant", "assemble", "with_layer", "with_preprocessing"),
    "loading": ("add", "benchmark_classes", "load", "load_checkpoint"),
    "plugins": ("entry",),
}
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    return value
