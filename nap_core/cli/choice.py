"""--methods: the methods that are named, and the reasons why one of them cannot run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nap_core import methods
from nap_core.cli.hints import HINTS
from nap_core.errors import UserError
from nap_core.methods import Method, ScoringContext, refusals


@dataclass(frozen=True)
class Choice:
    """One method: named (``named``), or one of "all". ``spec`` is its name as it was written."""

    spec: str
    method: Method
    named: bool


def read(text: str | None) -> list[Choice]:
    """The methods in ``text``, each once, in their order; those of STANDARD for None.

    Raises UserError for names, parameters and values that ``methods.parse`` does not take, and for no method at all.
    """
    specs = list(methods.STANDARD) if text is None else [word.strip() for word in text.split(",") if word.strip()]
    if not specs:
        raise UserError("No method was named. Name some with --methods, as nap,energy,nap+energy.")
    choices: dict[str, Choice] = {}
    for spec in specs:
        if spec == "all":
            for name in (*methods.RECORDS, *methods.COMBINATIONS):
                choices.setdefault(name, Choice(name, methods.parse(name), named=False))
        else:
            method = methods.parse(spec)
            # A method that is named must run, even where "all" would leave it out.
            choices[method.spec] = Choice(spec, method, named=True)
    return list(choices.values())


def weights(choices: Sequence[Choice], args: argparse.Namespace) -> dict[str, float]:
    """The combinations' w, where --w gives one."""
    return {} if args.w is None else {one.spec: args.w for one in choices if one.method.prior}


def keep(choices: Sequence[Choice], refusal: Callable[[Method], UserError | None]) -> list[Choice]:
    """The methods without a ``refusal``. One that was named raises it; one of "all" is left out, which stderr says."""
    kept = []
    for one in choices:
        if error := refusal(one.method):
            refuse(one, error)
        else:
            kept.append(one)
    return kept


def refuse(one: Choice, error: UserError) -> None:
    """Raise ``error`` for a method that was named, else say on stderr that the method is left out."""
    if one.named:
        raise error
    print(f"Left out {one.spec}: {error.worded(HINTS)}", file=sys.stderr)


def refusals_on(context: ScoringContext) -> Callable[[Method], UserError | None]:
    """Why methods cannot run in ``context``; without a network, only for what its fit split lacks."""
    return lambda method: refusals.refusal(method, context)


def without_images(names: Sequence[str]) -> Callable[[Method], UserError | None]:
    """The refusal of methods with a pass of their own where the DATA ``names`` are activations alone."""
    return lambda method: refusals.without_images(method.title) if names and method.own_pass else None
