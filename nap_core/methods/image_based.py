"""Methods for which stored activations are not enough: gradients, several layers, full maps, dropout.

Each runs a copy of the network over the images, so that hooks, gradients and dropout do not reach other passes. The
store keeps the score of each image, and a stopped pass resumes where it ended.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import metadata

import numpy as np
import torch
from pytorch_ood.api import Detector
from torch import Tensor, nn

from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.extraction import SHARD_ROWS, choose_device, inputs
from nap_core.methods.context import ScoringContext
from nap_core.methods.inputs import ImageSet
from nap_core.methods.pytorch_ood_adapter import OwnLogits, in_words, negated
from nap_core.methods.refusals import network_refusal, without_images
from nap_core.methods.spec import MethodRecord, Scored, Value
from nap_core.models import AttentionHook, FeatureHook, LoadedModel
from nap_core.storage.activation_store.scores import Rows, ScoreFile
from nap_core.storage.progress import RunCallbacks

BATCH = 64  # gradients and full maps of several layers take many times the memory of a plain pass


class Site:
    """The setting of a detector: a copy of the network on its device, its hooks, and the batches of a dataset."""

    def __init__(self, title: str, context: ScoringContext, parameters: Mapping[str, Value]) -> None:
        self.title, self.context, self.parameters = title, context, parameters
        self.model: LoadedModel = context.network(title)
        self.device = choose_device(context.device)
        self.network: nn.Module = copy.deepcopy(self.model.network).to(self.device).eval()

    def layer_names(self) -> tuple[str, ...]:
        """The layers that the architecture offers, the earliest first. Raises UserError when there are none."""
        if not self.model.architecture.layers:
            raise UserError(network_refusal(self.title, ("layers",), self.model))
        return self.model.architecture.layers

    def batches(
        self, dataset: ImageDataset, first: int, last: int, callbacks: RunCallbacks
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Network inputs (B, 3, H, W) and labels (B,); ``callbacks`` gets the progress after each batch."""
        started, done = time.perf_counter(), first
        for x, labels in inputs(
            self.model, dataset, first, last, device=self.context.device, batch_size=BATCH, callbacks=callbacks
        ):
            yield x, labels
            done += len(x)
            speed = (done - first) / (time.perf_counter() - started)
            callbacks.report(f"{self.title}, {dataset.title}", done, last, speed)

    def pooled(self, x: Tensor) -> Tensor:
        """Inputs (B, 3, H, W) → features, which the last linear layer reads (B, D), with gradients if they are on."""
        return self.maps(x, (self._head_hook(),))[0][0].flatten(1)

    def maps(self, x: Tensor, hooks: tuple[FeatureHook | AttentionHook, ...]) -> tuple[list[Tensor], Tensor]:
        """Inputs → the map at each hook, and the logits, in one pass."""
        read: list[list[Tensor]] = [[] for _ in hooks]
        with ExitStack() as reading:
            for hook, maps in zip(hooks, read, strict=True):
                reading.enter_context(hook.capture(self.network, maps.append))
            logits = self.network(x)
        return [maps[-1] for maps in read], logits

    def layer_maps(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Inputs → the map at the end of each layer, and the logits."""
        return self.maps(x, tuple(FeatureHook(name) for name in self.layer_names()))

    def head(self, maps: Tensor) -> Tensor:
        """Penultimate maps (B, C, H, W) → logits."""
        linear: nn.Module = self.network.get_submodule(self._head_hook().module)
        logits: Tensor = linear(maps.mean((2, 3)))
        return logits

    def _head_hook(self) -> FeatureHook:
        hook = self.model.head_hook
        if hook is None:
            raise UserError(f"{self.title} needs a network that ends in a linear layer; {self.model.title} does not.")
        return hook


class FitBatches:
    """The fit split in the form of a data loader: batch by batch, from the start for each iteration.

    Raises:
        UserError: there are no images of a fit split.
    """

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        images, limit = site.context.fit_images, site.context.fit_limit
        if images is None:
            raise UserError(f"{site.title} needs the images of a fit split, and there are none.")
        self.site, self.images, self.callbacks = site, images, callbacks
        self.rows = len(images) if limit is None else min(limit, len(images))

    def __len__(self) -> int:
        return -(-self.rows // BATCH)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self.site.batches(self.images, 0, self.rows, self.callbacks)


@contextmanager
def seeded(device: torch.device) -> Iterator[None]:
    """Random numbers of torch from seed 0; the state of its generators is restored afterwards."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        yield


class ImageBasedDetector:
    """A detector that takes network inputs, made once for a study and fitted in ``__init__``.

    ``detector`` is the one of pytorch-ood that ``outliers`` uses by default. A detector that changes the logits scores
    them with ``own_logits``, which keeps their classes. ``revision`` rises with every change of our code that changes
    scores: those in a store are then computed again.

    Args:
        site: the copy of the network that the detector may change, and the fit split.
        callbacks: progress and cancellation of the fit.
    """

    revision = 1
    detector: Detector

    def __init__(self, site: Site, callbacks: RunCallbacks) -> None:
        self.site = site
        self.own_logits = OwnLogits()

    def outliers(self, x: Tensor) -> Tensor:
        """Outlier scores (B,) of network inputs (B, 3, H, W), as pytorch-ood has them: higher is more OOD."""
        return self.detector.predict(x)


class ImageBasedMethod:
    """Scores from the store, and a pass over the images that have none there."""

    def __init__(
        self,
        record: MethodRecord,
        kind: type[ImageBasedDetector],
        context: ScoringContext,
        parameters: Mapping[str, Value],
    ) -> None:
        self.kind, self.name, self.title, self.fits = kind, record.name, record.title, record.fits
        self.context, self.parameters = context, parameters
        self._detector: ImageBasedDetector | None = None
        self._one_at_a_time = threading.Lock()  # pages share a study; two passes would share hooks and own logits

    def __call__(self, image_set: ImageSet, callbacks: RunCallbacks, /) -> Scored:
        images, rows = self._images(image_set), len(image_set.activations)
        with self._one_at_a_time:
            scores, classes = self._stored_and_extended(images, rows, callbacks)
        own = classes[:rows]
        return Scored(scores[:rows], own if (own >= 0).all() else None)

    def missing(self, image_set: ImageSet) -> int:
        """How many images of ``image_set`` have no score in the store. Raises UserError when the pass cannot run."""
        file = self.file(self._images(image_set))
        return max(0, len(image_set.activations) - len(file.read()[0])) if file else len(image_set.activations)

    def _images(self, image_set: ImageSet) -> ImageDataset:
        if image_set.images is None:
            raise without_images(self.title)
        return image_set.images

    def file(self, images: ImageDataset) -> ScoreFile | None:
        """The file of the scores of ``images``; None without a store. Raises UserError where the method needs a fit
        split and there is none."""
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
        if model.output.changed:
            key["output"] = model.output.changed
        return ScoreFile(self.context.store.root, key)

    def _stored_and_extended(self, images: ImageDataset, rows: int, callbacks: RunCallbacks) -> Rows:
        """The scores (N,) and own classes (N,), −1 for the network's, of ``rows`` images or more."""
        file = self.file(images)
        scores, classes = file.read() if file else (np.empty(0), np.empty(0, np.int64))
        if len(scores) >= rows:
            return scores, classes
        unsaved = 0
        with in_words(self.title):
            self._detector = self._detector or self.kind(Site(self.title, self.context, self.parameters), callbacks)
            try:
                for x, _ in self._detector.site.batches(images, len(scores), rows, callbacks):
                    outliers, own = self._detector.outliers(x), self._detector.own_logits.take()
                    scores = np.append(scores, negated(outliers))
                    classes = np.append(classes, np.full(len(x), -1, np.int64) if own is None else own)
                    unsaved += len(x)
                    if file and unsaved >= SHARD_ROWS:
                        file.write(scores, classes)
                        unsaved = 0
            finally:
                if file and unsaved:
                    file.write(scores, classes)
        return scores, classes
