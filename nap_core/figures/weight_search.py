"""The search for w: AUROC over w on pseudo-OOD images beside the OOD datasets (NAP paper, Appendix H)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core import methods
from nap_core.figures.curve_table import curve_table
from nap_core.figures.layout import (
    DOTTED,
    SHARE,
    TRANSPARENT,
    axis,
    base_layout,
    curves_over_x,
    legend,
    line,
    note,
    share_axis,
)
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.figures.text import averaged_over, percent

if TYPE_CHECKING:
    from nap_core.analysis.weight_search import WeightSearch

PSEUDO_TITLE = "distorted ID images"
HEIGHT = 340
NEAR = 0.01
"""A loss in FPR95 above this, a share, is named in the caption."""


def search_picture(search: WeightSearch, spec: str, titles: Mapping[str, str], colours: Mapping[str, str]) -> Picture:
    """AUROC over w on the pseudo-OOD images (dashed) and on each OOD dataset; uprights at the w found and at the best.

    Args:
        search: The result of the search with the curves on pseudo-OOD images and on the OOD datasets.
        spec: The combination that was searched.
        titles: Catalogue name → title of the OOD datasets.
        colours: Catalogue name → colour of the OOD datasets.

    Returns:
        The figure (Appendix H of the NAP paper). The best w is that of the lowest average FPR95 on the OOD datasets,
        which the search did not use.

    Raises:
        UserError: ``spec`` names no method.
    """
    traces = [line(search.pseudo.w, search.pseudo.auroc[0], NEUTRAL, 4, PSEUDO_TITLE, SHARE, dash="dash")]
    by_name = dict(zip(search.true.datasets, search.true.auroc, strict=True))
    traces += curves_over_x(search.true.w, by_name, titles, colours, widths=(1.8, 5, 1.8))
    axes = {"xaxis": axis("w", 2, range=[-0.02, 1.02]), "yaxis": share_axis("AUROC (higher is better)"), **TRANSPARENT}
    layout = base_layout(HEIGHT, (10, 34, 46, 56), hovermode="x unified", legend=legend(1.09, 11), **axes)
    figure = go.Figure(traces, layout)
    if search.oracle != search.w:
        _upright(figure, search.oracle, f"best w {search.oracle:g}", "dot", 0.0)
    _upright(figure, search.w, f"found {search.w:g}", "solid", 1.0)
    return Picture(figure, reading(search, spec, titles), _table(search), "w-search")


def _upright(figure: go.Figure, w: float, text: str, dash: str, height: float) -> None:
    label = note(text, w, height, yanchor="bottom" if height else "top", xanchor="left")
    figure.add_vline(x=w, line={**DOTTED, "dash": dash}, annotation=label)


def reading(search: WeightSearch, spec: str, titles: Mapping[str, str]) -> str:
    """The w of the search, its FPR95, and the difference from the best w, which needs the OOD images.

    Args:
        search: The result of the search.
        spec: The combination that was searched, for example "nap+energy".
        titles: Catalogue name → title of the OOD datasets.

    Returns:
        A sentence: FPR95 in percent, averaged over the OOD datasets, and the loss in percentage points.

    Raises:
        UserError: ``spec`` names no method.
    """
    here = int(np.argmin(np.abs(search.true.w - search.w)))
    average, lost = float(search.true.average("fpr95")[here]), search.lost()
    where = averaged_over(search.true.datasets, titles)
    first = f"The search gives {methods.title(spec)} w = {search.w:g}: FPR95, {where}, is {percent(average)} there"
    if lost == 0:
        return f"{first}, the lowest there is."
    return f"{first}, {100 * lost:.1f} points above the lowest, which w = {search.oracle:g} has."


def unknowable(search: WeightSearch, titles: Mapping[str, str]) -> str:
    """On which OOD datasets the search lost more than a point of FPR95 against their own best w.

    Args:
        search: The result of the search.
        titles: Catalogue name → title of the OOD datasets.

    Returns:
        Two sentences, the losses in percentage points; "" where no dataset lost more than ``NEAR``.
    """
    worse = {name: search.lost(name) for name in search.true.datasets if search.lost(name) > NEAR}
    if not worse:
        return ""
    named = ", ".join(f"{titles[name]} ({100 * value:.1f} points)" for name, value in worse.items())
    return (
        f"Against its own best w it loses more than a point on {named}. Distorted ID images represent images far from "
        "the training data, not OOD images that resemble it or that differ in another way."
    )


def steps_table(search: WeightSearch) -> pd.DataFrame:
    """The steps of the binary search (Appendix H of the NAP paper).

    Args:
        search: The result of the search.

    Returns:
        A row a step: the bounds, w and the next larger w with their AUROC on pseudo-OOD images in percent, and the side
        on which the search goes on.
    """
    return pd.DataFrame(
        {
            "between": f"{step.low:g} and {step.high:g}",
            "w": step.w,
            "AUROC": 100 * step.auroc,
            "next w": step.w_next,
            "its AUROC": 100 * step.auroc_next,
            "goes on": "above" if step.goes_up else "at or below",
        }
        for step in search.steps
    )


def _table(search: WeightSearch) -> pd.DataFrame:
    """Both curves, one row a (dataset, w), shares."""
    tables = [
        curve_table(names, {"w": curve.w}, {"auroc": curve.auroc, "fpr95": curve.fpr95}, dataset="dataset")
        for curve, names in ((search.pseudo, [PSEUDO_TITLE]), (search.true, search.true.datasets))
    ]
    return pd.concat(tables, ignore_index=True)
