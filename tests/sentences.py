"""Sentences made from data: a test states the numbers and names in them, a snapshot keeps the words."""

import re
from collections.abc import Callable

# Not the digits of a name: FPR95, CIFAR-10, ResNet-20.
_NUMBER = re.compile(r"(?<![\w.+-])[−+-]?\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")

Says = Callable[[str, str], None]


def numbers(text: str) -> list[str]:
    """Every number in a text as it is written there, with its sign, without its unit."""
    return _NUMBER.findall(text)


def check_facts(text: str, facts: str) -> None:
    """Fail unless the text has the facts (numbers, names, deciding words) in this order, and no other number."""
    assert numbers(text) == numbers(facts), f"The numbers are not those of “{facts}”: {text}"
    place = 0
    for fact in facts.split():
        match = re.compile(rf"(?<![\w+-]){re.escape(fact)}(?![\w+])").search(text, place)
        assert match, f"“{fact}” is missing or not in the order of “{facts}”: {text}"
        place = match.end()
