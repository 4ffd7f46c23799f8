"""The specification of a method: data that the catalogue states before any implementation is loaded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nap_core.errors import UserError

Scores = NDArray[np.float64]
Value = float | int | str
Family = Literal["prior", "logits", "features", "shaping", "images"]
Need = Literal["fit split", "labels", "images", "gradients", "layers", "dropout", "maps"]

Limit = Literal[
    "classes",
    "features less one",
    "all but one feature",
    "one feature",
    "layers",
    "layers less one",
    "heads",
    "fit images",
    "images of a class",
]
"""Limits of parameters that depend on the network or on the fit split; ``methods.refusals`` has their numbers."""

TINY = 1e-6

FAMILIES: dict[Family, str] = {
    "prior": "Priors: from the shape of each activation map",
    "logits": "From the logits",
    "features": "From the penultimate features",
    "shaping": "Activations or weights changed before the logits",
    "images": "A pass of their own: gradients, several layers, full maps",
}

NEED_SENTENCES: dict[Need, str] = {
    "fit split": "a fit split, training images of the ID dataset from which it estimates",
    "labels": "the classes of the fit split",
    "images": "the images themselves, in a pass of its own",
    "gradients": "gradients, in a pass of its own",
    "layers": "several layers, in a pass of its own",
    "dropout": "a network with dropout",
    "maps": "the full maps before pooling, in a pass of its own",
}

OWN_PASS_NEEDS: frozenset[Need] = frozenset({"images", "gradients", "layers", "dropout", "maps"})
"""Needs that stored activations do not cover, so that the network runs once more over every image."""


@dataclass(frozen=True)
class Home:
    """The network and training data for which a value of a parameter was published or chosen.

    Args:
        benchmark: the training data as the papers call them.
        networks: the titles of the networks; empty for any network of ``benchmark``.
        published: whether a paper or its code states the value; False where this project chose it.
    """

    benchmark: str
    networks: tuple[str, ...] = ()
    published: bool = True

    def fits(self, trained_on: str, network: str) -> bool:
        """Whether a network of the title ``network`` that was trained on ``trained_on`` is the one meant here."""
        alike = not self.networks or _plain(network) in map(_plain, self.networks)
        return alike and trained_on == self.benchmark

    def words(self) -> str:
        """ "published for ResNet-50 and MobileNetV2 on ImageNet-1k"."""
        networks = " and ".join(self.networks) or "networks"
        return f"{'published' if self.published else 'chosen'} for {networks} on {self.benchmark}"


def _plain(title: str) -> str:
    """A network's title without what differs between libraries: "resnet50 (timm)" is "ResNet-50"."""
    return "".join(filter(str.isalnum, title.removesuffix(" (timm)").casefold()))


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method: a number or a word.

    Args:
        name: its name, as in "knn:k=10".
        meaning: what it stands for, in a few words.
        default: its default where ``by_benchmark`` has none.
        source: where the defaults come from, in a few words.
        low: the smallest number allowed.
        high: the largest number allowed.
        choices: the words allowed, of a parameter that is a word.
        by_benchmark: the default by ID dataset as the papers call it ("CIFAR-10").
        low_on: the limit of the network below which a given number is refused, None for ``low`` alone.
        high_on: the limit above which it is refused, None for ``high`` alone.
        replaces_fit: whether a value other than 0 stands in for what the method estimates from the fit split.
        homes: for which networks the defaults were published: those of ``by_benchmark`` by their ID dataset, those of
            ``default`` under "". Empty for a default that belongs to no network.
        search: the values among which ``analysis.parameter_search`` looks for the best; empty for a parameter that it
            leaves alone.
    """

    name: str
    meaning: str
    default: Value
    source: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    by_benchmark: Mapping[str, Value] = field(default_factory=dict)
    low_on: Limit | None = None
    high_on: Limit | None = None
    replaces_fit: bool = False
    homes: Mapping[str, tuple[Home, ...]] = field(default_factory=dict)
    search: tuple[Value, ...] = ()

    def foreign_home(self, trained_on: str, network: str) -> Home | None:
        """For which network the default of one trained on ``trained_on``, titled ``network``, was published, where it
        is another one; None where it is this one, or belongs to none."""
        homes = self.homes.get(trained_on if trained_on in self.by_benchmark else "", ())
        if not homes or any(home.fits(trained_on, network) for home in homes):
            return None
        return next((home for home in homes if home.benchmark == trained_on), homes[0])

    def default_for(self, trained_on: str) -> Value:
        """The default for a network that was trained on ``trained_on``."""
        return self.by_benchmark.get(trained_on, self.default)

    @property
    def range(self) -> str:
        """What is allowed, in words: "0 to 1", "a, b or c"."""
        if self.choices:
            return f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
        return f"{self.low:g} to {self.high:g}" if self.high < math.inf else f"at least {self.low:g}"

    def read(self, text: str | Value) -> Value:
        """``text`` as this parameter's value. Raises UserError for what is no such value or out of range."""
        if self.choices:
            if text not in self.choices:
                raise UserError(f"{self.name} must be {self.range}, not “{text}”.")
            return text
        try:
            value: Value = int(text) if isinstance(self.default, int) else float(text)
        except ValueError as error:
            kind = "a whole number" if isinstance(self.default, int) else "a number"
            raise UserError(f"{self.name} must be {kind}, {self.range}, not “{text}”.") from error
        if not self.low <= float(value) <= self.high:
            raise UserError(f"{self.name} must be {self.range}, not {text}.")
        return value


BENCHMARKS = {"CIFAR-10": 10, "CIFAR-100": 100, "ImageNet-1k": 1000}
"""The ID datasets of NAP's Table 11 and how many classes they have."""


@dataclass(frozen=True)
class Weight:
    """The w of a combination, and where it comes from.

    "given": by the caller; "searched": by ``analysis.weight_search`` on distorted ID images; "published": by Table 11
    for ``benchmark``, on which the network was trained; "nearest": by Table 11 for ``benchmark``, whose number of
    classes is the nearest; "assumed": Table 11 has nothing for the combination, or the network is unknown.
    """

    w: float
    origin: Literal["given", "searched", "published", "nearest", "assumed"]
    benchmark: str = ""

    def sentence(self) -> str:
        """Where it comes from, for a reader."""
        if self.origin == "given":
            return f"w = {self.w:g} was given."
        if self.origin == "searched":
            return f"w = {self.w:g} was searched on distorted images, without any OOD image."
        if self.origin == "published":
            return f"w = {self.w:g} is the paper's for {self.benchmark} (Table 11)."
        search = "a search on this study may find a better one"
        if self.origin == "nearest":
            near = f"the nearest by number of classes ({BENCHMARKS[self.benchmark]:,})"
            return f"w = {self.w:g} is the paper's for {self.benchmark}, {near}; {search}."
        return f"w = {self.w:g} is a guess, as the paper has none for this combination; {search}."


@dataclass(frozen=True)
class Scored:
    """The result of a method on N images.

    Args:
        scores: one score an image, (N,) float64; higher means more in-distribution.
        predictions: the classes under the method's own logits, (N,); None where it leaves the network's.
    """

    scores: Scores
    predictions: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Positive:
    """How a score is made positive for the combination with NAP, and for nothing else.

    Args:
        note: the reason for this form, a sentence.
        apply: scores to change (N,) and scores of the fit split (M,) → positive scores (N,).
        fitted: whether ``apply`` uses the scores of the fit split.
    """

    note: str
    apply: Callable[[Scores, Scores], Scores]
    fitted: bool = False


@dataclass(frozen=True)
class MethodRecord:
    """The specification of a method.

    Args:
        name: the name in addresses and on the command line.
        title: the name on the screen.
        family: a key of ``FAMILIES``.
        paper: the title of the paper.
        venue: where the paper was published.
        year: when.
        url: the address of the paper.
        formula: the score in one line.
        implementation: "module:name" of the code, which ``nap_core.methods.scoring`` loads: a detector of
            pytorch-ood, a pass over the images, a score of activations, or a function or class of our own.
        arguments: "module:name" of a function that turns a scoring context and the parameters into the arguments of a
            detector's constructor; empty where the parameters are the arguments.
        constants: arguments of a detector's constructor that are the same for every study.
        needs: what the method takes beyond the stored activations.
        parameters: its parameters with defaults and ranges.
        positive: the form that the combination with NAP needs; None where there is none.
        default_w: the weight in a combination where no published one is near, see ``weight``.
        published_w: the weights of the NAP paper's Table 11 by ID dataset.
        prior: whether other methods can be combined with it: NAP and the designs of Table 6.
        own_logits: whether the method changes the logits, so that its ID accuracy is its own.
        reads_scale: whether the score changes when a constant is added to all logits of an image: it then cannot run
            where only probabilities are known.
    """

    name: str
    title: str
    family: Family
    paper: str
    venue: str
    year: int
    url: str
    formula: str
    implementation: str
    arguments: str = ""
    constants: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    positive: Positive | None = None
    default_w: float = 0.5
    published_w: Mapping[str, float] = field(default_factory=dict)
    prior: bool = False
    own_logits: bool = False
    reads_scale: bool = False

    @property
    def own_pass(self) -> bool:
        """Whether stored activations are not enough, so that the network runs once more over every image."""
        return bool(OWN_PASS_NEEDS.intersection(self.needs))

    @property
    def fits(self) -> bool:
        """Whether it estimates from the fit split."""
        return "fit split" in self.needs

    def weight(self, trained_on: str, classes: int = 0) -> Weight:
        """The w of a combination: the published one for a network that was trained on ``trained_on``, else for the
        benchmark whose number of classes is nearest to ``classes`` on a logarithmic scale (0: unknown), else
        ``default_w``."""
        if trained_on in self.published_w:
            return Weight(self.published_w[trained_on], "published", trained_on)
        if not (self.published_w and classes):
            return Weight(self.default_w, "assumed")
        nearest = min(self.published_w, key=lambda name: abs(math.log(BENCHMARKS[name] / classes)))
        return Weight(self.published_w[nearest], "nearest", nearest)

    def parameter(self, name: str) -> Parameter:
        """The parameter called ``name``. Raises UserError when there is none."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        names = ", ".join(parameter.name for parameter in self.parameters) or "none"
        raise UserError(f"{self.title} has no parameter “{name}”. It has: {names}.")


@dataclass(frozen=True)
class Method:
    """A method and the parameters that were given with its name, or a combination.

    Args:
        record: the method; of a combination, the one that is no prior.
        settings: the given parameters and their values.
        prior: the prior of a combination; None for the method alone.
    """

    record: MethodRecord
    settings: tuple[tuple[str, Value], ...] = ()
    prior: Method | None = None

    @property
    def spec(self) -> str:
        """The name that ``parse`` reads as this method."""
        own = ":".join([self.record.name, *(f"{name}={value}" for name, value in self.settings)])
        return f"{self.prior.spec}+{own}" if self.prior else own

    @property
    def alone(self) -> Method:
        """The method without the prior."""
        return Method(self.record, self.settings)

    @property
    def title(self) -> str:
        """As it is printed: "NAP+Energy", "ASH-S (percentile 0.9)"."""
        settings = ", ".join(f"{name} {value}" for name, value in self.settings)
        own = f"{self.record.title} ({settings})" if settings else self.record.title
        return f"{self.prior.title}+{own}" if self.prior else own

    @property
    def records(self) -> tuple[MethodRecord, ...]:
        """The records it is made of: the prior's first."""
        return (*(self.prior.records if self.prior else ()), self.record)

    @property
    def own_pass(self) -> bool:
        """Whether the network must run once more over the images."""
        return self.record.own_pass

    @property
    def fits(self) -> bool:
        """Whether it needs the fit split: to estimate from it, or to make its score positive for the combination."""
        given = any(value and self.record.parameter(name).replaces_fit for name, value in self.settings)
        positive = self.record.positive
        return (self.record.fits and not given) or bool(self.prior and positive and positive.fitted)

    def parameters(self, trained_on: str) -> dict[str, Value]:
        """Every parameter: what was given, else the default for a network that was trained on ``trained_on``."""
        return {one.name: one.default_for(trained_on) for one in self.record.parameters} | dict(self.settings)


def _clip(scores: Scores, _fit: Scores) -> Scores:
    return np.maximum(scores, TINY)


def _exponential(scores: Scores, _fit: Scores) -> Scores:
    return np.maximum(np.exp(scores), TINY)


def _reciprocal(scores: Scores, _fit: Scores) -> Scores:
    return 1 / np.maximum(-scores, TINY)


def _complement(scores: Scores, _fit: Scores) -> Scores:
    return np.maximum(1 + scores, TINY)


def _logistic(scores: Scores, fit: Scores) -> Scores:
    spread = fit.std() or 1.0
    z = np.clip((scores - fit.mean()) / spread, -30, 30)
    return np.maximum(1 / (1 + np.exp(-z)), TINY)


PROBABILITY = Positive("It is a probability, so it is positive as it is.", _clip)
CLIPPED = Positive(f"Positive for almost every image; clipped at {TINY:g} where it is not.", _clip)
EXPONENTIAL = Positive(
    "The exponential of the score: it is a negated entropy or divergence, a log of a ratio.", _exponential
)
RECIPROCAL = Positive(
    "One over the distance: a power of it is then a power of the distance, whatever its unit.", _reciprocal
)
COMPLEMENT = Positive("One minus the outlier score, which lies between 0 and 1.", _complement)
LOGISTIC = Positive(
    "The logistic function of the score's standard score on the fit split: it has either sign and no natural unit.",
    _logistic,
    fitted=True,
)
