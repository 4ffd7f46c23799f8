"""Reference banks: activations of ID images that are shipped in place of the images themselves."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.storage.bundled_assets import ASSETS

if TYPE_CHECKING:
    from nap_core.models import LoadedModel

FOLDER = ASSETS / "bank"


def save(name: str, model: LoadedModel, activations: Activations) -> Path:
    """Write a bank, statistics in half precision, without the logits: they are the head of the mean."""
    path = FOLDER / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        weights_sha256=np.array(model.weights_sha256),
        labels=activations.labels.astype(np.int16),
        **{part: getattr(activations, part).astype(np.float16) for part in ("maximum", "mean", "variance")},
    )
    return path


@lru_cache(maxsize=2)
def load(name: str, model: LoadedModel) -> Activations:
    """The activations in the bank ``name``. Raises UserError when it was made with other weights than ``model``'s."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as archive:
        if str(archive["weights_sha256"]) != model.weights_sha256:
            raise UserError(
                f"The bank {name} was made with other weights than {model.title}'s. Reinstall the model's package in "
                "the version that requirements.txt names."
            )
        maximum, mean, variance = (archive[part].astype(np.float32) for part in ("maximum", "mean", "variance"))
        labels = archive["labels"].astype(np.int64)
    return Activations(maximum, mean, variance, model.logits_of(mean), labels)
