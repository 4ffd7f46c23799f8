"""What a method may use beside the activations it scores: the network, its fit split, and where results are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from nap_core.activations import Activations
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.extraction import ExtractionStep, extract
from nap_core.methods.combination import SearchedWeight
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

if TYPE_CHECKING:
    from nap_core.methods.spec import Prepared, Scored


@dataclass(frozen=True, eq=False)  # one object is one set of images: it serves as a key of caches
class ImageSet:
    """Images to be scored: their stored activations and, where there are any, the images themselves."""

    activations: Activations
    images: ImageDataset | None = None


@dataclass(frozen=True, eq=False)
class PseudoOODSet:
    """What w is searched on: the first ID images and the pseudo-OOD images made of them."""

    known: ImageSet
    pseudo: ImageSet


@dataclass(eq=False)
class ScoringContext:
    """What the methods of one study stand on.

    ``knows`` is what the network was trained on, as the papers call it, and picks published parameters.
    ``fit_images`` are training images, never test images; their activations are extracted into ``store`` when the
    first method asks for them. ``fit_activations`` can be given in their place where no method needs the images.
    ``find_search_set`` gives what w is searched on once that is in the store, None before.
    """

    model: LoadedModel | None = None
    trained_on: str = ""
    fit_images: ImageDataset | None = None
    fit_activations: Activations | None = None
    fit_limit: int | None = None
    store: Store | None = None
    device: str | None = None
    find_search_set: Callable[[], PseudoOODSet | None] | None = None
    _search_set: PseudoOODSet | None = field(default=None, repr=False)
    _searched: dict[str, SearchedWeight] = field(default_factory=dict, repr=False)
    _prepared: dict[str, Prepared] = field(default_factory=dict, repr=False)
    _scored: WeakKeyDictionary[ImageSet, dict[str, Scored]] = field(default_factory=WeakKeyDictionary, repr=False)
    _fit_part: ImageSet | None = field(default=None, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    # Apart from the other: while the fit split is extracted, methods that do not need it still run.
    _fit_lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def has_fit(self) -> bool:
        """Whether there is anything to estimate from."""
        return self.fit_images is not None or self.fit_activations is not None

    def network(self, what: str) -> LoadedModel:
        """The model. Raises UserError, naming ``what`` needs it, when there is none."""
        if self.model is None:
            raise UserError(f"{what} needs the network itself, and only activations were given.")
        return self.model

    def fit(self, what: str, callbacks: RunCallbacks = NO_CALLBACKS) -> ImageSet:
        """The fit split; extracted when that has not been done. Raises UserError, naming ``what`` needs it, when
        there is none, ExtractionStopped when ``watch`` asks for that."""
        with self._fit_lock:
            if self._fit_part is None:
                self._fit_part = ImageSet(self._fit(what, callbacks), self.fit_images)
            return self._fit_part

    def _fit(self, what: str, callbacks: RunCallbacks) -> Activations:
        if self.fit_activations is not None:
            return self.fit_activations
        if self.fit_images is None:
            known = self.trained_on or "the ID dataset"
            raise UserError(
                f"{what} needs a fit split (training images of {known} from which it estimates), and there is none."
            )
        return extract(
            self.network(what),
            self.fit_images,
            limit=self.fit_limit,
            store=self.store,
            device=self.device,
            callbacks=callbacks,
        )

    def missing_fit(self) -> int:
        """How many images of the fit split have still to be extracted; 0 where there is no fit split."""
        if self._fit_part is not None or self.fit_activations is not None or self.fit_images is None:
            return 0
        sites = (self.model,) if self.model else ()
        return ExtractionStep(sites, self.fit_images, self.fit_limit).missing(self.store)

    def labelled_fit(self, what: str, callbacks: RunCallbacks = NO_CALLBACKS) -> ImageSet:
        """The fit split, every class of the network among its labels. Raises UserError when one is missing."""
        part = self.fit(what, callbacks)
        found: NDArray[np.int64] = np.unique(part.activations.labels)
        classes = int(part.activations.logits.shape[1])
        if not len(found) or found[0] < 0:
            raise UserError(f"{what} needs the classes of the fit split, and they are not known.")
        if len(found) < classes:
            raise UserError(
                f"{what} needs images of all {classes:,} classes in the fit split, and it holds {len(found):,}. "
                "Take a larger fit split."
            )
        return part

    @property
    def classes(self) -> int:
        """How many classes the network has; 0 where there is no network."""
        return len(self.model.classes) if self.model else 0

    @property
    def search_set(self) -> PseudoOODSet | None:
        """What w is searched on, None as long as it is not in the store."""
        if self._search_set is None and self.find_search_set is not None:
            self._search_set = self.find_search_set()
        return self._search_set

    def searched(self, spec: str, make: Callable[[], SearchedWeight]) -> SearchedWeight:
        """What ``make`` found for ``spec``, searched once."""
        with self._lock:
            if spec not in self._searched:
                self._searched[spec] = make()
            return self._searched[spec]

    def prepared(self, spec: str, make: Callable[[], Prepared]) -> Prepared:
        """What ``make`` gave for ``spec``, made once."""
        with self._lock:
            if spec not in self._prepared:
                self._prepared[spec] = make()
            return self._prepared[spec]

    def scored(self, spec: str, image_set: ImageSet, make: Callable[[], Scored]) -> Scored:
        """What ``make`` gave for ``spec`` on ``part``, made once for as long as ``part`` is in use."""
        with self._lock:
            known = self._scored.setdefault(image_set, {})
        if spec not in known:
            known[spec] = make()
        return known[spec]
