"""Our own methods: NAP and the designs it was chosen from, and what pytorch-ood does not have or not fast enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_ood.detector import ASH, DICE, GradNorm, OpenMax, ReAct
from torch import Tensor

from nap_core import nap
from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.methods.context import ImageSet, ScoringContext
from nap_core.methods.pytorch_ood_adapter import Head, OwnLogits, features, head_of, in_words, negated, paper_of, record
from nap_core.methods.spec import MethodRecord, Parameter, Positive, Prepared, Scored, Scores, Value
from nap_core.models import LoadedModel
from nap_core.storage.progress import RunCallbacks

Score = Callable[..., Scores]
NAP, VARIANCE, NO_SQUARE, MINUS = nap.nap_score, nap.variance_score, nap.no_square_score, nap.minus_score
EPSILON = Parameter(
    "epsilon", "what is added to the mean before dividing by it", nap.EPSILON, "NAP paper, section 5", 1e-6, 1e3
)


HEAD = Parameter(
    "head",
    "of a Transformer only: 0 is the mean over the heads of the last block, another number that head alone",
    0,
    "the NAP paper, Appendix K, leaves the heads open",
    0,
    1024,
)


def nap_record(*, name: str, title: str, score: Score, formula: str, **paper: Any) -> MethodRecord:
    """NAP or one of its designs of Table 6: from maximum, mean and variance alone, and what others combine with.

    On a Transformer NAP is the maximum of the class token's attention, and the designs are not defined.
    """

    def prepare(context: ScoringContext, parameters: Mapping[str, Value]) -> Prepared:
        values = dict(parameters)
        head = int(values.pop("head", 0))
        if context.model is not None and context.model.reads_attention:
            return _attention(title, score, context.model, head, values)
        if head:
            raise UserError(
                f"{title} has heads to choose from on Transformers only. On any other network, leave head at 0."
            )

        def scores(image_set: ImageSet, _watch: RunCallbacks, /) -> Scored:
            return Scored(score(image_set.activations, **values))

        return scores

    parameters = {NAP: (EPSILON, HEAD), NO_SQUARE: (EPSILON,)}.get(score, ())
    return MethodRecord(
        name=name,
        title=title,
        family="prior",
        formula=formula,
        prepare=prepare,
        parameters=parameters,
        prior=True,
        **paper,
    )


def _attention(title: str, score: Score, model: LoadedModel, head: int, others: Mapping[str, Value]) -> Prepared:
    """NAP of a Transformer. Raises UserError for what is not defined there."""
    if score is not NAP:
        raise UserError(
            f"{title} is a design for the maps of CNNs. On a Transformer such as {model.title}, NAP is the highest "
            "attention of the class token: choose NAP."
        )
    if others.get("epsilon", nap.EPSILON) != nap.EPSILON:
        raise UserError("NAP of a Transformer is max(A), without a mean and without an ε: leave epsilon as it is.")

    if head > model.heads:
        raise UserError(f"{model.title} has {model.heads} heads, so head must be 0 to {model.heads}, not {head}.")

    def scores(image_set: ImageSet, _watch: RunCallbacks, /) -> Scored:
        return Scored(nap.attention_score(image_set.activations, head))

    return scores


class _VectorisedOpenMax(OpenMax):  # type: ignore[misc]
    """OpenMax whose Weibull distributions are asked once a class, not once an image: the library's loop asks 10,000
    images × 10 classes one by one, a minute where this takes a second. The fit and the formula are the library's.

    One difference: the library leaves the distance from a class at zero when no image of the batch is predicted to be
    of that class, so that a score depends on the other images; here it does not.
    """

    def predict_logits(self, logits: Tensor) -> Tensor:
        model, activations = self._openmax, logits.numpy()
        kept = min(self.alpha, activations.shape[1])
        ranks = np.argsort(np.argsort(-activations, axis=1, kind="stable"), axis=1, kind="stable")
        weights = np.where(ranks < kept, (kept - ranks) / kept, 0.0)
        tails = np.ones_like(activations)
        for label, distribution in model.distributions.items():
            tails[:, label] = distribution.w_score(model._get_dists_to_center(label, activations))
        moved = activations * tails * weights
        revised = np.column_stack([moved.sum(axis=1), activations - moved])
        return torch.from_numpy(revised).softmax(dim=1)[:, 0]


def openmax_record(positive: Positive) -> MethodRecord:
    """OpenMax from the library, its prediction vectorised."""
    parameters = (
        Parameter(
            "tailsize", "how many of a class's farthest images its Weibull is fitted to", 25, "pytorch-ood", 2, 10_000
        ),
        Parameter("alpha", "how many of the largest logits are revised", 10, "OpenMax paper, section 3", 1, 1000),
        Parameter("euclid_weight", "share of the Euclidean distance beside the cosine's", 1.0, "pytorch-ood", 0.0, 1.0),
    )
    return record(
        _VectorisedOpenMax,
        name="openmax",
        title="OpenMax",
        formula="one minus the probability of an unknown class, from distances to class means of the logits",
        needs=("fit split", "labels"),
        parameters=parameters,
        positive=positive,
    )


def _gradnorm(image_set: ImageSet, _watch: RunCallbacks, /) -> Scored:
    return Scored(image_set.activations.by_rows(_gradient_norm))


def _gradient_norm(images: Activations) -> Scores:
    logits = torch.from_numpy(images.logits.astype(np.float64))
    pull: Scores = (logits.softmax(dim=1) - 1 / logits.shape[1]).abs().sum(dim=1).numpy()
    return pull * np.abs(images.pooled.astype(np.float64)).sum(axis=1)


def gradnorm_record(positive: Positive) -> MethodRecord:
    """GradNorm of the head's weights, whose gradient is (softmax − 1/K) times the feature: its L1 norm is the product
    of theirs (GradNorm paper, equation 8). pytorch-ood takes the gradient image by image, which for 1,000 classes and
    1,280 channels takes 7 milliseconds each where this takes microseconds."""
    return MethodRecord(
        name="gradnorm",
        title="GradNorm",
        family="features",
        formula="L1 norm of the head's gradient when the softmax is pulled towards equal probabilities",
        prepare=lambda _ground, _parameters: _gradnorm,
        positive=positive,
        **paper_of(GradNorm),
    )


class _Shaped:
    """Energy of the head's logits on features that ``shape`` has changed; ``fit`` prepares it once."""

    def __init__(self, title: str, context: ScoringContext) -> None:
        self.title, self.context = title, context
        self.head = head_of(context.network(title), title)
        self._ready = False

    def fit(self, known: Activations) -> None:
        """Estimate from the fit split; nothing to do by default."""

    def shape(self, values: Tensor) -> Tensor:
        """Pooled features (N, C) → those that the head reads."""
        raise NotImplementedError

    def shaping(self) -> Callable[[Tensor], Tensor]:
        """What is given the features of all images in order, block by block: ``shape`` where each stands alone."""
        return self.shape

    needs_fit = False

    def __call__(self, image_set: ImageSet, callbacks: RunCallbacks, /) -> Scored:
        if self.needs_fit and not self._ready:
            with in_words(self.title):
                self.fit(self.context.fit(self.title, callbacks).activations)
            self._ready = True
        energy, shape = OwnLogits(), self.shaping()
        with torch.no_grad(), in_words(self.title):
            scores = image_set.activations.by_rows(lambda images: negated(energy(self.head(shape(features(images))))))
        return Scored(scores, energy.take())


class _DiceReact(_Shaped):
    needs_fit = True

    def __init__(self, title: str, context: ScoringContext, parameters: Mapping[str, Value]) -> None:
        super().__init__(title, context)
        self.dice = DICE(None, self.head.weight, self.head.bias, float(parameters["p"]))
        self.react = ReAct(None, self.head, percentile=float(parameters["percentile"]))

    def fit(self, known: Activations) -> None:
        labels = torch.zeros(len(known), dtype=torch.long)
        self.dice.fit_features(features(known), labels)
        self.react.fit_feature_maps(features(known)[:, :, None, None], labels)
        self.head = Head(self.dice.masked_w.numpy(), self.dice.bias.numpy())

    def shape(self, values: Tensor) -> Tensor:
        return values.clip(max=self.react.threshold)


def dice_react_record(parameters: tuple[Parameter, ...], positive: Positive) -> MethodRecord:
    """DICE + ReAct (DICE paper, table 1; ASH paper, table 1): ReAct's clip in front of DICE's head."""
    return MethodRecord(
        name="dice-react",
        title="DICE & ReAct",
        family="shaping",
        formula="Energy with DICE's weights on activations that ReAct has clipped",
        needs=("fit split",),
        prepare=lambda context, values: _DiceReact("DICE & ReAct", context, values),
        parameters=parameters,
        own_logits=True,
        positive=positive,
        **paper_of(DICE),
    )


class _AshRandom(_Shaped):
    def __init__(self, title: str, context: ScoringContext, parameters: Mapping[str, Value]) -> None:
        super().__init__(title, context)
        self.percentile, self.seed = float(parameters["percentile"]), int(parameters["seed"])

    def shaping(self) -> Callable[[Tensor], Tensor]:
        chance = np.random.default_rng(self.seed)  # the numbers go on from block to block

        def shape(values: Tensor) -> Tensor:
            kept = ASH.variants["ash-p"](values[:, :, None, None], self.percentile).flatten(1) > 0
            drawn: NDArray[np.float64] = chance.uniform(0, 10, tuple(values.shape))
            return torch.where(kept, torch.from_numpy(drawn).float(), 0.0)

        return shape


def ash_rand_record(positive: Positive) -> MethodRecord:
    """ASH-RAND (ASH paper, table 4): what is kept is set to random numbers between 0 and 10."""
    return MethodRecord(
        name="ash-rand",
        title="ASH-RAND",
        family="shaping",
        formula="Energy after pruning, the kept activations set to random numbers between 0 and 10",
        prepare=lambda context, values: _AshRandom("ASH-RAND", context, values),
        parameters=(
            Parameter(
                "percentile",
                "share of the activations that are pruned",
                0.65,
                "ASH paper, table 4, on ImageNet; on CIFAR as ASH-B",
                0.0,
                0.99,
                by_benchmark={"CIFAR-10": 0.95, "CIFAR-100": 0.9},
            ),
            Parameter("seed", "of the random numbers", 0, "own choice", 0, 2**31 - 1),
        ),
        own_logits=True,
        positive=positive,
        **paper_of(ASH),
    )


class _AshGlobal(_Shaped):
    needs_fit = True

    def __init__(self, title: str, context: ScoringContext, parameters: Mapping[str, Value]) -> None:
        super().__init__(title, context)
        self.percentile, self.variant = float(parameters["percentile"]), str(parameters["variant"])
        self.threshold = 0.0

    def fit(self, known: Activations) -> None:
        self.threshold = float(np.quantile(known.pooled, self.percentile))

    def shape(self, values: Tensor) -> Tensor:
        kept = values >= self.threshold
        pruned = torch.where(kept, values, 0.0)
        before, after = values.sum(1, keepdim=True), pruned.sum(1, keepdim=True)
        # An image none of whose activations reach the threshold is left with nothing, whatever the variant.
        if self.variant == "b":
            return torch.where(kept, before / kept.sum(1, keepdim=True).clamp(min=1), 0.0)
        if self.variant == "s":
            return pruned * torch.exp(before / after.clamp(min=1e-12)).where(after > 0, 0.0)
        return pruned


def ash_global_record(positive: Positive) -> MethodRecord:
    """ASH with one threshold for all images (ASH paper, table 5), a percentile of the fit split's activations."""
    return MethodRecord(
        name="ash-global",
        title="ASH, global threshold",
        family="shaping",
        formula="ASH with one threshold for all images, a percentile of the fit split's activations",
        needs=("fit split",),
        prepare=lambda context, values: _AshGlobal("ASH, global threshold", context, values),
        parameters=(
            Parameter(
                "variant", "how the kept activations are treated", "b", "ASH paper, table 5", choices=("p", "b", "s")
            ),
            Parameter(
                "percentile", "share of the fit split's activations below it", 0.9, "ASH paper, table 5", 0.0, 0.999
            ),
        ),
        own_logits=True,
        positive=positive,
        **paper_of(ASH),
    )
