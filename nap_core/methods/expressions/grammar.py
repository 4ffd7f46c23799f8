"""What may be written in an expression, and its reading into a tree: no Python is ever run.

A hand-written parser of some sixty lines instead of ``ast.parse``: it knows the place of every mistake, and its limits
hold before anything is built (Python's own parser runs out of stack on "((((…").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from nap_core.errors import UserError

VALUES = {"max": "the maximum of a channel's map", "mean": "its mean", "var": "its variance"}
CONSTANTS = {"eps": 1.0}  # the paper's ε, section 5
FUNCTIONS = {"sqrt": 1, "log": 1, "exp": 1, "abs": 1, "larger": 2, "smaller": 2, "clip": 3}
"""The functions and how many values each takes."""

MOST_CHARACTERS = 200
MOST_OPERATIONS = 40
MOST_NESTED = 20

_INSTEAD = {
    "min": "For the smaller of two write smaller(a, b); the minimum of a map is not kept",
    "std": "Write sqrt(var)",
    "maximum": "Write max, or larger(a, b)",
    "minimum": "Write smaller(a, b)",
    "variance": "Write var",
    "epsilon": "Write eps",
    "ln": "Write log",
    "pow": "Write a ** b",
}
_TOKEN = re.compile(
    r"(?P<number>(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<mark>\*\*|[-+*/(),])", re.ASCII
)


@dataclass(frozen=True)
class Number:
    """A number, or ``eps``."""

    value: float
    text: str


@dataclass(frozen=True)
class Value:
    """One of ``VALUES``."""

    name: str


@dataclass(frozen=True)
class Operation:
    """An operator or a function at the character ``place``, counted from 1, and what it takes: one value for a minus
    sign in front, two for + - * / **, as many as ``FUNCTIONS`` says for a function."""

    name: str
    operands: tuple[Node, ...]
    place: int


Node = Number | Value | Operation


@dataclass(frozen=True)
class _Token:
    kind: str  # "number", "name", "mark" or "end"
    text: str
    place: int


def read(text: str) -> Node:
    """The tree of an expression. Raises UserError, with the place of the mistake, for what is none, and for one with
    more than ``MOST_CHARACTERS``, ``MOST_OPERATIONS`` or ``MOST_NESTED``."""
    if len(text) > MOST_CHARACTERS:
        raise UserError(f"The expression has {len(text):,} characters; at most {MOST_CHARACTERS} are read. Shorten it.")
    if not text.strip():
        raise UserError("Write an expression of max, mean and var, such as (max / (mean + eps)) ** 2.")
    found = _Reader(text).whole()
    if not _depends(found):
        raise UserError(f"“{text.strip()}” is the same for every image. Write max, mean or var into it.")
    return found


def _depends(node: Node) -> bool:
    """Whether ``node`` holds one of ``VALUES``."""
    return isinstance(node, Value) or (isinstance(node, Operation) and any(map(_depends, node.operands)))


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            advice = {"^": " A power is written **.", "[": " Write round brackets."}.get(text[at], "")
            raise UserError(f"“{text[at]}” at character {at + 1} cannot be read.{advice}")
        yield _Token(str(found.lastgroup), found.group(), at + 1)
        at = found.end()
    yield _Token("end", "", len(text) + 1)


class _Reader:
    """Recursive descent: sum > product > sign > power > atom; ** binds to the right and before a minus sign in front,
    as in Python and in print."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at, self._operations, self._nested = 0, 0, 0

    def whole(self) -> Node:
        found = self._sum()
        if self._now.kind != "end":
            self._stop("an operator such as + or /")
        return found

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *marks: str) -> _Token | None:
        """The next token if it is one of ``marks``, and go on behind it."""
        token = self._now
        if token.kind != "mark" or token.text not in marks:
            return None
        self._at += 1
        return token

    def _stop(self, wanted: str) -> NoReturn:
        token = self._now
        if token.kind == "end":
            raise UserError(f"The expression ends at character {token.place - 1} where {wanted} should follow.")
        raise UserError(f"At character {token.place} stands “{token.text}” where {wanted} should be.")

    def _made(self, token: _Token, *operands: Node) -> Operation:
        self._operations += 1
        if self._operations > MOST_OPERATIONS:
            raise UserError(f"The expression has more than {MOST_OPERATIONS} operations. Shorten it.")
        return Operation(token.text, operands, token.place)

    def _sum(self) -> Node:
        level = self._deeper()
        found = self._product()
        while token := self._take("+", "-"):
            found = self._made(token, found, self._product())
        self._nested = level
        return found

    def _deeper(self) -> int:
        """Go one level in; what it returns is the level to come back to."""
        before = self._nested
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise UserError(
                f"At character {self._now.place} the expression is nested more than {MOST_NESTED} deep. Simplify it."
            )
        return before

    def _product(self) -> Node:
        found = self._sign()
        while token := self._take("*", "/"):
            found = self._made(token, found, self._sign())
        return found

    def _sign(self) -> Node:
        token = self._take("-", "+")
        if token is None:
            return self._power()
        level = self._deeper()
        found = self._sign()
        self._nested = level
        return self._made(token, found) if token.text == "-" else found

    def _power(self) -> Node:
        found = self._atom()
        token = self._take("**")
        if token is None:
            return found
        level = self._deeper()
        exponent = self._sign()
        self._nested = level
        return self._made(token, found, exponent)

    def _atom(self) -> Node:
        token = self._now
        if self._take("("):
            found = self._sum()
            self._close(token)
            return found
        if token.kind == "number":
            self._at += 1
            return Number(self._finite(token), token.text)
        if token.kind == "name":
            self._at += 1
            return self._named(token)
        self._stop("max, mean, var, a number or a bracket")

    @staticmethod
    def _finite(token: _Token) -> float:
        value = float(token.text)
        if value > 1e100:
            raise UserError(f"The number at character {token.place} is too large.")
        return value

    def _close(self, opened: _Token) -> None:
        if not self._take(")"):
            self._stop(f"a bracket that closes the one at character {opened.place}")

    def _named(self, token: _Token) -> Node:
        name, called = token.text, self._now
        if name in FUNCTIONS:
            if not self._take("("):
                self._stop(f"a bracket after {name}")
            operands = [self._sum()]
            while self._take(","):
                operands.append(self._sum())
            self._close(called)
            if len(operands) != FUNCTIONS[name]:
                many = {1: "one value", 2: "two values", 3: "three values: clip(x, low, high)"}[FUNCTIONS[name]]
                raise UserError(f"{name} at character {token.place} takes {many}, not {len(operands)}.")
            return self._made(token, *operands)
        if name in VALUES or name in CONSTANTS:
            if called.kind == "mark" and called.text == "(":
                raise UserError(_not_a_function(name, called.place))
            return Value(name) if name in VALUES else Number(CONSTANTS[name], name)
        advice = _INSTEAD.get(name.lower()) or f"There are {', '.join([*VALUES, *CONSTANTS, *FUNCTIONS])}"
        raise UserError(f"There is no “{name}”, which stands at character {token.place}. {advice}.")


def _not_a_function(name: str, place: int) -> str:
    instead = {
        "max": "for the larger of two write larger(a, b); the largest channel is chosen beside the expression",
        "mean": "the mean over the channels is chosen beside the expression",
    }
    advice = instead.get(name, "write an operator between them")
    return f"{name} is a value of each channel, not a function, but a bracket follows at character {place}: {advice}."
