"""The values of images of more than 8 bits → 8 bits, by one window for a whole dataset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nap_core.datasets.images import Pixels

Family = Literal["whole", "float"]


@dataclass(frozen=True)
class ValueRange:
    """The least and the greatest value of an image or of several, and whether they are whole numbers."""

    family: Family
    low: float
    high: float


@dataclass(frozen=True)
class Window:
    """The values that become black and white. Values outside are cut."""

    low: float
    high: float

    def apply(self, values: NDArray[Any]) -> Pixels:
        """``values`` in 8 bits, of the same shape."""
        scaled = values.astype(np.float64)
        scaled -= self.low
        scaled *= 255 / (self.high - self.low)
        return np.rint(np.clip(scaled, 0, 255, out=scaled), out=scaled).astype(np.uint8)


def family_of(dtype: np.dtype[Any]) -> Family:
    """Whether an array's values are whole numbers."""
    return "float" if dtype.kind == "f" else "whole"


def joined(ranges: Iterable[ValueRange]) -> ValueRange:
    """The range of several images of one family."""
    every = list(ranges)
    return ValueRange(every[0].family, min(one.low for one in every), max(one.high for one in every))


def window_for(values: ValueRange) -> Window:
    """The window that a dataset's values suggest.

    Whole numbers: from 0 to the greatest value of the fewest bits, at least 8. Floats: 0 … 1, −1 … 1 or 0 … 255, where
    they fit. All others: from the least to the greatest value.
    """
    low, high = values.low, values.high
    if values.family == "whole":
        if low >= 0:
            return Window(0, max(255, 2 ** int(high).bit_length() - 1))
    else:
        for black, white in ((0, 1), (-1, 1), (0, 255)):
            if black <= low and high <= white:
                return Window(black, white)
    return Window(low, high if high > low else low + 1)


def sentence(values: ValueRange, window: Window, what: str, *, said: bool) -> str:
    """What was done with the values of ``what``, for the dataset's notes."""
    how = "as was said" if said else "write :black..white behind the name to change it"
    return (
        f"{what} has values from {_number(values.low)} to {_number(values.high)}: {_number(window.low)} is shown "
        f"black and {_number(window.high)} white in the whole dataset ({how})."
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"
