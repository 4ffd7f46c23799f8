"""Work that a method needs before its scores can be computed from stored activations, or why it cannot run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nap_core import datasets, methods
from nap_core.methods import EvaluationData


@dataclass(frozen=True)
class PendingWork:
    """``fit``: images of the fit split to be extracted. ``images``: images that an image-based method has still to
    score, by the title of the dataset. Empty, hence false, when the scores can be had at once."""

    fit: int
    images: Mapping[str, int]

    def __bool__(self) -> bool:
        return bool(self.fit or self.images)


def waiting(data: EvaluationData, spec: str) -> PendingWork:
    """The pending work of the method ``spec``; nothing is computed.

    Raises UserError when the method cannot run on these images or ``spec`` names no method.
    """
    method, context = methods.parse(spec), data.context
    methods.check(method, data.id, context)
    fit = methods.missing_fit(method, context)
    images = {datasets.title(name): methods.missing(method, part, context) for name, part in data.parts.items()}
    if method.own_pass and method.fits and not method.record.fits:  # its positive form is fitted on its own scores
        images["fit split"] = fit or methods.missing(method, context.fit(method.title), context)
    return PendingWork(fit, {title: count for title, count in images.items() if count})


def steps(data: EvaluationData, spec: str) -> int:
    """The number of passes of the method's own over the images of a dataset, its fit split included."""
    needs, method = waiting(data, spec), methods.parse(spec)
    return len(needs.images) + (method.record.fits and bool(needs.images))
