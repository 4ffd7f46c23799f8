"""What a method may use besides the activations it scores, and the images that methods are evaluated on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from nap_core import extraction
from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.datasets.labels import labels_for
from nap_core.errors import Hint, UserError
from nap_core.methods.inputs import ImageSet, finite, left_out_sentences
from nap_core.methods.spec import Scored
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

if TYPE_CHECKING:
    from nap_core.models import LoadedModel


class Prepared(Protocol):
    """A method with its parameters for one study, which fits itself at the first call where it needs that."""

    def __call__(self, image_set: ImageSet, callbacks: RunCallbacks, /) -> Scored: ...


@dataclass(frozen=True, eq=False)
class ScoringContext:
    """What methods may use besides the activations that they score.

    A context never changes, since what it has fitted and scored is kept in it. ``dataclasses.replace`` gives another
    context that starts anew.

    Args:
        model: the network; None where no method needs it.
        trained_on: what the network was trained on, as the papers call it ("CIFAR-10"); picks published parameters.
        fit_images: images of the training split, never test images. Their activations are extracted into ``store``
            when the first method needs them.
        fit_activations: activations of the fit split, in place of ``fit_images`` where no method needs the images.
        fit_limit: how many of the fit split, from the first on; None for all.
        store: where activations and scores are kept; None keeps them in memory.
        device: "cpu", "cuda" …; None for the best there is.
    """

    model: LoadedModel | None = None
    trained_on: str = ""
    fit_images: ImageDataset | None = None
    fit_activations: Activations | None = None
    fit_limit: int | None = None
    store: Store | None = None
    device: str | None = None
    _prepared: dict[str, Prepared] = field(default_factory=dict, repr=False, init=False)
    _scored: WeakKeyDictionary[ImageSet, dict[str, Scored]] = field(
        default_factory=WeakKeyDictionary, repr=False, init=False
    )
    _fit_sets: list[ImageSet] = field(default_factory=list, repr=False, init=False)
    """The fit split, once it is extracted."""
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, init=False)
    # Apart from the other: while the fit split is extracted, methods that do not need it still run.
    _fit_lock: threading.RLock = field(default_factory=threading.RLock, repr=False, init=False)

    @property
    def has_fit(self) -> bool:
        """Whether there is anything to estimate from."""
        return self.fit_images is not None or self.fit_activations is not None

    def network(self, what: str) -> LoadedModel:
        """The model. Raises UserError, naming ``what`` needs it, when there is none."""
        if self.model is None:
            raise UserError(f"{what} needs the network itself, and only activations were given.")
        return self.model

    @property
    def fit_rows(self) -> int:
        """How many images the fit split has; 0 where there is none."""
        source = self.fit_images if self.fit_activations is None else self.fit_activations
        rows = len(source) if source is not None else 0
        return rows if self.fit_limit is None else min(self.fit_limit, rows)

    @property
    def fit_labels(self) -> NDArray[np.int64]:
        """The labels of the fit split, (N,)."""
        source = self.fit_images if self.fit_activations is None else self.fit_activations
        return source.labels[: self.fit_rows] if source is not None else np.empty(0, np.int64)

    def fit_refusal(self, what: str, labels: bool = False) -> UserError | None:
        """Why ``what`` cannot estimate from the fit split, None where it can; with ``labels`` from every class."""
        if not self.has_fit:
            trained_on = self.trained_on or "the ID dataset"
            return UserError(
                f"{what} needs a fit split (training images of {trained_on} from which it estimates), and there is "
                "none.",
                Hint.FIT_SPLIT,
            )
        classes: NDArray[np.int64] = np.unique(self.fit_labels if labels else np.empty(0, np.int64))
        if labels and (not len(classes) or classes[0] < 0):
            return UserError(f"{what} needs the classes of the fit split, and they are not known.")
        wanted = self.classes or (self.fit_activations.logits.shape[1] if self.fit_activations is not None else 0)
        if labels and len(classes) < wanted:
            return UserError(
                f"{what} needs images of all {wanted:,} classes in the fit split, and it holds {len(classes):,}. "
                "Take a larger fit split."
            )
        return None

    def fit(self, what: str, callbacks: RunCallbacks = NO_CALLBACKS) -> ImageSet:
        """The fit split; extracted when that has not been done.

        Raises UserError, with ``what`` needs it, when there is none, and ExtractionStopped when the callbacks stop it.
        """
        with self._fit_lock:
            if not self._fit_sets:
                self._fit_sets.append(finite(ImageSet(self._fit(what, callbacks), self.fit_images)))
            return self._fit_sets[0]

    def _fit(self, what: str, callbacks: RunCallbacks) -> Activations:
        if error := self.fit_refusal(what):
            raise error
        if self.fit_activations is not None:
            return self.fit_activations
        return extraction.extract(
            self.network(what),
            cast(ImageDataset, self.fit_images),  # it is there: nothing was refused
            limit=self.fit_limit,
            store=self.store,
            device=self.device,
            callbacks=callbacks,
        )

    def missing_fit(self) -> int:
        """How many images of the fit split have still to be extracted; 0 where there is no fit split."""
        if self._fit_sets or self.fit_activations is not None or self.fit_images is None:
            return 0
        sites = (self.model,) if self.model else ()
        return extraction.ExtractionStep(sites, self.fit_images, self.fit_limit).missing(self.store)

    def labelled_fit(self, what: str, callbacks: RunCallbacks = NO_CALLBACKS) -> ImageSet:
        """The fit split, every class of the network among its labels. Raises UserError when one is missing."""
        if error := self.fit_refusal(what, labels=True):
            raise error
        return self.fit(what, callbacks)

    @property
    def classes(self) -> int:
        """How many classes the network has; 0 where there is no network."""
        return len(self.model.classes) if self.model else 0

    def prepared(self, spec: str, make: Callable[[], Prepared]) -> Prepared:
        """The result of ``make`` for ``spec``, computed once."""
        with self._lock:
            if spec not in self._prepared:
                self._prepared[spec] = make()
            return self._prepared[spec]

    def scored(self, spec: str, image_set: ImageSet, make: Callable[[], Scored]) -> Scored:
        """The result of ``make`` for ``spec`` on ``image_set``, computed once as long as ``image_set`` lives."""
        with self._lock:
            scores = self._scored.setdefault(image_set, {})
        if spec not in scores:
            scores[spec] = make()
        return scores[spec]


@dataclass(frozen=True, eq=False)
class EvaluationData:
    """What methods are evaluated on: the one input of every analysis.

    Images whose activations are not finite are left out of every set, see ``ImageSet.left_out``.

    Args:
        id_name: the name of the ID dataset.
        id: the ID images, N rows.
        ood: the OOD images by the name of their dataset, in study order.
        context: what methods may use besides the activations.

    Raises:
        UserError: where an OOD dataset has the name of the ID dataset, or no image of a dataset has a finite answer.
    """

    id_name: str
    id: ImageSet
    ood: Mapping[str, ImageSet]
    context: ScoringContext = field(default_factory=ScoringContext)

    def __post_init__(self) -> None:
        if self.id_name in self.ood:
            raise UserError(f"The ID dataset and an OOD dataset are called “{self.id_name}”. Rename one of them.")
        object.__setattr__(self, "id", finite(self.id))
        object.__setattr__(self, "ood", {name: finite(part) for name, part in self.ood.items()})
        for name, part in self.parts.items():
            if part.left_out and not len(part.activations):
                raise UserError(f"The network answers no image of {name} with finite numbers: nothing can be scored.")

    def left_out(self, titles: Mapping[str, str] | None = None) -> list[str]:
        """What is left out of the datasets, a sentence for each reason; ``titles`` by name of the dataset."""
        named = {(titles or {}).get(name, name): part for name, part in self.parts.items()}
        return [sentence for title, part in named.items() for sentence in left_out_sentences(title, part)]

    @property
    def parts(self) -> dict[str, ImageSet]:
        """The images of every dataset by its name, the ID dataset first."""
        return {self.id_name: self.id, **self.ood}

    def of(self, name: str) -> Activations:
        """The activations of the dataset called ``name``."""
        return self.parts[name].activations


def evaluation_data(
    id_name: str,
    sources: Mapping[str, ImageDataset | Activations],
    context: ScoringContext,
    *,
    limit: int | None = None,
    batch_size: int | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> EvaluationData:
    """The activations of every dataset; what the store holds is read, the rest is extracted into it.

    Args:
        id_name: the name of the ID dataset, one of ``sources``.
        sources: the images of each dataset by its name, or precomputed activations in their place.
        context: the network, the store and the device, and what methods may use besides the activations.
        limit: how many images of each dataset, from the first on; None for all.
        batch_size: images of a batch; None for the device's default.
        callbacks: progress and cancellation.

    Returns:
        The data. The labels of the ID images are classes of the network (``labels.labels_for``), those of the OOD
        images their own.

    Raises:
        UserError: where the context has no network, and as ``extract`` does.
        ExtractionStopped: when the callbacks stop it; a second call goes on from there.
    """
    model = context.network("Extraction")
    parts = {
        name: one if limit is None else one.head(limit) for name, one in sources.items() if isinstance(one, Activations)
    }
    images = {name: one for name, one in sources.items() if not isinstance(one, Activations)}
    steps = [extraction.ExtractionStep((model,), one, limit) for one in images.values()]
    plan = extraction.ExtractionPlan(steps, context.device, batch_size)
    parts |= zip(images, plan.run(context.store, callbacks), strict=True)
    if id_name in images:
        # The store keeps the labels that the images came with: whatever network reads them, it is one entry.
        labels = labels_for(images[id_name], model.classes)
        parts[id_name] = replace(parts[id_name], labels=labels[: len(parts[id_name])])
    sets = {name: ImageSet(parts[name], images.get(name)) for name in sources}
    return EvaluationData(id_name, sets.pop(id_name), sets, context)
