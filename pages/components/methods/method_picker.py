"""The choice of methods, in one row: those that are chosen, the catalogue to add from, and their parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from nap_core import methods
from nap_core.analysis.evaluation import MethodScores
from nap_core.analysis.parameter_search import searchable
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, Method, Parameter, Weight
from nap_core.studies.study import SEARCHED, Study
from pages.components.methods import parameter_search, selected_methods
from pages.components.methods.method_catalogue import ask_for_catalogue, show_catalogue
from pages.components.runs import method_run
from pages.components.study import workspace

_BOX = "methods-box"


def scores(study: Study, data: EvaluationData) -> list[MethodScores]:
    """The scores under the chosen methods, in their order; what stands in the way of some is drawn here.

    The page ends here, with a sentence, when none of the chosen methods has scores.
    """
    specs = selected_methods.current()
    able, waits, unable = method_run.ready(study, data, specs)
    rows = []
    with st.spinner("Scoring …"):
        for spec in able:
            try:
                rows.append(workspace.scores(study, data, spec))
            except UserError as error:
                unable[spec] = str(error)
    method_run.offer(study, data, waits)
    method_run.explain({spec: unable[spec] for spec in specs if spec in unable})
    if not rows:
        if not specs:
            st.info("Pick a method to see its scores.", icon=":material/info:")
        st.stop()
    say_searched(workspace.weights(study, data, able))
    return rows


def say_searched(weights: Mapping[str, Weight]) -> None:
    """Those of ``weights``, by method, that were searched, in a line below the methods."""
    searched = [f"{methods.title(spec)} {one.w:g}" for spec, one in weights.items() if one.origin == SEARCHED]
    if searched:
        st.caption(f"w searched on distorted images, without any OOD image: {', '.join(searched)}.")


def row(trained_on: str | None = None) -> None:
    """Draw the row: the chosen methods, which can be taken away; the catalogue; parameters. The address follows.

    ``trained_on`` is the benchmark whose defaults are shown; None for that of the visitor's study.
    """
    selected_methods.write_address()
    specs = selected_methods.current()
    offered = dict.fromkeys([*specs, *methods.RECORDS, *methods.COMBINATIONS])
    with st.container(horizontal=True, vertical_alignment="bottom", key="method-picker"):
        st.session_state[_BOX] = list(specs)
        st.multiselect(
            "Methods",
            list(offered),
            format_func=methods.title,
            key=_BOX,
            on_change=lambda: selected_methods.choose(st.session_state[_BOX]),
            placeholder="Type a name, or add methods from the catalogue",
            width="stretch",
        )
        st.button("Add methods", icon=":material/add:", key="add-methods", on_click=ask_for_catalogue)
        show_catalogue()
        tunable = [position for position, spec in enumerate(specs) if _parameters(methods.parse(spec))]
        if tunable:
            with st.popover("Parameters", icon=":material/tune:", key="method-parameters"):
                method = _tune(specs, tunable, trained_on or workspace.current_study().trained_on)
                if trained_on is None:
                    _offer_search(method)


def _parameters(method: Method) -> list[tuple[bool, Parameter]]:
    """Every parameter of a method, those of its prior (True) first."""
    return [
        (part is method.prior, parameter)
        for part in (method.prior, method.alone)
        if part is not None
        for parameter in part.record.parameters
    ]


def _offer_search(method: Method) -> None:
    """The search for the parameters of a method on the visitor's study, once the study has run."""
    study = workspace.current_study()
    data = workspace.activations(study)
    if data is not None and searchable(method):
        parameter_search.offer(study, data, method.spec, key="tuned-search")


def _tune(specs: Sequence[str], tunable: Sequence[int], trained_on: str) -> Method:
    """The parameters of one of the chosen methods: a box or a field each, what it means, its default and its source."""
    # Not NAP's own ε at first, which hardly anybody changes, when there is another.
    first = next((position for position in tunable if _has_own(specs[position])), tunable[0])
    before = st.session_state.get("tuned-method")
    st.session_state["tuned-method"] = before if before in tunable else first
    position = st.selectbox(
        "Method", list(tunable), format_func=lambda at: methods.title(specs[at]), key="tuned-method", filter_mode=None
    )
    method = methods.parse(specs[position])
    for of_prior, parameter in _parameters(method):
        part = method.prior if of_prior and method.prior else method.alone
        key = f"parameter-{position}-{part.record.name}-{parameter.name}"
        st.session_state[key] = part.parameters(trained_on)[parameter.name]
        name = f"{part.record.title}: {parameter.name}" if method.prior else parameter.name
        given: dict[str, Any] = {
            "key": key,
            "on_change": _tuned,
            "args": (position, of_prior, parameter, key, trained_on),
        }
        if parameter.choices:
            st.selectbox(name, parameter.choices, filter_mode=None, **given)
        else:
            st.number_input(name, **_range(parameter), **given)
        st.caption(_about(parameter, trained_on))
    return method


def _has_own(spec: str) -> bool:
    record = methods.parse(spec).record
    return bool(record.parameters) and not record.prior


def _about(parameter: Parameter, trained_on: str) -> str:
    """What it means, its default here, and where that comes from."""
    default = parameter.default_for(trained_on)
    said = default if isinstance(default, str) else f"{default:g}"
    where = f" for {trained_on}" if trained_on in parameter.by_benchmark else ""
    return f"{parameter.meaning[:1].upper()}{parameter.meaning[1:]}. Default {said}{where} ({parameter.source})."


def _range(parameter: Parameter) -> dict[str, Any]:
    """What a number field needs to know: bounds, the step of its buttons, how it prints."""
    kind = int if isinstance(parameter.default, int) else float
    low, high = (None if math.isinf(end) else kind(end) for end in (parameter.low, parameter.high))
    if kind is int:
        return {"min_value": low, "max_value": high, "step": 1, "format": "%d"}
    size = math.floor(math.log10(abs(float(parameter.default)))) if parameter.default else 0
    return {"min_value": low, "max_value": high, "step": 10.0 ** (size - 1), "format": "%g"}


def _tuned(position: int, of_prior: bool, parameter: Parameter, key: str, trained_on: str) -> None:
    """Write a changed parameter into the method's name; one that is back at its default is left out."""
    specs = list(selected_methods.current())
    method = methods.parse(specs[position])
    part = method.prior if of_prior and method.prior else method.alone
    settings = {**dict(part.settings), parameter.name: parameter.read(st.session_state[key])}
    if settings[parameter.name] == parameter.default_for(trained_on):
        del settings[parameter.name]
    part = replace(part, settings=tuple(settings.items()))
    whole = replace(method, prior=part) if of_prior else replace(part, prior=method.prior)
    specs[position] = whole.spec
    selected_methods.choose(specs)
