"""FPR over TPR: the share of OOD images that each method accepts at other thresholds than that of FPR95."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core import metrics
from nap_core.analysis.comparison import fpr_at_tprs
from nap_core.figures.compare_methods.lines import line_styles, method_line, rates_layout
from nap_core.figures.compare_methods.words import against_words
from nap_core.figures.layout import DOTTED, share_axis
from nap_core.figures.picture import Picture
from nap_core.figures.text import join, percent

if TYPE_CHECKING:
    from nap_core.analysis.evaluation import MethodScores

TPRS = np.round(np.arange(0.80, 0.9901, 0.0025), 4)


def fpr_curves(
    rows: Sequence[MethodScores],
    against: Sequence[str],
    opened: str,
    titles: Mapping[str, str],
    *,
    averaged: bool = False,
) -> Picture:
    """FPR at TPR 80 to 99 %, a line a method as in the ROC figure; the dotted line is FPR95.

    Args:
        rows: The scores of at least one method.
        against: Catalogue names of the OOD datasets, taken together; at least one.
        opened: The method whose line is thick.
        titles: Catalogue name → title of the datasets.
        averaged: The FPR is the mean of the datasets', each counted once however many images it has.

    Returns:
        The figure; its table holds one row a method and TPR, as shares.

    Raises:
        ValueError: There is no method.
        UserError: A method is not in the catalogue.
    """
    figure = go.Figure()
    figure.add_vline(x=metrics.TPR, line={**DOTTED, "width": 1})
    lines = line_styles(rows, against, opened)
    curves: dict[str, np.ndarray] = {}
    table = []
    for row in rows:
        curve = curves[row.title] = _curve(row, against, averaged)
        figure.add_trace(method_line(row, lines[row.method], TPRS, curve, "<br>TPR %{x:.1%}, FPR %{y:.1%}"))
        where = {"method": row.method, "w": row.w, "ood": "+".join(against)}
        table += [{**where, "tpr": tpr, "fpr": fpr} for tpr, fpr in zip(TPRS, curve, strict=True)]
    xaxis = share_axis("TPR: ID images accepted", zoom=True, range=[0.798, 0.992])
    figure.update_layout(rates_layout(xaxis, "FPR: OOD images accepted as ID"))
    mean = f"on average over {len(against)} OOD datasets" if averaged and len(against) > 1 else ""
    caption = _reading(curves, mean or f"against {against_words(against, titles)}")
    return Picture(figure, caption, pd.DataFrame(table), "fpr-over-tpr")


def _curve(row: MethodScores, against: Sequence[str], averaged: bool) -> np.ndarray:
    if averaged:
        return np.mean([fpr_at_tprs(row.id, row.ood[name], TPRS) for name in against], axis=0)
    return fpr_at_tprs(row.id, np.concatenate([row.ood[name] for name in against]), TPRS)


def _reading(curves: Mapping[str, np.ndarray], where: str) -> str:
    low, high = _fewest(curves, 0), _fewest(curves, -1)
    start = f"{where[:1].upper()}{where[1:]}, {low[0]}"
    verb = "accepts" if low[0] in curves else "accept"
    if low[0] == high[0]:
        return f"{start} {verb} the fewest OOD images from TPR 80\xa0% ({low[1]}) to TPR 99\xa0% ({high[1]})."
    return f"{start} {verb} the fewest OOD images at TPR 80\xa0% ({low[1]}), {high[0]} at TPR 99\xa0% ({high[1]})."


def _fewest(curves: Mapping[str, np.ndarray], position: int) -> tuple[str, str]:
    """The methods with the lowest FPR as it is printed, and that FPR."""
    printed = {name: percent(float(curve[position])) for name, curve in curves.items()}
    lowest = percent(min(float(curve[position]) for curve in curves.values()))
    leaders = [name for name, value in printed.items() if value == lowest]
    return (join(leaders) if len(leaders) <= 3 else f"{len(leaders)} of {len(curves)} methods"), lowest
