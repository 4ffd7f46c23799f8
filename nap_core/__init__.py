"""Out-of-distribution detection with the Neural Activation Prior (NAP) and the methods that it is compared with.

The names below are the public interface; each is imported at its first use, so that ``import nap_core`` is fast.

Example:
    >>> from nap_core import Store, default_study, evaluate, run
    >>> data = run(default_study(), Store())
    >>> table = evaluate(data, ["nap", "energy", "nap+energy"])
    >>> table[["method", "ood_dataset", "fpr95", "auroc"]]

    One network on images of one's own:

    >>> from nap_core import extract, load_dataset, load_model, nap_score
    >>> activations = extract(load_model("resnet20-cifar10"), load_dataset("cifar10"), limit=100)
    >>> nap_score(activations)  # (100,) float64, higher means more in-distribution
"""

import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nap_core.activations import Activations
    from nap_core.analysis.evaluation import evaluate
    from nap_core.datasets import load as load_dataset
    from nap_core.errors import UserError
    from nap_core.extraction import extract
    from nap_core.methods import EvaluationData, ImageSet, ScoringContext, score
    from nap_core.models import load as load_model
    from nap_core.models import load_checkpoint
    from nap_core.nap import nap_score
    from nap_core.storage.activation_store import Store
    from nap_core.studies import Study, default_study, run

_PLACES = {
    "Activations": "nap_core.activations:Activations",
    "EvaluationData": "nap_core.methods:EvaluationData",
    "ImageSet": "nap_core.methods:ImageSet",
    "ScoringContext": "nap_core.methods:ScoringContext",
    "Store": "nap_core.storage.activation_store:Store",
    "Study": "nap_core.studies:Study",
    "UserError": "nap_core.errors:UserError",
    "default_study": "nap_core.studies:default_study",
    "evaluate": "nap_core.analysis.evaluation:evaluate",
    "extract": "nap_core.extraction:extract",
    "load_checkpoint": "nap_core.models:load_checkpoint",
    "load_dataset": "nap_core.datasets:load",
    "load_model": "nap_core.models:load",
    "nap_score": "nap_core.nap:nap_score",
    "run": "nap_core.studies:run",
    "score": "nap_core.methods:score",
}

__all__ = [
    "Activations",
    "EvaluationData",
    "ImageSet",
    "ScoringContext",
    "Store",
    "Study",
    "UserError",
    "default_study",
    "evaluate",
    "extract",
    "load_checkpoint",
    "load_dataset",
    "load_model",
    "nap_score",
    "run",
    "score",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return pkgutil.resolve_name(_PLACES[name])


def __dir__() -> list[str]:
    return sorted(globals() | _PLACES)
