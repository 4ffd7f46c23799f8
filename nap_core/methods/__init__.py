"""Methods. Each turns images into one score an image; higher means more in-distribution.

    >>> from nap_core import methods
    >>> methods.score("nap+energy", activations)
    >>> methods.score("ash-s:percentile=0.9", activations, ground)

A method is named by a word of ``RECORDS``; parameters follow it ("vra:lower_percentile=0.05:upper_percentile=0.9"). A
combination is "prior+other" and needs no record of its own: "nap+energy", "nap-variance+knn:k=10". ``Ground`` holds
what a method may use beside the activations it scores; most need nothing, or only what a sentence then asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nap_core.activations import Activations
from nap_core.combination import combine
from nap_core.errors import UserError
from nap_core.methods.catalogue import LEFT_OUT, RECORDS
from nap_core.methods.ground import SILENT, Ground, Part, Watch
from nap_core.methods.records import (
    FAMILIES,
    NEED_SENTENCES,
    OWN_PASS_NEEDS,
    Family,
    MethodRecord,
    Need,
    Parameter,
    Positive,
    Prepared,
    Scored,
    Scores,
    Value,
)

__all__ = [
    "COMBINATIONS",
    "FAMILIES",
    "LEFT_OUT",
    "NEED_SENTENCES",
    "OWN_PASS_NEEDS",
    "PRIORS",
    "RECORDS",
    "STANDARD",
    "Family",
    "Ground",
    "Method",
    "MethodRecord",
    "Need",
    "Parameter",
    "Part",
    "Positive",
    "Scored",
    "Scores",
    "Value",
    "Watch",
    "combination_parts",
    "default_w",
    "parse",
    "positive",
    "score",
    "scored",
    "title",
]

PRIORS: tuple[str, ...] = tuple(name for name, record in RECORDS.items() if record.prior)
COMBINATIONS: tuple[str, ...] = tuple(f"nap+{name}" for name, record in RECORDS.items() if record.positive)
STANDARD: tuple[str, ...] = ("nap", "msp", "energy", "nap+msp", "nap+energy")
"""What a study shows until its reader chooses others: nothing but one pass over the images is needed for them."""


@dataclass(frozen=True)
class Method:
    """A method and the parameters it was told; ``prior`` is what it is combined with, None for the method alone."""

    record: MethodRecord
    told: tuple[tuple[str, Value], ...] = ()
    prior: Method | None = None

    @property
    def spec(self) -> str:
        """The name that ``parse`` reads as this method."""
        own = ":".join([self.record.name, *(f"{name}={value}" for name, value in self.told)])
        return f"{self.prior.spec}+{own}" if self.prior else own

    @property
    def alone(self) -> Method:
        """The method without the prior."""
        return Method(self.record, self.told)

    @property
    def title(self) -> str:
        """As it is printed: "NAP+Energy", "ASH-S (percentile 0.9)"."""
        told = ", ".join(f"{name} {value}" for name, value in self.told)
        own = f"{self.record.title} ({told})" if told else self.record.title
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
        """Whether it needs the fit split, be it to make its score positive."""
        positive = self.record.positive
        return self.record.fits or bool(self.prior and positive and positive.fitted)

    def parameters(self, knows: str) -> dict[str, Value]:
        """Every parameter: what it was told, else the default where the network knows ``knows``."""
        return {one.name: one.default_for(knows) for one in self.record.parameters} | dict(self.told)

    def default_w(self, knows: str = "") -> float | None:
        """The weight that a combination uses when nobody chose one: the paper's for what the network knows, else the
        record's. None for a method that is no combination."""
        return self.record.published_w.get(knows, self.record.default_w) if self.prior else None


@lru_cache(maxsize=1024)
def parse(spec: str) -> Method:
    """The method that ``spec`` names.

    Raises UserError for a name that is not in the catalogue, a parameter that the method does not have or a value out
    of its range, and for a method that nothing can be combined with.
    """
    words = spec.strip().split("+")
    if len(words) > 2:
        raise UserError(
            f"“{spec}” combines more than two methods. A combination is written prior+other, as nap+energy."
        )
    found = [_single(word) for word in words]
    if len(found) == 1:
        return found[0]
    prior, other = found
    if not prior.record.prior:
        order = f" Write {words[1]}+{words[0]}." if other.record.prior else ""
        raise UserError(f"The first part of “{spec}” must be one of {', '.join(PRIORS)}.{order}")
    if other.record.positive is None:
        raise UserError(f"{other.record.title} has no positive form, so NAP cannot be combined with it.")
    return Method(other.record, other.told, prior)


def _single(word: str) -> Method:
    name, *settings = word.split(":")
    record = RECORDS.get(name)
    if record is None:
        raise UserError(f"There is no method called “{name}”. There are: {', '.join(RECORDS)}; and nap+other.")
    told: dict[str, Value] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"“{setting}” is no parameter. Write it as {name}:name=value.")
        told[key] = record.parameter(key).read(value)
    return Method(record, tuple(told.items()))


def combination_parts(spec: str) -> tuple[Method, Method]:
    """The prior and the other method of a combination. Raises UserError when ``spec`` is none."""
    method = parse(spec)
    if method.prior is None:
        raise UserError(f"{method.title} is no combination. A combination is written nap+energy.")
    return method.prior, method.alone


def title(spec: str) -> str:
    """The name as it is printed: "NAP+Energy" for "nap+energy"."""
    return parse(spec).title


def default_w(spec: str, knows: str = "") -> float | None:
    """The weight a combination uses when nobody chose one; see ``Method.default_w``."""
    return parse(spec).default_w(knows)


def scored(method: Method, part: Part, ground: Ground, *, w: float | None = None, watch: Watch = SILENT) -> Scored:
    """Score (N,) and own predictions of every image of ``part``; what was found is kept while ``part`` is in use.

    ``w`` is the weight of the other method in a combination; None takes its default. Raises UserError when the method
    needs what ``ground`` does not have, ValueError for a w outside [0, 1], ExtractionStopped when ``watch`` asks.
    """
    if method.prior is None:
        prepared = _prepared(method, ground)
        return ground.scored(method.spec, part, lambda: prepared(part, watch))
    weight = method.default_w(ground.knows) if w is None else w
    if weight is None:
        raise ValueError(f"{method.spec} has no default weight")
    prior = scored(method.prior, part, ground, watch=watch)
    return Scored(
        combine(positive(method.alone, part, ground, watch=watch), np.maximum(prior.scores, 0), weight),
        scored(method.alone, part, ground, watch=watch).predictions,
    )


def positive(method: Method, part: Part, ground: Ground, *, watch: Watch = SILENT) -> Scores:
    """The score in the positive form that the combination needs, (N,). Raises UserError when there is none."""
    form = method.record.positive
    if form is None:
        raise UserError(f"{method.title} has no positive form, so NAP cannot be combined with it.")
    own = scored(method, part, ground, watch=watch).scores
    fit = scored(method, ground.fit(method.title, watch), ground, watch=watch).scores if form.fitted else own
    return form.apply(own, fit)


def score(
    spec: str,
    images: Activations | Part,
    ground: Ground | None = None,
    *,
    w: float | None = None,
    watch: Watch = SILENT,
) -> Scores:
    """The score of every image under the method ``spec``: (N,) float64, higher means more in-distribution.

    ``ground`` can be left out for methods that need nothing but activations. Raises as ``scored`` and ``parse`` do.
    """
    part = images if isinstance(images, Part) else Part(images)
    return scored(parse(spec), part, ground or Ground(), w=w, watch=watch).scores


def missing(method: Method, part: Part, ground: Ground) -> int:
    """How many images of ``part`` a pass of the method's own has still to be run on; 0 when it needs none.

    Raises UserError when the pass cannot run.
    """
    if not method.own_pass:
        return 0
    count = getattr(_prepared(method, ground), "missing", None)
    return int(count(part)) if count else 0


def missing_fit(method: Method, ground: Ground) -> int:
    """How many images of the fit split have to be extracted before the method can be scored.

    Raises UserError when it needs a fit split and there is none.
    """
    fits_itself = method.record.fits and not getattr(_prepared(method, ground), "fitted", False)
    if not fits_itself and method.fits == method.record.fits:
        return 0
    if not ground.has_fit:
        ground.fit(method.record.title)  # says what is missing
    return ground.missing_fit()


def _prepared(method: Method, ground: Ground) -> Prepared:
    """The method without its prior, given its parameters once."""
    parameters = method.parameters(ground.knows)
    return ground.prepared(method.alone.spec, lambda: method.record.prepare(ground, parameters))
