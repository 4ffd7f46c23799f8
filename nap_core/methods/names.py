"""What a method is called: its name with its parameters, and the methods that a name can stand for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from nap_core.errors import UserError
from nap_core.methods.catalogue import RECORDS
from nap_core.methods.spec import MethodRecord, Value

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
        """Whether it needs the fit split: to estimate from it, or to make its score positive for the combination."""
        given = any(value and self.record.parameter(name).replaces_fit for name, value in self.told)
        positive = self.record.positive
        return (self.record.fits and not given) or bool(self.prior and positive and positive.fitted)

    def parameters(self, trained_on: str) -> dict[str, Value]:
        """Every parameter: what it was told, else the default where the network knows ``knows``."""
        return {one.name: one.default_for(trained_on) for one in self.record.parameters} | dict(self.told)


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
