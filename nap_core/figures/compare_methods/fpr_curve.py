"""FPR over TPR: what each method lets through when more, or fewer, ID images have to be kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core import metrics
from nap_core.analysis.comparison import fpr_at_tprs
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.compare_methods.lines import line_styles
from nap_core.figures.compare_methods.words import against_words, join
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent
from nap_core.figures.score_histograms import label

TPRS = np.round(np.arange(0.80, 0.9901, 0.0025), 4)
_HEIGHT = 460


def fpr_curves(
    rows: Sequence[MethodScores],
    against: Sequence[str],
    opened: str,
    titles: Mapping[str, str],
    *,
    averaged: bool = False,
) -> Picture:
    """FPR at TPR 80 to 99 % against the OOD datasets ``against`` taken together, a line a method as in the ROC figure.

    With ``averaged`` the FPR is the mean of the datasets', each counted once however many images it has. The dotted
    line is FPR95. The table holds one row a method and TPR, as shares.
    """
    figure = go.Figure()
    figure.add_vline(x=metrics.TPR, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    lines = line_styles(rows, against, opened)
    curves: dict[str, np.ndarray] = {}
    table = []
    for rank, row in enumerate(rows):
        curve = curves[row.title] = _curve(row, against, averaged)
        line = lines[row.method]
        figure.add_scatter(
            x=TPRS,
            y=curve,
            name=label(row),
            mode="lines",
            line={"color": line.colour, "dash": line.dash, "width": line.width},
            opacity=line.opacity,
            showlegend=line.named,
            zorder=rank + len(rows) * (line.named + (row.method == opened)),
            hovertemplate=f"{label(row)}<br>TPR %{{x:.1%}}, FPR %{{y:.1%}}<extra></extra>",
        )
        where = {"method": row.method, "w": row.w, "ood": "+".join(against)}
        table += [{**where, "tpr": tpr, "fpr": fpr} for tpr, fpr in zip(TPRS, curve, strict=True)]
    figure.update_xaxes(title="TPR: ID images accepted", range=[0.798, 0.992], tickformat=".0%")
    figure.update_yaxes(title="FPR: OOD images taken for ID", range=[-0.015, 1.03], tickformat=".0%", automargin=True)
    figure.update_layout(
        height=_HEIGHT,
        margin={"t": 76, "b": 50, "l": 10, "r": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left", "font": {"size": 12}},
        hovermode="closest",
    )
    met = f"on average over {len(against)} OOD datasets" if averaged and len(against) > 1 else ""
    return Picture(
        figure,
        _reading(curves, met or f"against {against_words(against, titles)}"),
        pd.DataFrame(table),
        "fpr-over-tpr",
    )


def _curve(row: MethodScores, against: Sequence[str], averaged: bool) -> np.ndarray:
    if averaged:
        return np.mean([fpr_at_tprs(row.id, row.ood[name], TPRS) for name in against], axis=0)
    return fpr_at_tprs(row.id, np.concatenate([row.ood[name] for name in against]), TPRS)


def _reading(curves: Mapping[str, np.ndarray], met: str) -> str:
    low, high = _fewest(curves, 0), _fewest(curves, -1)
    start = f"{met[:1].upper()}{met[1:]}, "
    if low[0] == high[0]:
        return f"{start}{low[0]} let the fewest pass from TPR 80\xa0% ({low[1]}) to TPR 99\xa0% ({high[1]})."
    return f"{start}{low[0]} let the fewest pass at TPR 80\xa0% ({low[1]}), {high[0]} at TPR 99\xa0% ({high[1]})."


def _fewest(curves: Mapping[str, np.ndarray], position: int) -> tuple[str, str]:
    """The methods with the lowest FPR as it is printed, and that FPR."""
    printed = {name: percent(float(curve[position])) for name, curve in curves.items()}
    lowest = percent(min(float(curve[position]) for curve in curves.values()))
    leaders = [name for name, value in printed.items() if value == lowest]
    return (join(leaders) if len(leaders) <= 3 else f"{len(leaders)} of {len(curves)} methods"), lowest
