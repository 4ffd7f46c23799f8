"""The share of the forward pass that NAP adds, beside the paper's value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go

from nap_core.figures.compare_methods.lines import WITH_NAP
from nap_core.figures.layout import Style, axis, base_layout, marks
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.paper.published_tables import PAPER_SECONDS, PAPER_SHARE, PAPER_TOTAL

if TYPE_CHECKING:
    from nap_core.analysis.overhead import Cost

HEIGHT = 240
_TICKS = (0.001, 0.01, 0.1, 1, 10)


def cost_picture(cost: Cost) -> Picture:
    """NAP's share of the forward pass on a log scale: each repeat, their median, and the paper's (section 6.5).

    Args:
        cost: The shares of every repeat and the seconds of the median one.

    Returns:
        The figure; its table holds one row a repeat, the median and the paper's share.
    """
    here, percents = f"{cost.model},<br>{cost.device}", [100 * share for share in cost.shares]
    dots, each = {"color": WITH_NAP, "size": 9, "opacity": 0.35}, "%{x:.4f} %<extra>one repeat</extra>"
    traces = [marks(percents, [here] * len(percents), dots, "each repeat", each)]
    kinds = ((here, cost.share, WITH_NAP, "median"), ("the paper", PAPER_SHARE, NEUTRAL, "as published"))
    for place, share, colour, name in kinds:
        marker, hover = {"color": colour, "size": 17, "symbol": "diamond"}, f"{name}: %{{x:.4f}} %<extra></extra>"
        text = {"text": [f"<b>{_share(share)}</b>"], "textposition": "top center", "textfont": {"size": 15}}
        more = {"mode": "markers+text", "cliponaxis": False, **text}
        traces.append(marks([100 * share], [place], marker, name, hover, **more))
    ticks: Style = {"tickvals": _TICKS, "ticktext": [f"{tick:g}\xa0%" for tick in _TICKS]}
    xaxis = axis("what NAP adds to the forward pass", type="log", range=[-3, 1], **ticks)
    yaxis = axis(automargin=True, range=[-0.6, 1.8], ticksuffix="  ")
    layout = base_layout(HEIGHT, (20, 30, 50, 10), showlegend=False, xaxis=xaxis, yaxis=yaxis)
    return Picture(go.Figure(traces, layout), reading(cost), _table(cost), "cost")


def reading(cost: Cost) -> str:
    """The median share and its seconds, beside the paper's (section 6.5).

    Args:
        cost: The shares of every repeat and the seconds of the median one.

    Returns:
        The caption of the figure, two sentences.
    """
    return (
        f"On this device ({cost.device}) NAP adds {_share(cost.share)} to the forward pass of {cost.model}: "
        f"{_time(cost.nap_seconds)} to {_time(cost.forward_seconds)} for {cost.images:,} images, the median of "
        f"{cost.repeats} repeats. The paper measured {_share(PAPER_SHARE)} ({PAPER_SECONDS} s of {PAPER_TOTAL} s) on "
        "ImageNet-1k."
    )


def _share(share: float) -> str:
    """A small share in percent with three significant digits."""
    return f"{100 * share:.3g}\N{NO-BREAK SPACE}%"


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def _table(cost: Cost) -> pd.DataFrame:
    measured = {"model": cost.model, "device": cost.device, "images": cost.images, "batch": cost.batch}
    rows = [{**measured, "repeat": turn, "share": share} for turn, share in enumerate(cost.shares, start=1)]
    rows.append({**measured, "repeat": "median", "share": cost.share})
    rows.append({"model": "paper, section 6.5", "repeat": "as published", "share": PAPER_SHARE})
    return pd.DataFrame(rows)
