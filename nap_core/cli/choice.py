"""--methods: the methods that are named, and the obstacles that keep one of them from running."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nap_core import methods
from nap_core.datasets import ImageDataset
from nap_core.errors import UserError
from nap_core.methods import NEED_SENTENCES, OWN_PASS_NEEDS, Method
from nap_core.models import LoadedModel


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
            # Written out, a method is wanted even where "all" would pass over it.
            choices[method.spec] = Choice(spec, method, named=True)
    return list(choices.values())


def weights(choices: Sequence[Choice], args: argparse.Namespace) -> dict[str, float]:
    """The combinations' w, where --w gives one."""
    return {} if args.w is None else {one.spec: args.w for one in choices if one.method.prior}


def keep(choices: Sequence[Choice], obstacle: Callable[[Method], str]) -> list[Choice]:
    """The methods without an ``obstacle``, a sentence. A method that was named raises it as UserError; one of "all" is
    left out with a line on stderr."""
    kept = []
    for one in choices:
        sentence = obstacle(one.method)
        if sentence:
            refuse(one, sentence)
        else:
            kept.append(one)
    return kept


def refuse(one: Choice, sentence: str) -> None:
    """Raise ``sentence`` as UserError for a method that was named, else print on stderr that it is left out."""
    if one.named:
        raise UserError(sentence)
    print(f"Left out {one.spec}: {sentence}", file=sys.stderr)


def without_fit(has_fit: bool, trained_on: str) -> Callable[[Method], str]:
    """The obstacle of having no fit split."""

    def obstacle(method: Method) -> str:
        if has_fit or not method.fits:
            return ""
        return (
            f"{method.title} needs a fit split (training images of {trained_on or 'the ID dataset'} from which it "
            "estimates): name one with --fit DATA."
        )

    return obstacle


def without_images(names: Sequence[str]) -> Callable[[Method], str]:
    """The obstacle of DATA that come as activations only."""

    def obstacle(method: Method) -> str:
        if not names or not method.own_pass:
            return ""
        return f"{method.title} needs {needs(method)}, and {names[0]} holds activations only: take other DATA."

    return obstacle


def without_a_pass(method: Method) -> str:
    """The obstacle of having nothing but activations."""
    return f"{method.title} cannot place a single image: it needs {needs(method)}." if method.own_pass else ""


def needs(method: Method) -> str:
    """What a method needs that stored activations do not hold, in words."""
    return " and ".join(NEED_SENTENCES[need] for need in method.record.needs if need in OWN_PASS_NEEDS)


def unfit(model: LoadedModel, fit: ImageDataset | None, fit_limit: int | None) -> Callable[[Method], str]:
    """The obstacles that lie in the network and in the fit split: layers, dropout, labels of every class."""
    labels = fit.labels[:fit_limit] if fit is not None else ()
    classes = set(map(int, labels))

    def obstacle(method: Method) -> str:
        wanted = method.record.needs
        if "layers" in wanted and not model.architecture.layers:
            return f"{method.title} reads several layers, and {model.title} names none."
        if "dropout" in wanted and not model.has_dropout:
            return f"{method.title} needs a network with dropout, and {model.title} has none."
        if "labels" in wanted and fit is not None and (not classes or min(classes) < 0):
            return f"{method.title} needs the classes of the fit split, and {fit.title} does not tell them."
        if "labels" in wanted and len(classes) < len(model.classes):
            return (
                f"{method.title} needs images of all {len(model.classes):,} classes in the fit split, and there are "
                f"{len(classes):,}: take a larger one."
            )
        return ""

    return obstacle
