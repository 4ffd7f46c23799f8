"""What a method is called: its name with its parameters, and the methods that a name can stand for."""

from __future__ import annotations

from functools import lru_cache

from nap_core.errors import UserError
from nap_core.methods.catalogue import RECORDS
from nap_core.methods.spec import Method, Value

PRIORS: tuple[str, ...] = tuple(name for name, record in RECORDS.items() if record.prior)
COMBINATIONS: tuple[str, ...] = tuple(f"nap+{name}" for name, record in RECORDS.items() if record.positive)
STANDARD: tuple[str, ...] = ("nap", "msp", "energy", "nap+msp", "nap+energy")
"""What a study shows until its reader chooses others: nothing but one pass over the images is needed for them."""


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
    parsed = [_single(word) for word in words]
    if len(parsed) == 1:
        return parsed[0]
    prior, other = parsed
    if not prior.record.prior:
        order = f" Write {words[1]}+{words[0]}." if other.record.prior else ""
        raise UserError(f"The first part of “{spec}” must be one of {', '.join(PRIORS)}.{order}")
    if other.record.positive is None:
        raise UserError(f"{other.record.title} has no positive form, so NAP cannot be combined with it.")
    return Method(other.record, other.settings, prior)


def _single(word: str) -> Method:
    name, *parts = word.split(":")
    record = RECORDS.get(name)
    if record is None:
        raise UserError(f"There is no method called “{name}”. There are: {', '.join(RECORDS)}; and nap+other.")
    settings: dict[str, Value] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals:
            raise UserError(f"“{part}” is no parameter. Write it as {name}:name=value.")
        settings[key] = record.parameter(key).read(value)
    return Method(record, tuple(settings.items()))


def combination_parts(spec: str) -> tuple[Method, Method]:
    """The prior and the other method of a combination. Raises UserError when ``spec`` is none."""
    method = parse(spec)
    if method.prior is None:
        raise UserError(f"{method.title} is no combination. A combination is written nap+energy.")
    return method.prior, method.alone


def title(spec: str) -> str:
    """The name as it is printed: "NAP+Energy" for "nap+energy"."""
    return parse(spec).title
