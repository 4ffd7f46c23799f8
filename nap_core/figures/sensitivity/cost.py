"""What NAP adds to the forward pass, beside the paper's figure."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis.overhead import PAPER_SECONDS, PAPER_SHARE, PAPER_TOTAL, Cost
from nap_core.figures.compare_methods.lines import WITH_NAP
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture

HEIGHT = 240
_TICKS = (0.001, 0.01, 0.1, 1, 10)


def cost_picture(cost: Cost) -> Picture:
    """NAP's share of the forward pass on a log scale: each repeat, their median, and what the paper measured."""
    here, there = f"{cost.model},<br>{cost.device}", "the paper"
    figure = go.Figure()
    percents = [100 * share for share in cost.shares]
    figure.add_scatter(
        x=percents, y=[here] * len(percents), mode="markers", name="each repeat",
        marker={"color": WITH_NAP, "size": 9, "opacity": 0.35}, hovertemplate="%{x:.4f} %<extra>one repeat</extra>",
    )  # fmt: skip
    for place, share, colour, name in (
        (here, cost.share, WITH_NAP, "median"),
        (there, PAPER_SHARE, NEUTRAL, "as published"),
    ):
        figure.add_scatter(
            x=[100 * share], y=[place], mode="markers+text", name=name, text=[f"<b>{_share(share)}</b>"],
            textposition="top center", textfont={"size": 15},
            marker={"color": colour, "size": 17, "symbol": "diamond"},
            hovertemplate=f"{name}: %{{x:.4f}} %<extra></extra>", cliponaxis=False,
        )  # fmt: skip
    figure.update_xaxes(
        type="log", title="what NAP adds to the forward pass", range=[-3, 1], fixedrange=True, zeroline=False,
        tickvals=_TICKS, ticktext=[f"{tick:g}\xa0%" for tick in _TICKS],
    )  # fmt: skip
    figure.update_yaxes(automargin=True, fixedrange=True, range=[-0.6, 1.8], ticksuffix="  ")
    figure.update_layout(
        height=HEIGHT, margin={"t": 20, "b": 50, "l": 10, "r": 30}, showlegend=False, dragmode=False,
        hovermode="closest",
    )  # fmt: skip
    return Picture(figure, reading(cost), _table(cost), "cost")


def reading(cost: Cost) -> str:
    """The share and what it is made of, beside the paper's."""
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
