"""The same images in other sizes: how the figures move when a network is fed more pixels or fewer.

The short side and the crop are scaled together, so that what is in the picture stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from nap_core import datasets, extraction, methods, studies
from nap_core.analysis import evaluation
from nap_core.errors import Hint, UserError
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks
from nap_core.studies.study import Study

IMAGES = 200
"""Images of each dataset that are seen in every size, fewer where a study has fewer."""
FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
COLUMNS = ["method", "side", "ood", "fpr95", "auroc", "id_accuracy"]


@dataclass(frozen=True, eq=False)
class SizeOutcome:
    """The result at one input size.

    Attributes:
        side: The crop in pixels.
        factor: The crop by that of the study.
        data: The images of the study at this size; None where the network refuses it.
        refused: Why the network refuses the size; else empty.
    """

    side: int
    factor: float
    data: EvaluationData | None = None
    refused: str = ""


def sized(study: Study, factor: float) -> Study:
    """The study with views of another size, and at most ``IMAGES`` images of each dataset.

    Args:
        study: The study.
        factor: The size of the views by the study's own; short side and crop are scaled together.

    Returns:
        The same study with another preprocessing.

    Raises:
        UserError: A dataset is a reference bank, which holds activations of the model's own preprocessing.
    """
    own = study.network().transform
    geometry = "/".join(str(round(pixels * factor)) for pixels in (own.resize, own.crop))
    # The model's own size stays what it is called in the study: it is in the store under that name already.
    transform = study.transform if factor == 1 else f"{geometry}/{own.interpolation}"
    return replace(study, images=min(IMAGES, study.images), transform=transform)


def check(study: Study) -> None:
    """Check that the images of a study can be fed in another size.

    Args:
        study: The study.

    Raises:
        UserError: A dataset holds activations, not images.
    """
    if any(datasets.find(name).role == "precomputed" for name in study.datasets):
        raise UserError(
            f"{datasets.title(study.id_dataset)} holds activations, not images, so it cannot be seen in another size.",
            Hint.ID_IMAGES,
        )


def extraction_plan(study: Study, device: str | None = None) -> extraction.ExtractionPlan:
    """The study's images in all sizes that its network takes.

    Args:
        study: The study.
        device: "cpu", "cuda" …; None for the best there is.

    Returns:
        A step for each size and dataset, the smallest size first.

    Raises:
        UserError: As ``check`` does.
    """
    steps = [step for one in _sized(study)[0].values() for step in studies.extraction_plan(one).steps]
    return extraction.ExtractionPlan(steps, device)


def by_size(
    study: Study, store: Store, device: str | None = None, callbacks: RunCallbacks = NO_CALLBACKS
) -> tuple[SizeOutcome, ...]:
    """The study at every size of ``FACTORS``, from a run of the ``extraction_plan``.

    Args:
        study: The model and the datasets.
        store: Where activations are kept.
        device: "cpu", "cuda" …; None for the best there is.
        callbacks: Progress over the images of all sizes, and cancellation.

    Returns:
        One result a size, the smallest first.

    Raises:
        UserError: As ``check`` does.
        ExtractionStopped: On request; a second call goes on from there.
    """
    taken, refused = _sized(study)
    extraction_plan(study, device).run(store, callbacks)
    crop = study.network().transform.crop
    by_factor = {factor: studies.run(one, store, device=device) for factor, one in taken.items()}
    return tuple(
        SizeOutcome(round(crop * factor), factor, by_factor.get(factor), refused.get(factor, "")) for factor in FACTORS
    )


def _sized(study: Study) -> tuple[dict[float, Study], dict[float, str]]:
    """The study in each size that its network takes, and why it refuses the others, by factor."""
    check(study)
    taken, refused = {}, {}
    for factor in FACTORS:
        try:
            one = sized(study, factor)
            one.network()
            taken[factor] = one
        except UserError as error:
            refused[factor] = str(error)
    return taken, refused


def can_be_sized(spec: str) -> bool:
    """Whether a method is scored in other sizes.

    Args:
        spec: The method, by name.

    Returns:
        False where it would estimate from a fit split seen anew in each size, or run the network once more.
    """
    method = methods.parse(spec)
    return not (method.fits or method.own_pass)


def figures(outcome: SizeOutcome, spec: str, w: float | None = None) -> pd.DataFrame:
    """FPR95, AUROC and ID accuracy of a method at one size.

    Args:
        outcome: The result at the size.
        spec: The method, by name.
        w: The weight of a combination, 0 to 1; None takes its published w.

    Returns:
        One row an OOD dataset: the columns of ``COLUMNS``, ``side`` in pixels, shares; empty for a size that was
        refused.

    Raises:
        UserError: As ``methods.scored`` does.
    """
    if outcome.data is None:
        return pd.DataFrame(columns=COLUMNS)
    table = evaluation.metrics_of(evaluation.method_scores(outcome.data, spec, w=w))
    right = evaluation.id_accuracy(outcome.data)
    return table.assign(method=spec, side=outcome.side, id_accuracy=right)[COLUMNS]
