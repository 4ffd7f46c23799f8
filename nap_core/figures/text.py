"""Numbers and lists as words: what the captions of the figures have in common."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from nap_core.analysis.comparison import AVERAGE
from nap_core.metrics import Metric

BETTER: Mapping[Metric, str] = {"fpr95": "lower", "auroc": "higher"}
EXTREME: Mapping[Metric, str] = {"fpr95": "lowest", "auroc": "highest"}


def percent(share: float) -> str:
    """A share as the papers print it; the sign stays on the line of its number.

    Args:
        share: A share, 0 to 1.

    Returns:
        The percentage with one decimal, a no-break space and the sign.
    """
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def three_digits(value: float) -> str:
    """A score with three significant digits, zeros at its end included, and no exponent for everyday sizes.

    Args:
        value: Any number.

    Returns:
        The number; whole with separators of thousands from 1,000 on, "0" for zero.
    """
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:#.3g}".rstrip(".")


def signed(value: float, form: str = ".2f", unknown: str = "–") -> str:
    """A number with a minus sign in place of a hyphen.

    Args:
        value: Any number.
        form: Python's format specification; "+.2f" writes a plus sign before positive numbers.
        unknown: What is written for NaN.

    Returns:
        The formatted number.
    """
    return unknown if math.isnan(value) else f"{value:{form}}".replace("-", "−")


def join(words: Sequence[str], last: str = "and") -> str:
    """ "MSP", "MSP and NAP", "MSP, Energy and NAP".

    Args:
        words: The members of the list.
        last: The conjunction before the last one.

    Returns:
        The list in words; "" for none.
    """
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def counted(number: int, what: str) -> str:
    """ "1 image", "1,200 images".

    Args:
        number: How many there are.
        what: What is counted, in the singular; its plural ends with "s".

    Returns:
        The number and the noun.
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def out_of(some: int, total: int, what: str = "OOD dataset") -> str:
    """ "both OOD datasets", "all 5 OOD datasets", "3 of 5 OOD datasets", "none of the 5 OOD datasets".

    Args:
        some: How many of them, 0 to ``total``.
        total: How many there are.
        what: What is counted, in the singular; its plural ends with "s".

    Returns:
        The phrase.
    """
    if some == total:
        return f"both {what}s" if total == 2 else f"all {total} {what}s"
    return f"{some or 'none'} of {'' if some else 'the '}{total} {what}s"


def averaged_over(names: Collection[str], titles: Mapping[str, str]) -> str:
    """ "averaged over 5 OOD datasets", or "on MNIST" for a single one.

    Args:
        names: Catalogue names of the OOD datasets, at least one.
        titles: Catalogue name → title of the datasets.

    Returns:
        The phrase.
    """
    return f"averaged over {len(names)} OOD datasets" if len(names) > 1 else f"on {titles[next(iter(names))]}"


def column_title(name: str, titles: Mapping[str, str], average: str = "Average") -> str:
    """The title of a column of a results table.

    Args:
        name: Catalogue name of an OOD dataset, or ``AVERAGE``.
        titles: Catalogue name → title of the datasets.
        average: The title of the column that averages the datasets.

    Returns:
        The title.
    """
    return average if name == AVERAGE else titles[name]
