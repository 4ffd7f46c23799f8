"""What ``says`` holds a sentence to, beside its snapshot."""

import pytest

from tests.sentences import check_facts, numbers

TEXT = "NAP+Energy has the lowest FPR95 on 2 of 3 sets, 6.7\xa0%, on CIFAR-10 −1,200.5 and ×\xa02.00, r = +1.00."


def test_numbers_are_those_that_stand_alone() -> None:
    assert numbers(TEXT) == ["2", "3", "6.7", "−1,200.5", "2.00", "+1.00"]


def test_facts_in_their_order_pass() -> None:
    check_facts(TEXT, "NAP+Energy lowest FPR95 2 3 6.7 CIFAR-10 −1,200.5 2.00 +1.00")


@pytest.mark.parametrize(
    "facts",
    [
        "NAP+Energy 2 3 6.8 −1,200.5 2.00 +1.00",  # another number
        "NAP+Energy 2 3 6.7 −1,200.5 2.00",  # one too few
        "NAP+Energy 2 3 6.7 1,200.5 2.00 +1.00",  # another sign
        "Energy 2 3 6.7 −1,200.5 2.00 +1.00",  # only a part of a name
        "2 3 6.7 NAP+Energy −1,200.5 2.00 +1.00",  # another order
        "NAP+Energy highest 2 3 6.7 −1,200.5 2.00 +1.00",  # the contrary
    ],
)
def test_other_facts_fail(facts: str) -> None:
    with pytest.raises(AssertionError):
        check_facts(TEXT, facts)
