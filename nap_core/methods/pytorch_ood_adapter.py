"""The adapter to pytorch-ood: any detector that works on logits, features or pooled maps runs on stored activations.

A detector's base class says what it is fed, the names in its constructor what it is given, so that a new one needs a
record and no code. Its outlier scores are negated in ``negated``, here and for passes of their own, and nowhere else.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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
from nap_core.methods.context import ImageSet, ScoringContext
from nap_core.methods.spec import MethodRecord, Prepared, Scored, Scores, Value
from nap_core.models import LoadedModel
from nap_core.storage.progress import RunCallbacks

ROWS = 1024  # images that a detector scores at a time: megabytes of features and logits
CHUNK_NUMBERS = 2**26  # a Gaussian mixture holds images × classes × channels at once: half a gigabyte


def negated(outlier_scores: Tensor) -> Scores:
    """pytorch-ood's outlier scores (N,) as scores of which higher means more in-distribution."""
    return -outlier_scores.detach().cpu().double().numpy()


class Head(nn.Linear):
    """A classifier's linear head on pooled features, (B, C) or (B, C, 1, 1)."""

    def __init__(self, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        super().__init__(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            self.weight.copy_(torch.tensor(weight))
            self.bias.copy_(torch.tensor(bias))

    def forward(self, features: Tensor) -> Tensor:
        """Features → logits (B, K)."""
        return super().forward(features.flatten(1))


class OwnLogits:
    """Energy of the logits that a detector made, which are kept so that its ID accuracy can be told."""

    def __init__(self) -> None:
        self.predictions: list[Tensor] = []

    def __call__(self, logits: Tensor) -> Tensor:
        self.predictions.append(logits.argmax(dim=1).cpu())
        return EnergyBased.score(logits)

    def take(self) -> NDArray[np.int64] | None:
        """The predicted classes since the last call, None when no logits came by."""
        seen, self.predictions = self.predictions, []
        return torch.cat(seen).numpy() if seen else None


@contextmanager
def in_words(title: str) -> Iterator[None]:
    """What a detector raises about its data becomes a UserError that names it."""
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
    """A detector whose constructor is given the ``parts`` and ``parameters`` that it has names for.

    Raises TypeError for a parameter that it has no name for: a record that does not fit the library.
    """
    names = inspect.signature(kind).parameters
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in names.values())
    unknown = [name for name in parameters if name not in names and not takes_all]
    if unknown:
        raise TypeError(f"{kind.__name__} takes no {unknown[0]}")
    return kind(**{name: part for name, part in parts.items() if name in names}, **parameters)


def head_of(model: LoadedModel, what: str) -> Head:
    """The model's linear head on its own. Raises UserError, naming ``what`` needs it, when it has none."""
    return Head(*model.linear_head(what)).eval()


@dataclass(frozen=True)
class Adapted:
    """A detector of pytorch-ood and how it is made for a study.

    ``labels``: every class must be in its fit split. ``extra`` turns the ground and the parameters into what the
    constructor takes beside them; it may take parameters out.
    """

    kind: type[Detector]
    title: str
    labels: bool = False
    extra: Callable[[ScoringContext, dict[str, Value]], Mapping[str, Any]] | None = None

    def prepare(self, context: ScoringContext, parameters: Mapping[str, Value]) -> Prepared:
        """The detector on stored activations."""
        return _Stored(self, context, parameters)

    def detector(self, context: ScoringContext, parameters: Mapping[str, Value], **parts: Any) -> Detector:
        """The detector itself. ``parts`` are the pieces of the network that it is to run; without them it takes
        logits, features or maps."""
        own = dict(parameters)
        given: dict[str, Any] = {"model": None, "encoder": None, "backbone": None} | parts
        # Logits are all that some detectors see: only the others need the network's head.
        if {"head", "w", "b"} & set(inspect.signature(self.kind).parameters):
            head = head_of(context.network(self.title), self.title)
            given |= {"head": head, "w": head.weight.detach(), "b": head.bias.detach()}
        given |= self.extra(context, own) if self.extra else {}
        with in_words(self.title):
            return build(self.kind, own, **given)


class _Stored:
    """A detector of pytorch-ood on stored activations, fitted when it is first asked."""

    def __init__(self, adapted: Adapted, context: ScoringContext, parameters: Mapping[str, Value]) -> None:
        self.title, self.context = adapted.title, context
        self.find_fit = context.labelled_fit if adapted.labels else context.fit
        self.own_logits = OwnLogits()
        self.detector = adapted.detector(context, parameters, detector=self.own_logits)
        # ReAct that is given its threshold has nothing left to estimate.
        self.fitted = not adapted.kind.requires_fit or bool(getattr(self.detector, "_is_fitted", False))
        self._one_at_a_time = threading.Lock()  # pages share a study, and with it what their methods were fitted to

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

    def _fit(self, known: Activations) -> None:
        # Detectors drop images with a negative label as OOD; in the fit split it means that the class is not known.
        labels = torch.from_numpy(np.maximum(known.labels, 0))
        with in_words(self.title):
            if isinstance(self.detector, LogitsDetector):
                self.detector.fit_logits(_logits(known), labels)
            elif isinstance(self.detector, FeaturesDetector):
                self.detector.fit_features(features(known), labels)
            elif isinstance(self.detector, FeatureMapsDetector):
                self.detector.fit_feature_maps(features(known)[:, :, None, None], labels)

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


def paper_of(kind: type[Detector]) -> dict[str, Any]:
    """Paper, venue, year and address as pytorch-ood states them, for a record; nothing where it names no paper."""
    if kind.info is None or kind.info.paper is None:
        return {}
    paper = kind.info.paper
    return {"paper": paper.title, "venue": paper.venue, "year": paper.year, "url": paper.url}


def record(
    kind: type[Detector],
    *,
    name: str,
    title: str,
    extra: Callable[[ScoringContext, dict[str, Value]], Mapping[str, Any]] | None = None,
    **fields: Any,
) -> MethodRecord:
    """The record of a detector that runs on stored activations; its class says family, paper and whether it fits."""
    families = {LogitsDetector: "logits", FeatureMapsDetector: "shaping"}
    family = next((word for base, word in families.items() if issubclass(kind, base)), "features")
    needs = fields.pop("needs", ("fit split",) if kind.requires_fit else ())
    given = paper_of(kind) | {"family": family} | fields
    adapted = Adapted(kind, title, "labels" in needs, extra)
    return MethodRecord(name=name, title=title, needs=needs, prepare=adapted.prepare, adapted=adapted, **given)
