"""The same images in other sizes: how the figures move when a network is fed more pixels or fewer.

The short side and the crop are scaled together, so that what is in the picture stays the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from nap_core import datasets, methods, metrics
from nap_core.analysis import evaluation
from nap_core.analysis.evaluation import MethodScores
from nap_core.errors import Hint, UserError
from nap_core.methods import RunCallbacks
from nap_core.methods.context import NO_CALLBACKS
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import Progress
from nap_core.studies.study import Study, StudyActivations, missing_images, run

IMAGES = 200
"""Images of each dataset that are seen in every size, fewer where a study has fewer."""
FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
COLUMNS = ["method", "side", "ood", "fpr95", "auroc", "id_accuracy"]


@dataclass(frozen=True, eq=False)
class SizeOutcome:
    """What came of one size: ``side`` is the crop in pixels; ``found`` is None where the network refuses the size, and
    ``refused`` then says why."""

    side: int
    factor: float
    found: StudyActivations | None = None
    refused: str = ""


def sized(study: Study, factor: float) -> Study:
    """The study with views ``factor`` times as large, and at most ``IMAGES`` images of each dataset.

    Raises UserError for a study with a reference bank, which holds activations of the model's own preprocessing.
    """
    own = study.network().transform
    geometry = "/".join(str(round(pixels * factor)) for pixels in (own.resize, own.crop))
    # The model's own size stays what it is called in the study: it is in the store under that name already.
    transform = study.transform if factor == 1 else f"{geometry}/{own.interpolation}"
    return replace(study, images=min(IMAGES, study.images), transform=transform)


def check(study: Study) -> None:
    """Raises UserError, with what to do, for a study whose images cannot be fed in another size."""
    if any(datasets.find(name).role == "precomputed" for name in study.datasets):
        raise UserError(
            f"{datasets.title(study.id_dataset)} holds activations, not images, so it cannot be seen in another size.",
            Hint.ID_IMAGES,
        )


def by_size(
    study: Study, store: Store, device: str | None = None, callbacks: RunCallbacks = NO_CALLBACKS
) -> tuple[SizeOutcome, ...]:
    """The study at every size of ``FACTORS``, the smallest first; what the store holds is read.

    ``watch`` hears of all sizes as of one pass. Raises as ``check`` does, and ExtractionStopped when ``watch`` asks.
    """
    check(study)
    studies = {factor: sized(study, factor) for factor in FACTORS}
    refused: dict[float, str] = {}
    for factor, one in studies.items():
        try:
            one.network()
        except UserError as error:
            refused[factor] = str(error)
    taken = {factor: one for factor, one in studies.items() if factor not in refused}
    total, before = sum(map(_images, taken.values())), 0
    outcomes = []
    for factor in FACTORS:
        side = round(study.network().transform.crop * factor)
        if factor in refused:
            outcomes.append(SizeOutcome(side, factor, refused=refused[factor]))
            continue
        note = _counted(callbacks, before, total, studies[factor])
        found = run(studies[factor], store, device=device, progress=note, should_stop=callbacks.should_stop)
        outcomes.append(SizeOutcome(side, factor, found))
        before += _images(studies[factor])
    return tuple(outcomes)


def missing(study: Study, store: Store) -> int:
    """How many images, in all sizes that the network takes, are not in the store yet. Raises as ``check`` does."""
    check(study)
    count = 0
    for factor in FACTORS:
        try:
            count += sum(missing_images(sized(study, factor), store).values())
        except UserError:  # a size that the network refuses
            continue
    return count


def _images(study: Study) -> int:
    return sum(min(study.images, len(datasets.load(name))) for name in study.datasets)


def _counted(callbacks: RunCallbacks, before: int, total: int, study: Study) -> Callable[[Progress], None] | None:
    """What hears of one dataset in one size and tells ``watch`` of all."""
    told = callbacks.progress
    if told is None:
        return None
    order = [datasets.title(name) for name in study.datasets]
    sizes = [min(study.images, len(datasets.load(name))) for name in study.datasets]

    def note(now: Progress) -> None:
        done = before + sum(sizes[: order.index(now.title)]) + now.done
        told(replace(now, done=done, total=total, seconds_left=(total - done) / now.speed))

    return note


def can_be_sized(spec: str) -> bool:
    """Whether a method is scored in other sizes: not when it would estimate from a fit split seen anew in each, or run
    the network once more."""
    method = methods.parse(spec)
    return not (method.fits or method.own_pass)


def figures(outcome: SizeOutcome, spec: str, w: float | None = None) -> pd.DataFrame:
    """FPR95, AUROC and ID accuracy of a method at one size: columns ``COLUMNS``, one row an OOD dataset, shares.

    ``w`` is that of a combination, its default there when None. Empty for a size that was refused.
    Raises as ``methods.scored`` does.
    """
    if outcome.found is None:
        return pd.DataFrame(columns=COLUMNS)
    scores: MethodScores = evaluation.score_study(outcome.found, spec, w=w)
    right = evaluation.accuracy(outcome.found)
    return pd.DataFrame(
        [
            (spec, outcome.side, name, metrics.fpr_at_tpr(scores.id, values), metrics.auroc(scores.id, values), right)
            for name, values in scores.ood.items()
        ],
        columns=COLUMNS,
    )
