"""The adapter to pytorch-ood: detectors of logits, features or pooled maps run on stored activations.

The base class of a detector decides its input, the names in its constructor decide its arguments. A new detector
therefore needs a record and no code. Outlier scores are negated in ``negated`` and nowhere else.
"""

from __future__ import annotations

import inspect
import pkgutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_ood.api import Detector, FeatureMapsDetector, FeaturesDetector, LogitsDetector
from pytorch_ood.detector import GMM, EnergyBased
from torch import Tensor, nn
from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.methods.context import ScoringContext
from nap_core.methods.inputs import ImageSet
from nap_core.methods.spec import MethodRecord, Scored, Scores, Value
from nap_core.models import LoadedModel
from nap_core.storage.progress import RunCallbacks

ROWS = 1024  # images that a detector scores at a time: megabytes of features and logits
CHUNK_NUMBERS = 2**26  # a Gaussian mixture holds images × classes × channels at once: half a gigabyte
LARGEST_MIXTURE = 4 * 2**30  # bytes of a Gaussian mixture's covariances


def negated(outlier_scores: Tensor) -> Scores:
    """pytorch-ood's outlier scores (N,) as scores of which higher means more in-distribution."""
    return -outlier_scores.detach().cpu().double().numpy()


class Head(nn.Linear):
    """A classifier's linear head on pooled features, (B, C) or (B, C, 1, 1)."""

    def __init__(self, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        # On "meta" nothing is drawn: a random initialisation would advance the caller's random numbers.
        super().__init__(weight.shape[1], weight.shape[0], device="meta")
        self.weight, self.bias = nn.Parameter(torch.tensor(weight)), nn.Parameter(torch.tensor(bias))

    def forward(self, features: Tensor) -> Tensor:
        """Features → logits (B, K)."""
        return super().forward(features.flatten(1))


class OwnLogits:
    """Energy of the logits that a detector computes; their classes are kept for its own ID accuracy."""

    def __init__(self) -> None:
        self.predictions: list[Tensor] = []

    def __call__(self, logits: Tensor) -> Tensor:
        self.predictions.append(logits.argmax(dim=1).cpu())
        return EnergyBased.score(logits)

    def take(self) -> NDArray[np.int64] | None:
        """The classes predicted since the last call; None when there were no logits."""
        classes, self.predictions = self.predictions, []
        return torch.cat(classes).numpy() if classes else None


@contextmanager
def in_words(title: str) -> Iterator[None]:
    """Errors of a detector about its data or memory become a UserError that names the method."""
    try:
        yield
    except (ValueError, AssertionError, LinAlgError) as error:
        reason = str(error).strip() or "its data or parameters do not fit"
        raise UserError(
            f"{title} cannot be computed here: {reason}. Change its parameters or the fit split."
        ) from error
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate memory" not in str(error):
            raise
        raise UserError(
            f"{title} needs more memory than there is. Take fewer images or a smaller fit split."
        ) from error


def build(kind: type[Detector], parameters: Mapping[str, Value], **parts: Any) -> Detector:
    """Constructs a detector.

    Args:
        kind: the class of pytorch-ood.
        parameters: arguments that the constructor must have names for.
        parts: arguments that are left out where the constructor has no name for them.

    Raises:
        TypeError: the constructor has no name for a parameter: the record does not fit the library.
    """
    names = inspect.signature(kind).parameters
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in names.values())
    unknown = [name for name in parameters if name not in names and not takes_all]
    if unknown:
        raise TypeError(f"{kind.__name__} takes no {unknown[0]}")
    return kind(**{name: part for name, part in parts.items() if name in names}, **parameters)


def head_of(model: LoadedModel, what: str) -> Head:
    """The model's linear head alone. Raises UserError, naming ``what`` needs it, where there is none."""
    return Head(*model.linear_head(what)).eval()


def detector(
    record: MethodRecord,
    kind: type[Detector],
    context: ScoringContext,
    parameters: Mapping[str, Value],
    **parts: Any,
) -> Detector:
    """The detector ``kind`` of ``record``, not fitted yet.

    ``parts`` are the pieces of the network that it is to run; without them it takes logits, features or maps.
    """
    given: dict[str, Any] = {"model": None, "encoder": None, "backbone": None} | parts
    # Many detectors read the logits alone: only the others need the network's head.
    if {"head", "w", "b"} & set(inspect.signature(kind).parameters):
        head = head_of(context.network(record.title), record.title)
        given |= {"head": head, "w": head.weight.detach(), "b": head.bias.detach()}
    if record.arguments:
        parameters = pkgutil.resolve_name(record.arguments)(context, parameters)
    with in_words(record.title):
        return build(kind, {**record.constants, **parameters}, **given)


def zero_as_none(_context: ScoringContext, parameters: Mapping[str, Value]) -> dict[str, Value | None]:
    """Arguments of a detector whose parameters mean "not given" at 0."""
    return {name: value or None for name, value in parameters.items()}


def vim_dimension(context: ScoringContext, parameters: Mapping[str, Value]) -> dict[str, Value]:
    """ViM's d; 0 takes the ViM paper's choice for the number of channels."""
    channels = int(context.network("ViM").linear_head("ViM")[0].shape[1])
    usual = 1000 if channels >= 2048 else 512 if channels >= 768 else channels // 2
    return {**parameters, "d": parameters["d"] or usual}


def mixture_fits(context: ScoringContext, parameters: Mapping[str, Value]) -> Mapping[str, Value]:
    """The parameters of a Gaussian mixture. Raises UserError before too much memory is tried: 1,000 classes of 2,048
    channels take 33 gigabytes."""
    weight = context.model.head_weight if context.model else None
    if weight is not None:
        classes, channels = weight.shape
        size = 8 * classes * channels**2
        if size > LARGEST_MIXTURE:
            raise UserError(
                f"A Gaussian mixture keeps a covariance matrix for each class: {classes:,} of {channels:,} × "
                f"{channels:,} numbers would take {size / 1e9:,.0f} GB. Use Mahalanobis, whose classes share one."
            )
    return parameters


class StoredDetector:
    """A detector of pytorch-ood on stored activations, fitted at the first call."""

    def __init__(
        self, record: MethodRecord, kind: type[Detector], context: ScoringContext, parameters: Mapping[str, Value]
    ) -> None:
        self.title = record.title
        self.find_fit = context.labelled_fit if "labels" in record.needs else context.fit
        self.own_logits = OwnLogits()
        self.detector = detector(record, kind, context, parameters, detector=self.own_logits)
        # ReAct with a given threshold has nothing left to estimate.
        self.fitted = not kind.requires_fit or bool(getattr(self.detector, "_is_fitted", False))
        self._one_at_a_time = threading.Lock()  # pages share a study and its fitted methods

    def __call__(self, image_set: ImageSet, callbacks: RunCallbacks, /) -> Scored:
        with self._one_at_a_time:
            if not self.fitted:
                self._fit(self.find_fit(self.title, callbacks).activations)
                self.fitted = True
            return self._score(image_set.activations)

    def _score(self, activations: Activations) -> Scored:
        chunk = ROWS
        if isinstance(self.detector, GMM):
            chunk = max(1, min(ROWS, CHUNK_NUMBERS // (activations.pooled.shape[1] * activations.logits.shape[1])))
        scores = []
        with in_words(self.title), torch.no_grad():
            for start in range(0, len(activations), chunk):
                scores.append(negated(self._predict(activations.take(slice(start, start + chunk)))))
        return Scored(np.concatenate(scores) if scores else np.empty(0), self.own_logits.take())

    def _fit(self, fit: Activations) -> None:
        # Detectors drop images with a negative label as OOD; in the fit split it means that the class is unknown.
        labels = torch.from_numpy(np.maximum(fit.labels, 0))
        with in_words(self.title):
            if isinstance(self.detector, LogitsDetector):
                self.detector.fit_logits(_logits(fit), labels)
            elif isinstance(self.detector, FeaturesDetector):
                self.detector.fit_features(features(fit), labels)
            elif isinstance(self.detector, FeatureMapsDetector):
                self.detector.fit_feature_maps(features(fit)[:, :, None, None], labels)

    def _predict(self, activations: Activations) -> Tensor:
        if isinstance(self.detector, LogitsDetector):
            return self.detector.predict_logits(_logits(activations))
        if isinstance(self.detector, FeaturesDetector):
            return self.detector.predict_features(features(activations))
        if isinstance(self.detector, FeatureMapsDetector):
            # After pooling, as ASH (section 2.1: 342 × 1 × 1), ReAct, SCALE and VRA apply it in their own code.
            return self.detector.predict_feature_maps(features(activations)[:, :, None, None])
        raise TypeError(f"{type(self.detector).__name__} works on no stored activations: give it a pass of its own")


def features(activations: Activations) -> Tensor:
    """The pooled features (N, D), float32: what the linear head reads."""
    return torch.from_numpy(np.array(activations.pooled, dtype=np.float32))


def _logits(activations: Activations) -> Tensor:
    # In double precision: a softmax in single precision gives exactly 1 for many confident images, and ties.
    return torch.from_numpy(np.array(activations.logits, dtype=np.float64))
