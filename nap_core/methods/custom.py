"""Our own methods: NAP and its designs, GradNorm in closed form, variants of ASH and DICE that pytorch-ood lacks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_ood.detector import ASH, DICE, ReAct
from torch import Tensor

from nap_core.activations import Activations
from nap_core.methods.context import Prepared, ScoringContext
from nap_core.methods.inputs import ImageSet
from nap_core.methods.pytorch_ood_adapter import Head, OwnLogits, features, head_of, in_words, negated
from nap_core.methods.spec import MethodRecord, Scored, Scores, Value
from nap_core.storage.progress import RunCallbacks


def gradnorm(_record: MethodRecord, _context: ScoringContext, _parameters: Mapping[str, Value]) -> Prepared:
    """GradNorm of the head's weights, whose gradient is (softmax − 1/K) times the feature.

    The L1 norm is therefore the product of theirs (GradNorm paper, equation 8). pytorch-ood takes the gradient image by
    image: 7 milliseconds each for 1,000 classes and 1,280 channels, where this takes microseconds.
    """

    def scores(image_set: ImageSet, _callbacks: RunCallbacks, /) -> Scored:
        return Scored(image_set.activations.by_rows(_gradient_norm))

    return scores


def _gradient_norm(images: Activations) -> Scores:
    logits = torch.from_numpy(images.logits.astype(np.float64))
    pull: Scores = (logits.softmax(dim=1) - 1 / logits.shape[1]).abs().sum(dim=1).numpy()
    return pull * np.abs(images.pooled.astype(np.float64)).sum(axis=1)


class _Shaped:
    """Energy of the head's logits on features that ``shape`` has changed; ``fit`` prepares it once."""

    def __init__(self, record: MethodRecord, context: ScoringContext, parameters: Mapping[str, Value]) -> None:
        self.title, self.context, self.parameters = record.title, context, parameters
        self.head = head_of(context.network(self.title), self.title)
        self._to_fit, self._fitting = record.fits, threading.Lock()

    def fit(self, fit: Activations) -> None:
        """Estimate from the fit split; nothing to do by default."""

    def shape(self, values: Tensor) -> Tensor:
        """Pooled features (N, C) → those that the head reads."""
        raise NotImplementedError

    def shaping(self) -> Callable[[Tensor], Tensor]:
        """The function for the features of all images in order, block by block: ``shape`` by default."""
        return self.shape

    def __call__(self, image_set: ImageSet, callbacks: RunCallbacks, /) -> Scored:
        with self._fitting:
            if self._to_fit:
                with in_words(self.title):
                    self.fit(self.context.fit(self.title, callbacks).activations)
                self._to_fit = False
        energy, shape = OwnLogits(), self.shaping()
        with torch.no_grad(), in_words(self.title):
            scores = image_set.activations.by_rows(lambda images: negated(energy(self.head(shape(features(images))))))
        return Scored(scores, energy.take())


class DiceReact(_Shaped):
    """DICE + ReAct (DICE paper, table 1; ASH paper, table 1): ReAct's clip in front of DICE's head."""

    def fit(self, fit: Activations) -> None:
        dice = DICE(None, self.head.weight, self.head.bias, float(self.parameters["p"]))
        react = ReAct(None, self.head, percentile=float(self.parameters["percentile"]))
        labels = torch.zeros(len(fit), dtype=torch.long)
        dice.fit_features(features(fit), labels)
        react.fit_feature_maps(features(fit)[:, :, None, None], labels)
        self.head = Head(dice.masked_w.numpy(), dice.bias.numpy())
        self.threshold = react.threshold

    def shape(self, values: Tensor) -> Tensor:
        return values.clip(max=self.threshold)


class AshRandom(_Shaped):
    """ASH-RAND (ASH paper, table 4): kept activations are set to random numbers between 0 and 10."""

    def shaping(self) -> Callable[[Tensor], Tensor]:
        percentile = float(self.parameters["percentile"])
        chance = np.random.default_rng(int(self.parameters["seed"]))  # the numbers continue from block to block

        def shape(values: Tensor) -> Tensor:
            kept = ASH.variants["ash-p"](values[:, :, None, None], percentile).flatten(1) > 0
            drawn: NDArray[np.float64] = chance.uniform(0, 10, tuple(values.shape))
            return torch.where(kept, torch.from_numpy(drawn).float(), 0.0)

        return shape


class AshGlobal(_Shaped):
    """ASH with one threshold for all images (ASH paper, table 5), a percentile of the fit split's activations."""

    def fit(self, fit: Activations) -> None:
        self.threshold = float(np.quantile(fit.pooled, float(self.parameters["percentile"])))

    def shape(self, values: Tensor) -> Tensor:
        kept = values >= self.threshold
        pruned = torch.where(kept, values, 0.0)
        before, after = values.sum(1, keepdim=True), pruned.sum(1, keepdim=True)
        # An image none of whose activations reach the threshold is left with nothing, whatever the variant.
        if self.parameters["variant"] == "b":
            return torch.where(kept, before / kept.sum(1, keepdim=True).clamp(min=1), 0.0)
        if self.parameters["variant"] == "s":
            return pruned * torch.exp(before / after.clamp(min=1e-12)).where(after > 0, 0.0)
        return pruned
