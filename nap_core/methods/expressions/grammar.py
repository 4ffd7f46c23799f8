"""The grammar of expressions, and the parser that makes a tree of a text; no Python is ever run.

A hand-written parser instead of ``ast.parse``: it gives the place of every mistake, and its limits hold before anything
is built.
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
_INSTEAD_OF_A_CALL = {
    "max": "for the larger of two write larger(a, b); the largest channel is chosen beside the expression",
    "mean": "the mean over the channels is chosen beside the expression",
}
_TOKEN = re.compile(
    r"(?P<number>(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<mark>\*\*|[-+*/(),])|(?P<foreign>\S)",
    re.ASCII,
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
    sign in front, two for + - * / **, as many as ``FUNCTIONS`` states for a function."""

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
    """Parses an expression.

    Args:
        text: what the user wrote.

    Returns:
        The tree of operations.

    Raises:
        UserError: the text is no expression (the message has the place), does not depend on the image, or exceeds
            ``MOST_CHARACTERS``, ``MOST_OPERATIONS`` or ``MOST_NESTED``.
    """
    if len(text) > MOST_CHARACTERS:
        raise UserError(f"The expression has {len(text):,} characters; at most {MOST_CHARACTERS} are read. Shorten it.")
    if not text.strip():
        raise UserError("Write an expression of max, mean and var, such as (max / (mean + eps)) ** 2.")
    tree = _Reader(text).whole()
    if not _depends(tree):
        raise UserError(f"“{text.strip()}” is the same for every image. Write max, mean or var into it.")
    return tree


def _depends(node: Node) -> bool:
    """Whether ``node`` holds one of ``VALUES``."""
    return isinstance(node, Value) or (isinstance(node, Operation) and any(map(_depends, node.operands)))


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "foreign":
            advice = {"^": " A power is written **.", "[": " Write round brackets."}.get(match.group(), "")
            raise UserError(f"“{match.group()}” at character {match.start() + 1} cannot be read.{advice}")
        yield _Token(str(match.lastgroup), match.group(), match.start() + 1)
    yield _Token("end", "", len(text) + 1)


_BINDING = {"+": (0, 1), "-": (0, 1), "*": (1, 2), "/": (1, 2), "**": (3, 2)}
"""How tightly an operator holds its left operand, and the least of the operators within its right one."""
_SIGN = 2


class _Reader:
    """Parses by operator precedence; ** binds to the right and before a minus sign in front, as in Python."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at, self._operations = 0, 0

    def whole(self) -> Node:
        tree = self._expression(0, 1)
        if self._now.kind != "end":
            self._stop("an operator such as + or /")
        return tree

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *marks: str) -> _Token | None:
        """The next token if it is one of ``marks``; the reader then moves behind it."""
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

    def _operation(self, token: _Token, *operands: Node) -> Operation:
        self._operations += 1
        if self._operations > MOST_OPERATIONS:
            raise UserError(f"The expression has more than {MOST_OPERATIONS} operations. Shorten it.")
        return Operation(token.text, operands, token.place)

    def _expression(self, least: int, depth: int) -> Node:
        """An operand and the operators behind it that bind at least as tightly as ``least``.

        Brackets, signs and exponents each add one to ``depth``.
        """
        if depth > MOST_NESTED:
            raise UserError(
                f"At character {self._now.place} the expression is nested more than {MOST_NESTED} deep. Simplify it."
            )
        tree = self._operand(depth)
        while token := self._take(*(mark for mark, (left, _) in _BINDING.items() if left >= least)):
            right = self._expression(_BINDING[token.text][1], depth + (token.text == "**"))
            tree = self._operation(token, tree, right)
        return tree

    def _operand(self, depth: int) -> Node:
        token = self._now
        if self._take("-", "+"):
            operand = self._expression(_SIGN, depth + 1)
            return self._operation(token, operand) if token.text == "-" else operand
        if self._take("("):
            tree = self._expression(0, depth + 1)
            self._close(token)
            return tree
        if token.kind not in ("number", "name"):
            self._stop("max, mean, var, a number or a bracket")
        self._at += 1
        if token.kind == "name":
            return self._named(token, depth)
        if float(token.text) > 1e100:
            raise UserError(f"The number at character {token.place} is too large.")
        return Number(float(token.text), token.text)

    def _close(self, opened: _Token) -> None:
        if not self._take(")"):
            self._stop(f"a bracket that closes the one at character {opened.place}")

    def _named(self, token: _Token, depth: int) -> Node:
        name, following = token.text, self._now
        if name in FUNCTIONS:
            if not self._take("("):
                self._stop(f"a bracket after {name}")
            operands = [self._expression(0, depth + 1)]
            while self._take(","):
                operands.append(self._expression(0, depth + 1))
            self._close(following)
            if len(operands) != FUNCTIONS[name]:
                many = {1: "one value", 2: "two values", 3: "three values: clip(x, low, high)"}[FUNCTIONS[name]]
                raise UserError(f"{name} at character {token.place} takes {many}, not {len(operands)}.")
            return self._operation(token, *operands)
        if name in VALUES or name in CONSTANTS:
            if following.text == "(":
                advice = _INSTEAD_OF_A_CALL.get(name, "write an operator between them")
                raise UserError(
                    f"{name} is a value of each channel, not a function, but a bracket follows at character "
                    f"{following.place}: {advice}."
                )
            return Value(name) if name in VALUES else Number(CONSTANTS[name], name)
        advice = _INSTEAD.get(name.lower()) or f"There are {', '.join([*VALUES, *CONSTANTS, *FUNCTIONS])}"
        raise UserError(f"There is no “{name}”, which stands at character {token.place}. {advice}.")
