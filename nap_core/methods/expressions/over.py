"""Aggregations of the channels' values of an image to one score: (N, C) → (N,)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
TOP = 0.1  # the share of the channels that "top" takes


@dataclass(frozen=True)
class Over:
    """``title`` as it is chosen, ``latex`` with {} for the channel's term, ``apply`` on (N, C)."""

    title: str
    latex: str
    apply: Callable[[Values], Values]


def _top(values: Values) -> Values:
    kept = max(1, round(TOP * values.shape[1]))
    mean: Values = np.partition(values, values.shape[1] - kept, axis=1)[:, -kept:].mean(axis=1)
    return mean


def _norm(values: Values) -> Values:
    # Divided by the largest first: squares of numbers that are finite need not be.
    scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    norm: Values = scale[:, 0] * np.sqrt(((values / scale) ** 2).sum(axis=1))
    return norm


OVER: Mapping[str, Over] = {
    "mean": Over("mean", r"\frac1C\sum_j {}", lambda values: values.mean(axis=1)),
    "sum": Over("sum", r"\sum_j {}", lambda values: values.sum(axis=1)),
    "median": Over("median", r"\operatorname{{median}}_j\; {}", lambda values: np.median(values, axis=1)),
    "top": Over("mean of the top 10 %", r"\operatorname{{mean}}_{{j \in \text{{top }} 10\,\%}}\; {}", _top),
    "largest": Over("largest", r"\max_j\; {}", lambda values: values.max(axis=1)),
    "smallest": Over("smallest", r"\min_j\; {}", lambda values: values.min(axis=1)),
    "norm": Over("Euclidean norm", r"\Bigl\| {} \Bigr\|_j", _norm),
}
