"""Methods that separate OOD images worse than chance: often a parameter that was published for another network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nap_core import methods
from nap_core.methods import EvaluationData

CHANCE = 0.5


def is_below(areas: Sequence[float]) -> bool:
    """Whether the AUROC over OOD datasets, shares, lies below chance: on average, or on more than half of them.

    The average alone is not enough: sets of noise, which nearly every method tells apart, hide what happens to images.
    """
    values = np.asarray(areas)
    return bool(len(values)) and bool(values.mean() < CHANCE or (values < CHANCE).mean() > CHANCE)


def sentence(data: EvaluationData, spec: str, areas: Mapping[str, float]) -> str:
    """What is said of a method that lies below chance; empty where it does not.

    Args:
        data: the network and the images.
        spec: the method, by name.
        areas: its AUROC by OOD dataset, shares.

    Returns:
        One sentence with the numbers and the parameters that may be the cause.
    """
    values = list(areas.values())
    if not is_below(values):
        return ""
    method = methods.parse(spec)
    said = f"{method.title} lies below chance: AUROC {100 * float(np.mean(values)):.1f} %"
    if len(values) > 1:
        under = sum(value < CHANCE for value in values)
        said += f" on average, under 50 % on {under} of {len(values)} OOD datasets"
    foreign = methods.foreign_defaults(method, data.context, data.id.activations)
    if foreign:
        return f"{said}; its default is {' and '.join(foreign.values())}."
    unset = any(one.search and one.name not in dict(method.settings) for one in method.record.parameters)
    return f"{said} at its default parameters." if unset else f"{said}."
