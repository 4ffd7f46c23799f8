"""The search for w in a picture: what pseudo-OOD images said, and what the OOD images say (NAP paper, Appendix H)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core import methods
from nap_core.analysis.weight_search import PSEUDO, WeightSearch
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent

PSEUDO_TITLE = "distorted ID images"
HEIGHT = 340
NEAR = 0.01
"""A loss in FPR95 above this, a share, is named: the search could not know better."""


def search_picture(found: WeightSearch, spec: str, titles: Mapping[str, str], colours: Mapping[str, str]) -> Picture:
    """AUROC over w on the pseudo-OOD images (dashed) and on each OOD dataset; uprights at the w found and at the best.

    The best is that of the lowest average FPR95, which the search did not see.
    """
    figure = go.Figure()
    line = {"color": NEUTRAL, "width": 4, "dash": "dash"}
    figure.add_trace(_line(found.pseudo.w, found.pseudo.auroc[0], PSEUDO_TITLE, line))
    for name, values in zip(found.true.datasets, found.true.auroc, strict=True):
        figure.add_trace(_line(found.true.w, values, titles[name], {"color": colours[name], "width": 1.8}))
    if found.oracle != found.w:
        _upright(figure, found.oracle, f"best w {found.oracle:g}", "dot", 0.0)
    _upright(figure, found.w, f"found {found.w:g}", "solid", 1.0)
    figure.update_xaxes(title={"text": "w", "standoff": 2}, range=[-0.02, 1.02], zeroline=False, fixedrange=True)
    figure.update_yaxes(title={"text": "AUROC (higher is better)"}, tickformat=".0%", zeroline=False, fixedrange=True)
    figure.update_layout(
        height=HEIGHT,
        margin={"t": 10, "b": 46, "l": 56, "r": 34},
        hovermode="x unified",
        dragmode=False,
        legend={"orientation": "h", "x": 0, "y": 1.09, "yanchor": "bottom", "font": {"size": 11}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return Picture(figure, reading(found, spec, titles), _table(found), "w-search")


def _line(x: np.ndarray, y: np.ndarray, title: str, line: dict[str, object]) -> go.Scatter:
    return go.Scatter(x=x, y=y, mode="lines", line=line, name=title, hovertemplate="%{y:.1%}")


def _upright(figure: go.Figure, w: float, text: str, dash: str, height: float) -> None:
    anchor = "bottom" if height else "top"
    label = {"text": text, "y": height, "yanchor": anchor, "xanchor": "left", "showarrow": False}
    figure.add_vline(x=w, line={"color": NEUTRAL, "width": 1.5, "dash": dash}, annotation=label)


def reading(found: WeightSearch, spec: str, titles: Mapping[str, str]) -> str:
    """The w found, what it gives, and what it lost against the best w, which only the OOD images tell."""
    here = int(np.argmin(np.abs(found.true.w - found.w)))
    average, lost = float(found.true.average("fpr95")[here]), found.lost()
    several = len(found.true.datasets) > 1
    where = f"averaged over {len(found.true.datasets)} OOD datasets" if several else titles[found.true.datasets[0]]
    first = f"The search gives {methods.title(spec)} w = {found.w:g}: FPR95, {where}, is {percent(average)} there"
    if lost == 0:
        return f"{first}, the lowest there is."
    return f"{first}, {100 * lost:.1f} points above the lowest, which w = {found.oracle:g} has."


def unknowable(found: WeightSearch, titles: Mapping[str, str]) -> str:
    """On which OOD datasets the search lost more than a point of FPR95; empty for none."""
    worse = {name: found.lost(name) for name in found.true.datasets if found.lost(name) > NEAR}
    if not worse:
        return ""
    named = ", ".join(f"{titles[name]} ({100 * value:.1f} points)" for name, value in worse.items())
    return (
        f"Against its own best w it loses more than a point on {named}. Distorted ID images stand for images that are "
        "far from the known ones; of OOD images that resemble these, or that differ in another way, they tell nothing."
    )


def steps_table(found: WeightSearch) -> pd.DataFrame:
    """The steps of the search, one row each, AUROC in percent."""
    return pd.DataFrame(
        {
            "between": f"{step.low:g} and {step.high:g}",
            "w": step.w,
            "AUROC": 100 * step.auroc,
            "next w": step.w_next,
            "its AUROC": 100 * step.auroc_next,
            "goes on": "above" if step.goes_up else "at or below",
        }
        for step in found.steps
    )


def _table(found: WeightSearch) -> pd.DataFrame:
    """Both curves, one row a (dataset, w), shares."""
    rows = [
        (name, w, float(auroc), float(fpr95))
        for curve in (found.pseudo, found.true)
        for name, line, other in zip(curve.datasets, curve.auroc, curve.fpr95, strict=True)
        for w, auroc, fpr95 in zip(curve.w.tolist(), line, other, strict=True)
    ]
    return pd.DataFrame(rows, columns=["dataset", "w", "auroc", "fpr95"]).replace({"dataset": {PSEUDO: PSEUDO_TITLE}})
