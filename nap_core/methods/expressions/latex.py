"""An expression as a formula."""

from __future__ import annotations

from nap_core.methods.expressions.grammar import Node, Number, Operation, Value

_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)  # how tightly what is written holds together
_STRENGTH = {"+": _SUM, "-": _SUM, "*": _PRODUCT}


def latex(node: Node) -> str:
    """The formula, as it is written under an aggregation: in brackets where it is a sum."""
    return _within(node, _PRODUCT)


def _within(node: Node, least: int) -> str:
    """The formula, in brackets where it holds together less tightly than ``least``."""
    text, strength = _written(node)
    return text if strength >= least else rf"\left({text}\right)"


def _written(node: Node) -> tuple[str, int]:
    if isinstance(node, Number):
        return (r"\epsilon", _ATOM) if node.text == "eps" else _number(node)
    if isinstance(node, Value):
        return rf"\mathrm{{{node.name}}}_j", _ATOM
    return _operation(node)


def _number(node: Number) -> tuple[str, int]:
    digits, _, power = f"{node.value:.6g}".partition("e")
    return (rf"{digits} \cdot 10^{{{int(power)}}}", _PRODUCT) if power else (digits, _ATOM)


def _operation(node: Operation) -> tuple[str, int]:
    first, *others = node.operands
    if not others and node.name == "-":
        return f"-{_within(first, _SIGN)}", _SUM
    if node.name == "/":
        return rf"\frac{{{_within(first, _SUM)}}}{{{_within(others[0], _SUM)}}}", _PRODUCT
    if node.name == "**":
        # A fraction or a root takes brackets before its power, as everything that is more than one sign.
        return f"{_within(first, _ATOM)}^{{{_within(others[0], _SUM)}}}", _POWER
    if node.name == "sqrt":
        return rf"\sqrt{{{_within(first, _SUM)}}}", _POWER
    if node.name == "abs":
        return rf"\left|{_within(first, _SUM)}\right|", _POWER
    if node.name in _STRENGTH:
        sign, strength = {"*": r"\cdot"}.get(node.name, node.name), _STRENGTH[node.name]
        return f"{_within(first, strength)} {sign} {_within(others[0], strength + 1)}", strength
    inside = ", ".join(_within(one, _SUM) for one in node.operands)
    function = rf"\{node.name}" if node.name in ("log", "exp") else rf"\operatorname{{{node.name}}}"
    return rf"{function}\left({inside}\right)", _ATOM
