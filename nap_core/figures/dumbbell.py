"""Published and measured values of one panel: a ring and a dot a row, joined by a line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from nap_core.figures.layout import INVISIBLE, Style, line, marks
from nap_core.figures.palette import ID_COLOUR, NEUTRAL


def dumbbells(
    labels: Sequence[str],
    published: Iterable[float],
    measured: Iterable[float],
    name: str,
    heads: Sequence[str],
    *,
    suffix: str = " %",
    in_legend: tuple[bool, bool] = (True, True),
) -> list[Style]:
    """The traces of a panel of published and measured values.

    Args:
        labels: The names of the R rows.
        published: The value of each row in the paper, (R,), NaN for none.
        measured: The value of each row here, (R,), in the same unit, NaN for none.
        name: The title of the panel, for the hover text.
        heads: The first line of each row's hover text, (R,).
        suffix: The unit after each value of the hover text.
        in_legend: Whether the ring and the dot of this panel are in the legend.

    Returns:
        The lines, then the rings, then the dots.

    Raises:
        ValueError: ``labels``, ``published`` and ``measured`` differ in length.
    """
    values = {"published": list(published), "measured here": list(measured)}
    traces = [
        line(pair, [label, label], NEUTRAL, 2)
        for label, *pair in zip(labels, *values.values(), strict=True)
        if not any(map(math.isnan, pair))
    ]
    ring = {"color": INVISIBLE, "size": 12, "line": {"color": NEUTRAL, "width": 2}}
    dot = {"color": ID_COLOUR, "size": 9}
    for title, marker, shown in zip(values, (ring, dot), in_legend, strict=True):
        hover = f"%{{customdata}}<br>{title}: %{{x:.2f}}{suffix}<extra>{name}</extra>"
        shared = {"legendgroup": title, "showlegend": shown, "customdata": heads}
        traces.append(marks(values[title], labels, marker, title, hover, **shared))
    return traces


def agreement(
    differences: Sequence[float], what: str, rows: Sequence[str], near: float = 1, unit: str = "point"
) -> str:
    """How many measured values lie near the published ones, and which is farthest off, in a sentence.

    Args:
        differences: Measured less published, in the unit of ``near``.
        what: The title of the metric.
        rows: The method, and the dataset where there are several, that each difference belongs to.
        near: The largest difference that is near.
        unit: The unit in the singular, "" for none.

    Returns:
        The sentence, with the size and the side of the largest difference.

    Raises:
        ValueError: There is no difference.
    """
    sizes = [abs(one) for one in differences]
    at = sizes.index(max(sizes))
    close, side = sum(one <= near + 1e-9 for one in sizes), "above" if differences[at] > 0 else "below"
    within, points = (f"{near:g} {unit}", f"{sizes[at]:.2f} {unit}s") if unit else (f"{near:g}", f"{sizes[at]:.2f}")
    return (
        f"{close} of {len(rows)} values lie within {within} of the published {what}; farthest off is {rows[at]}, "
        f"{points} {side} it."
    )
