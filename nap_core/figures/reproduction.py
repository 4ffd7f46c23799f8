"""Published and measured of one table of the paper: a panel a dataset, a row a method, ring and dot."""

from __future__ import annotations

import pandas as pd
from plotly.subplots import make_subplots

from nap_core.figures.compare_methods import pareto_picture
from nap_core.figures.palette import ID_COLOUR, NEUTRAL
from nap_core.figures.picture import Picture
from nap_core.paper.running import Reproduced
from nap_core.paper.tables import HERE, METRICS, PAPER, by_dataset, by_metric, datasets_of

ROW_HEIGHT, HEAD_HEIGHT, PANEL_WIDTH, LABELS = 26, 120, 110, 150


def picture_of(done: Reproduced, metric: str) -> Picture | None:
    """The figure of an entry that was run; None for one whose numbers are its table. ``metric`` is "fpr95" or "auroc"
    and chooses where there are both."""
    if done.entry.kind == "accuracy":
        return _pareto(done)
    if done.entry.kind in ("curves", "oracle", "cost"):
        return None
    if done.entry.kind == "weights":
        table = by_metric(done)
        return _dumbbells(done, [(METRICS["w"], _panel(table, METRICS["w"]), "")], METRICS["w"], reading(done, "w"))
    table = by_dataset(done, metric)
    panels = [(name, _panel(table, name), " %") for name in datasets_of(table)]
    return _dumbbells(done, panels, METRICS[metric], reading(done, metric))


def width(done: Reproduced) -> int:
    """The least width, in pixels, at which the panels can be read."""
    return LABELS + PANEL_WIDTH * (len(done.titles) + 1)


def _panel(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The columns paper and here of one dataset, NaN where there is none."""
    none = pd.Series(float("nan"), index=table.index)
    return pd.DataFrame({which: table.get((name, which), none) for which in (PAPER, HERE)})


def _dumbbells(done: Reproduced, panels: list[tuple[str, pd.DataFrame, str]], axis: str, said: str) -> Picture:
    figure = make_subplots(
        rows=1,
        cols=len(panels),
        shared_yaxes=True,
        subplot_titles=[name for name, _, _ in panels],
        horizontal_spacing=0.12 / len(panels),
    )
    rows = []
    for place, (name, panel, suffix) in enumerate(panels, start=1):
        both = panel.dropna()
        for label, values in both.iterrows():
            figure.add_scatter(
                x=list(values),
                y=[label, label],
                mode="lines",
                line={"color": NEUTRAL, "width": 2},
                showlegend=False,
                hoverinfo="skip",
                row=1,
                col=place,
            )
        marks = (
            (PAPER, "published", {"color": "rgba(0,0,0,0)", "size": 11, "line": {"color": NEUTRAL, "width": 2}}),
            (HERE, "measured here", {"color": ID_COLOUR, "size": 8}),
        )
        for column, legend, marker in marks:
            figure.add_scatter(
                x=panel[column],
                y=panel.index,
                mode="markers",
                name=legend,
                legendgroup=legend,
                showlegend=place == _first_with(panels, column),
                marker=marker,
                hovertemplate=f"%{{y}}<br>{legend}: %{{x:.2f}}{suffix}<extra>{name}</extra>",
                row=1,
                col=place,
            )
        # A point is as long in every panel.
        figure.update_xaxes(ticksuffix=suffix.strip(), nticks=4, automargin=True, matches="x", row=1, col=place)
        rows += [
            {"row": label, "dataset": name, "published": values[PAPER], "measured": values[HERE]}
            for label, values in panel.iterrows()
        ]
    if axis == METRICS["w"]:
        figure.update_xaxes(range=[0, 1], dtick=0.1)
    order = list(panels[0][1].index)
    figure.update_yaxes(automargin=True, categoryorder="array", categoryarray=order, range=[len(order) - 0.5, -0.5])
    figure.update_annotations(font={"size": 12})
    figure.update_layout(
        height=HEAD_HEIGHT + ROW_HEIGHT * len(order),
        margin={"t": 66, "b": 36, "l": 10, "r": 20},
        legend={"orientation": "h", "yref": "container", "y": 0.995, "yanchor": "top", "x": 0, "xanchor": "left"},
        hovermode="closest",
    )
    return Picture(figure, said, pd.DataFrame(rows).assign(metric=axis), f"reproduced-{done.entry.name}")


def _first_with(panels: list[tuple[str, pd.DataFrame, str]], column: str) -> int:
    """The first panel, from 1, that has a mark of this kind: it speaks for all in the legend."""
    return next((place for place, (_, panel, _) in enumerate(panels, start=1) if panel[column].notna().any()), 0)


def _pareto(done: Reproduced) -> Picture | None:
    told = done.table.dropna(subset=["measured"])
    wide = told.pivot_table(index=["row", "method"], columns="metric", values="measured", sort=False).reset_index()
    return pareto_picture(wide[["method", "id_accuracy", "auroc"]])


def reading(done: Reproduced, metric: str) -> str:
    """How many figures lie near their published ones, and which is farthest off."""
    table = done.table[(done.table["metric"] == metric)]
    both = table.dropna(subset=["difference"])
    name = METRICS[metric]
    if both.empty:
        what = "w" if metric == "w" else f"{name} of {len(set(table.dropna(subset=['measured'])['row']))} rows"
        return f"{what} on this study. The paper has no figure that could stand beside one of these."
    unit, near, word = (1, 0.1, "0.1") if metric == "w" else (100, 1, "1 point")
    apart = (unit * both["difference"]).to_numpy()
    farthest = int(abs(apart).argmax())
    row = both.iloc[farthest]
    ood = done.titles.get(row["ood"], "average")
    close = int((abs(apart) <= near + 1e-9).sum())
    where = "" if metric == "w" else f" on {ood}" if row["ood"] in done.titles else " on average"
    points = f"{abs(apart[farthest]):.2f}{'' if metric == 'w' else ' points'}"
    return (
        f"{close} of {len(both)} figures lie within {word} of the published {name}; farthest off is "
        f"{row['row']}{where}, {points} {'above' if apart[farthest] > 0 else 'below'} it."
    )
