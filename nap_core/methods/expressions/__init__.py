"""Scores that a user writes: an expression of each channel's maximum, mean and variance, and one number over channels.

    >>> parse("(max / (mean + eps)) ** 2").scores(activations)  # S_NAP, equation 3 of the NAP paper

What may be written, for one channel of one image:

- ``max``, ``mean``, ``var``: maximum, mean and variance of the channel's map;
- numbers, and ``eps``, which is 1, the paper's ε;
- ``+ - * /``, ``**`` for a power, a minus sign in front, and round brackets;
- ``sqrt(x)``, ``log(x)`` (natural), ``exp(x)``, ``abs(x)``, ``larger(a, b)``, ``smaller(a, b)``,
  ``clip(x, low, high)``.

``max`` and ``mean`` always mean the map, never the channels: how the channels become one score is stated beside the
expression (``over``, a key of ``OVER``), so that no word has two meanings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.methods.expressions.grammar import CONSTANTS, FUNCTIONS, VALUES, Node, Number, Operation, Value, read
from nap_core.methods.expressions.latex import latex
from nap_core.methods.expressions.over import OVER

__all__ = ["CONSTANTS", "FUNCTIONS", "OVER", "VALUES", "Expression", "parse"]

Values = NDArray[np.float64]

LARGEST = 1e100
"""Beyond it a value counts as too large: what is added up or drawn of such numbers would not be finite."""

_OPERATIONS: dict[str, Callable[..., Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    # The operator, not numpy's function: it computes a square as a product.
    "**": lambda base, exponent: base**exponent,
    "sqrt": np.sqrt,
    "log": np.log,
    "exp": np.exp,
    "abs": np.abs,
    "larger": np.maximum,
    "smaller": np.minimum,
    "clip": lambda value, low, high: np.minimum(np.maximum(value, low), high),
}


@dataclass(frozen=True)
class Expression:
    """``text`` as it was written, and ``over``, a key of ``OVER``: how the channels become one score."""

    text: str
    tree: Node
    over: str

    def scores(self, activations: Activations) -> Values:
        """Scores images, a block at a time.

        Args:
            activations: maximum, mean and variance of N images, (N, C) each.

        Returns:
            The score of each image, (N,) float64.

        Raises:
            UserError: a value is not finite, or larger than ``LARGEST``; the message names the operation, the image
                and the channel.
        """
        scores, done = [], 0
        for block in activations.blocks():
            scores.append(self._of_block(block, done))
            done += len(block)
        return np.concatenate(scores)

    def _of_block(self, block: Activations, before: int) -> Values:
        shape = block.maximum.shape
        arrays = {"max": block.maximum, "mean": block.mean, "var": block.variance}
        values = {name: array.astype(np.float64) for name, array in arrays.items()}
        with np.errstate(all="ignore"):
            terms = np.broadcast_to(np.asarray(_value(self.tree, values, before), dtype=np.float64), shape)
            score: Values = OVER[self.over].apply(terms) if len(terms) else np.empty(0)
        if not _sound(score).all():
            image = before + int(np.flatnonzero(~_sound(score))[0])
            raise UserError(
                f"The {OVER[self.over].title} over the channels is too large a number for image {image + 1:,}. "
                "Take a log or a root of what is added up."
            )
        return score

    @property
    def latex(self) -> str:
        """The score as a formula, j counting the channels."""
        return rf"S = {OVER[self.over].latex.format(latex(self.tree))}"


def parse(text: str, over: str = "mean") -> Expression:
    """Reads an expression.

    No text can run code, hang or take much memory: ``grammar.MOST_CHARACTERS``, ``MOST_OPERATIONS`` and ``MOST_NESTED``
    limit it, and all numbers are in double precision.

    Args:
        text: the expression of one channel of one image.
        over: a key of ``OVER``: how the channels become one score.

    Returns:
        The score that the text describes.

    Raises:
        UserError: the text is no expression or exceeds a limit (the message has the place), or ``over`` is unknown.
    """
    if over not in OVER:
        raise UserError(f"There is no “{over}” over the channels. There are: {', '.join(OVER)}.")
    return Expression(text.strip(), read(text), over)


def _sound(values: Values | np.float64) -> NDArray[np.bool_]:
    """Where values are finite, and not so large that their sum would not be."""
    return np.asarray(np.abs(values) <= LARGEST)


def _value(node: Node, values: dict[str, Values], before: int) -> Values | np.float64:
    """The value of ``node``, (N, C) or a number. Raises UserError where it is not finite."""
    if isinstance(node, Number):
        return np.float64(node.value)
    if isinstance(node, Value):
        return values[node.name]
    operands = [_value(one, values, before) for one in node.operands]
    if node.name == "-" and len(operands) == 1:
        return -operands[0]
    value = _OPERATIONS[node.name](*operands)
    if not _sound(value).all():
        raise UserError(_not_finite(node, operands, value, before))
    return value


_ADVICE = {
    "/": "Add eps to what it divides by, as in max / (mean + eps).",
    "log": "Add eps inside, as in log(eps + max).",
    "sqrt": "Take abs() of it, or larger(x, 0).",
    "**": "Add eps to what is raised, or take abs() of it.",
}


def _not_finite(node: Operation, operands: list[Values | np.float64], value: Values | np.float64, before: int) -> str:
    """The message for a value that is not finite: operation, channel, image, and what to do."""
    name, where = node.name, ""
    bad = np.argwhere(~_sound(value))
    first = tuple(map(int, bad[0]))
    taken = [float(np.broadcast_to(operand, np.shape(value))[first]) for operand in operands]
    if first:
        image, channel = first
        others = int((bad[:, 0] == image).sum()) - 1
        where = f" in channel {channel} of image {before + image + 1:,}"
        where += f" and {others:,} more of its channels" if others else ""
    if name == "/" and taken[1] == 0:
        why = "divides by zero"
    elif name in ("log", "sqrt") and taken[0] <= 0:
        why = f"has no value of {taken[0]:.3g}"
    elif name == "**" and (taken[0] < 0 or (taken[0] == 0 and taken[1] < 0)):
        why = f"raises {taken[0]:.3g} to the power {taken[1]:.3g}, which has no value,"
    else:
        return (
            f"“{name}” at character {node.place} gives a number that is too large{where}. Divide first, or take a log "
            "or a root."
        )
    return f"“{name}” at character {node.place} {why}{where}. {_ADVICE[name]}"
