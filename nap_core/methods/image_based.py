"""Methods for which stored activations are not enough: gradients, several layers, full maps, dropout.

Each runs the network again over the images, on a copy of it, so that hooks, gradients and dropout never meet the pages'
own passes. What a pass finds is kept in the store, image by image, and a stopped pass goes on where it ended.
"""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from importlib import metadata
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.extraction import SHARD_ROWS, Progress, choose_device, inputs
from nap_core.methods.context import ImageSet, RunCallbacks, ScoringContext
from nap_core.methods.pytorch_ood_adapter import OwnLogits, in_words, negated
from nap_core.methods.spec import MethodRecord, Need, Prepared, Scored, Value
from nap_core.models import AttentionHook, FeatureHook, LoadedModel
from nap_core.storage.activation_store.scores import ScoreFile

BATCH = 64  # gradients and full maps of several layers take many times the memory of a plain pass


class Site:
    """Where an own pass works: a copy of the network on its device, its taps, and the batches of a dataset."""

    def __init__(self, title: str, context: ScoringContext, parameters: Mapping[str, Value]) -> None:
        self.title, self.context, self.parameters = title, context, parameters
        self.model: LoadedModel = context.network(title)
        self.device = choose_device(context.device)
        self.network: nn.Module = copy.deepcopy(self.model.network).to(self.device).eval()

    def layer_names(self) -> tuple[str, ...]:
        """The layers that the architecture offers, the earliest first. Raises UserError when there are none."""
        if not self.model.architecture.layers:
            raise UserError(f"{self.title} reads several layers, and {self.model.title} names none.")
        return self.model.architecture.layers

    def batches(
        self, dataset: ImageDataset, first: int, last: int, callbacks: RunCallbacks
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Network inputs and labels; each batch is told to ``watch`` once it has been used."""
        started, done = time.perf_counter(), first
        for x, labels in inputs(
            self.model,
            dataset,
            first,
            last,
            device=self.context.device,
            batch_size=BATCH,
            should_stop=callbacks.should_stop,
        ):
            yield x, labels
            done += len(x)
            if callbacks.progress:
                speed = (done - first) / (time.perf_counter() - started)
                callbacks.progress(Progress(f"{self.title}, {dataset.title}", done, last, speed, (last - done) / speed))

    def fit_batches(self, callbacks: RunCallbacks) -> FitBatches:
        """The fit split as what detectors take for a data loader."""
        dataset = self.context.fit_images
        if dataset is None:
            raise UserError(f"{self.title} needs the images of a fit split, and there are none.")
        return FitBatches(self, dataset, callbacks)

    def pooled(self, x: Tensor) -> Tensor:
        """Inputs (B, 3, H, W) → features, which the last linear layer reads (B, D), with gradients if they are on."""
        return self.maps(x, (self._head_tap(),))[0][0].flatten(1)

    def maps(self, x: Tensor, taps: tuple[FeatureHook | AttentionHook, ...]) -> tuple[list[Tensor], Tensor]:
        """Inputs → the map at each tap, and the logits, in one pass."""
        found: list[list[Tensor]] = [[] for _ in taps]
        with ExitStack() as reading:
            for hook, maps in zip(taps, found, strict=True):
                reading.enter_context(hook.capture(self.network, maps.append))
            logits = self.network(x)
        return [maps[-1] for maps in found], logits

    def layer_maps(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Inputs → the map at the end of each layer, and the logits."""
        return self.maps(x, tuple(FeatureHook(name) for name in self.layer_names()))

    def head(self, maps: Tensor) -> Tensor:
        """Penultimate maps (B, C, H, W) → logits."""
        linear: nn.Module = self.network.get_submodule(self._head_tap().module)
        logits: Tensor = linear(maps.mean((2, 3)))
        return logits

    def _head_tap(self) -> FeatureHook:
        hook = self.model.head_hook
        if hook is None:
            raise UserError(f"{self.title} needs a network that ends in a linear layer; {self.model.title} does not.")
        return hook


class FitBatches:
    """The fit split, batch by batch, as often as it is asked for."""

    def __init__(self, site: Site, dataset: ImageDataset, callbacks: RunCallbacks) -> None:
        self.site, self.dataset, self.callbacks = site, dataset, callbacks
        limit = site.context.fit_limit
        self.rows = len(dataset) if limit is None else min(limit, len(dataset))

    def __len__(self) -> int:
        return -(-self.rows // BATCH)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self.site.batches(self.dataset, 0, self.rows, self.callbacks)


class Pass(ABC):
    """A method on the images themselves. Made once for a study; fitted in ``__init__`` where it needs that.

    ``revision`` goes up with every change of our code that changes scores: those in a store are then computed again.
    """

    revision = 1

    @classmethod
    def refusal(cls, title: str, model: LoadedModel, parameters: Mapping[str, Value]) -> str:
        """Why the method, called ``title``, cannot run on ``model``; empty when it can. Asked before any pass."""
        return ""

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        self.site = site

    @abstractmethod
    def outliers(self, x: Tensor) -> Tensor:
        """Outlier scores (B,) of network inputs (B, 3, H, W), as pytorch-ood has them: higher is more OOD."""

    def predictions(self) -> Tensor | None:
        """The classes that the method itself predicted for the inputs it scored last, None for the network's."""
        return None


def image_record(kind: type[Pass], *, name: str, title: str, needs: tuple[Need, ...], **fields: Any) -> MethodRecord:
    """The record of the pass ``kind``; ``fields`` are the others of ``MethodRecord``."""

    def prepare(context: ScoringContext, parameters: Mapping[str, Value]) -> Prepared:
        return _OnImages(kind, name, title, context, parameters, "fit split" in needs)

    return MethodRecord(name=name, title=title, family="images", needs=needs, prepare=prepare, **fields)


class _OnImages:
    """Scores from the store, and a pass over the images that are not there yet."""

    def __init__(
        self,
        kind: type[Pass],
        name: str,
        title: str,
        context: ScoringContext,
        parameters: Mapping[str, Value],
        fits: bool,
    ) -> None:
        self.kind, self.name, self.title = kind, name, title
        self.context, self.parameters, self.fits = context, parameters, fits
        self._pass: Pass | None = None

    def __call__(self, image_set: ImageSet, callbacks: RunCallbacks, /) -> Scored:
        images = self._images(image_set)
        rows = len(image_set.activations)
        file = self.file(images)
        scores, classes = file.read() if file else (np.empty(0), np.empty(0, np.int64))
        if len(scores) < rows:
            scores, classes = self._extend(images, rows, file, (scores, classes), callbacks)
        own = classes[:rows]
        return Scored(scores[:rows], own if (own >= 0).all() else None)

    def missing(self, image_set: ImageSet) -> int:
        """How many images of ``part`` the store has no score of. Raises UserError when the pass cannot run."""
        file = self.file(self._images(image_set))
        self._check()
        return max(0, len(image_set.activations) - len(file.read()[0])) if file else len(image_set.activations)

    def _check(self) -> None:
        if reason := self.kind.refusal(self.title, self.context.network(self.title), self.parameters):
            raise UserError(reason)

    def _images(self, image_set: ImageSet) -> ImageDataset:
        if image_set.images is None:
            raise UserError(
                f"{self.title} needs the images themselves, and only activations are at hand. "
                "Choose a study whose datasets come with their images."
            )
        return image_set.images

    def file(self, images: ImageDataset) -> ScoreFile | None:
        """Where the scores of ``images`` are kept; None where there is no store. Raises UserError without a fit
        split that the method needs."""
        model, fit = self.context.network(self.title), self.context.fit_images
        if self.fits and fit is None:
            self.context.fit(self.title)
        if self.context.store is None:
            return None
        key = {
            "method": [self.name, self.kind.revision],
            "parameters": dict(self.parameters),
            "weights": model.weights_sha256,
            "transform": model.transform.describe(),
            "dataset": images.fingerprint,
            "fit": [fit.fingerprint, self.context.fit_limit] if self.fits and fit is not None else None,
            "pytorch-ood": metadata.version("pytorch-ood"),
        }
        return ScoreFile(self.context.store.root, key)

    def _extend(
        self,
        images: ImageDataset,
        rows: int,
        file: ScoreFile | None,
        have: tuple[np.ndarray, np.ndarray],
        callbacks: RunCallbacks,
    ) -> tuple[np.ndarray, np.ndarray]:
        with in_words(self.title):
            self._check()
            found = self._pass = self._pass or self.kind(Site(self.title, self.context, self.parameters), callbacks)
            scores, classes = [have[0]], [have[1]]
            waiting = 0

            def keep() -> None:
                scores[:], classes[:] = [np.concatenate(scores)], [np.concatenate(classes)]
                if file:
                    file.write(scores[0], classes[0])

            try:
                for x, _ in found.site.batches(images, len(have[0]), rows, callbacks):
                    scores.append(negated(found.outliers(x)))
                    own = found.predictions()
                    classes.append(np.full(len(x), -1, np.int64) if own is None else own.cpu().numpy())
                    waiting += len(x)
                    if waiting >= SHARD_ROWS:
                        keep()
                        waiting = 0
            finally:
                if waiting:
                    keep()
        return np.concatenate(scores), np.concatenate(classes)


class OwnLogitsPass(Pass):
    """A pass whose method changes the logits; Energy of them is the score."""

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        super().__init__(site, callbacks)
        self.own_logits = OwnLogits()

    def predictions(self) -> Tensor | None:
        """The classes of the changed logits."""
        classes = self.own_logits.take()
        return None if classes is None else torch.from_numpy(classes)
