"""The search for the parameters of a method, which needs no OOD image.

It compares values as the search for w does, ``combination.W`` (``weight_search``): by the AUROC of ID
images against the same images distorted. A search returns a method with its values; the caller passes it on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nap_core import methods, metrics
from nap_core.activations import Activations
from nap_core.analysis import distorted_images
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, Method, Parameter, ScoringContext, Value, refusals
from nap_core.storage.progress import NO_CALLBACKS, RunCallbacks

ROUNDS = 2
"""How often each of several parameters is searched, the others held at their best so far."""


@dataclass(frozen=True)
class Tried:
    """The values of one parameter that were compared in its last round, with the AUROC of each, shares; NaN for a value
    at which the method cannot run."""

    name: str
    values: tuple[Value, ...]
    aurocs: tuple[float, ...]


@dataclass(frozen=True)
class ParameterSearch:
    """What a search found.

    Attributes:
        method: The method that was searched, by name.
        found: The method with the values found, by name: what is at its default is left out.
        before: The AUROC of ``method`` on the pseudo-OOD images, a share.
        auroc: That of ``found``.
        tried: What was compared, by parameter.
    """

    method: str
    found: str
    before: float
    auroc: float
    tried: tuple[Tried, ...]

    def sentence(self) -> str:
        """What was found, for a reader."""
        settings = ", ".join(f"{name} = {value}" for name, value in methods.parse(self.found).settings)
        said = f"{methods.title(self.method)}: {settings or 'the defaults'} searched on distorted images, without any "
        return f"{said}OOD image (AUROC on them {100 * self.auroc:.1f} %, {100 * self.before:.1f} % before)."


def searchable(method: Method) -> tuple[Parameter, ...]:
    """The parameters of a method, of a combination those of the method that is no prior, that have a search space."""
    return tuple(parameter for parameter in method.record.parameters if parameter.search)


def refusal(method: Method) -> UserError | None:
    """Why the parameters of ``method`` cannot be searched on stored activations; None where they can."""
    if not searchable(method):
        return UserError(f"{method.title} has no parameter to search.")
    if method.own_pass:
        return UserError(
            f"{method.title} runs the network again for every value, which this search does not. Give its parameters."
        )
    return None


def candidates(
    method: Method, parameter: Parameter, context: ScoringContext, activations: Activations | None = None
) -> tuple[Value, ...]:
    """The values of a parameter that are compared on this network and fit split.

    Those of its search space within its limits here, ``refusals.bounds``, and the one that the method runs at.
    """
    used = refusals.used_parameters(method, context, activations)[parameter.name]
    if parameter.choices:
        return tuple(dict.fromkeys([used, *parameter.search]))
    low, high, _why = refusals.bounds(parameter, context, activations)
    return tuple(sorted({used, *(value for value in parameter.search if low <= float(value) <= high)}, key=float))


def search(
    data: EvaluationData,
    pseudo: ImageSet,
    spec: str,
    *,
    w: float | None = None,
    callbacks: RunCallbacks = NO_CALLBACKS,
) -> ParameterSearch:
    """The search for the parameters of a method.

    One parameter after the other runs through its values; with several, twice. Among equals the value stays.

    Args:
        data: The ID images, the network and the fit split; the OOD images are not used.
        pseudo: The pseudo-OOD images, as ``distorted_images.extracted`` gives them.
        spec: The method, by name.
        w: The w of a combination; None for the published one.
        callbacks: Cancellation, and progress of what is still to be extracted.

    Returns:
        The values found, and what was compared.

    Raises:
        UserError: As ``refusal``, and as ``methods.scored`` does where the method runs at no value.
        ExtractionStopped: On request.
    """
    method, activations = methods.parse(spec), data.id.activations
    if error := refusal(method):
        raise error
    context = _context(method, data.context, callbacks)
    area = _Area(context, distorted_images.sources(data, pseudo), pseudo, w, callbacks)
    axes = {one.name: candidates(method, one, context, activations) for one in searchable(method)}
    used = refusals.used_parameters(method, context, activations)
    values, before = dict(used), area(method)
    tried: dict[str, Tried] = {}
    for _round in range(ROUNDS if len(axes) > 1 else 1):
        for name, options in axes.items():
            aurocs = tuple(area(_with(method, values | {name: one})) for one in options)
            tried[name] = Tried(name, options, aurocs)
            values[name] = _best(options, aurocs, values[name])
    auroc = area(_with(method, values))
    if np.isnan(auroc):
        raise area.error or UserError(f"{method.title} cannot be searched here.")
    settings = {
        parameter.name: values[parameter.name]
        for parameter in method.record.parameters
        if values[parameter.name] != used[parameter.name]
        or (parameter.name in dict(method.settings) and values[parameter.name] != _default(parameter, context))
    }
    return ParameterSearch(spec, _with(method, settings).spec, before, auroc, tuple(tried.values()))


def _default(parameter: Parameter, context: ScoringContext) -> Value:
    return parameter.default_for(context.trained_on)


def _with(method: Method, settings: dict[str, Value]) -> Method:
    return replace(method, settings=tuple(settings.items()))


def _best(options: Sequence[Value], aurocs: Sequence[float], current: Value) -> Value:
    """The value of the highest AUROC; ``current`` among equals, else the first."""
    area = dict(zip(options, aurocs, strict=True))
    known = {value: one for value, one in area.items() if not np.isnan(one)}
    if not known:
        return current
    highest = max(known.values())
    return current if known.get(current) == highest else next(value for value in known if known[value] == highest)


def _context(method: Method, context: ScoringContext, callbacks: RunCallbacks) -> ScoringContext:
    """The context with its fit split at hand, where the method needs one."""
    if not method.fits:
        return context
    return replace(context, fit_activations=context.fit(method.title, callbacks).activations)


@dataclass
class _Area:
    """The AUROC of a method between ID images and pseudo-OOD images, a share, computed once a method."""

    context: ScoringContext
    sources: ImageSet
    pseudo: ImageSet
    w: float | None
    callbacks: RunCallbacks

    def __post_init__(self) -> None:
        self.known: dict[str, float] = {}
        self.error: UserError | None = None

    def __call__(self, method: Method) -> float:
        """NaN where the method cannot run; ``error`` says why."""
        self.callbacks.raise_if_stopped()
        if method.spec not in self.known:
            self.known[method.spec] = self._measured(method)
        return self.known[method.spec]

    def _measured(self, method: Method) -> float:
        # A context of its own for each value: what a method has fitted, all neighbours say, goes with it.
        context = replace(self.context)
        try:
            known, other = (
                methods.scored(method, part, context, w=self.w).scores for part in (self.sources, self.pseudo)
            )
        except UserError as error:
            self.error = error
            return float("nan")
        if not (np.isfinite(known).all() and np.isfinite(other).all()):
            return float("nan")
        return metrics.auroc(known, other)
