"""NAP at several depths of a network: FPR95 or AUROC over depth, and maximum over mean at one layer (Figure 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis.channels.max_mean_points import Points, points_of_each, sampled
from nap_core.analysis.channels.separability import peak_curve, peak_factor
from nap_core.analysis.evaluation import MethodScores
from nap_core.analysis.layers import AVERAGE
from nap_core.figures.max_vs_mean.axes import ends
from nap_core.figures.palette import NEUTRAL
from nap_core.figures.picture import Picture, percent
from nap_core.methods import EvaluationData
from nap_core.metrics import METRIC_TITLES, Metric, auroc

HEIGHT, PANEL_HEIGHT = 380, 300
MOST_DRAWN = 2_000
"""Points of a panel. They are drawn as SVG: browsers allow few WebGL contexts a page, and six panels of so many points
are on the screen in a second."""
MOST_COUNTED = 1_000_000  # points of a panel from which on the first images of each dataset stand for all
ALIKE = 0.01  # shares that differ by less are called equal


def depth_picture(
    table: pd.DataFrame,
    layers: Sequence[str],
    whole: Mapping[str, str],
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    metric: Metric,
) -> Picture:
    """A metric of NAP over depth: a line an OOD dataset, a thick one their average where there are several.

    ``table`` is a ``layer_table`` with at least the rows of ``layers``, the earliest first; ``whole`` has for each of
    these what is said of it where there is room.
    """
    single = table[table["layers"].isin(layers)]
    wide = single.pivot(index="layers", columns="ood", values=metric).loc[list(layers)]
    names = [name for name in wide.columns if name != AVERAGE]
    names = [name for name in titles if name in names]
    figure = go.Figure()
    for name in names:
        figure.add_trace(_line(wide[name], [whole[one] for one in layers], titles[name], colours[name], 2.2))
    if len(names) > 1:
        figure.add_trace(_line(wide[AVERAGE], [whole[one] for one in layers], "average", NEUTRAL, 5))
    if metric == "auroc":
        figure.add_hline(y=0.5, line={"color": NEUTRAL, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(
        title={"text": "layer, in the order in which the network runs", "standoff": 6},
        type="category",
        categoryorder="array",
        categoryarray=list(layers),
        showgrid=False,
        fixedrange=True,
        automargin=True,
    )
    better = "higher" if metric == "auroc" else "lower"
    figure.update_yaxes(
        title=f"{METRIC_TITLES[metric]} of NAP ({better} is better)", tickformat=".0%", zeroline=False, fixedrange=True
    )
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 60, "r": 20, "t": 10, "b": 50},
        dragmode=False,
        hovermode="x unified",
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        plot_bgcolor="rgba(0,0,0,0)",
    )
    kept = single.assign(layer=[whole[one] for one in single["layers"]])
    return Picture(figure, depth_reading(table, layers, titles, metric), kept, f"layers-{metric}")


def _line(values: pd.Series[float], layers: Sequence[str], title: str, colour: str, width: float) -> go.Scatter:
    return go.Scatter(
        x=list(values.index),
        y=values.to_numpy(),
        mode="lines+markers",
        name=title,
        line={"color": colour, "width": width},
        marker={"size": 5 + 1.5 * width, "color": colour},
        customdata=list(layers),
        hovertemplate="%{y:.1%} at %{customdata}",
    )


def depth_reading(
    table: pd.DataFrame, layers: Sequence[str], titles: Mapping[str, str], metric: Metric = "auroc"
) -> str:
    """NAP's AUROC or FPR95 at each depth, and whether deeper is clearer, in a sentence."""
    average = table[(table["ood"] == AVERAGE) & table["layers"].isin(layers)].set_index("layers")[metric]
    values = [float(average[layer]) for layer in layers]
    names = [name for name in table["ood"].unique() if name != AVERAGE]
    where = f"on {titles[names[0]]}" if len(names) == 1 else f"on average over {len(names)} OOD datasets"
    what = f"NAP’s {METRIC_TITLES[metric]}"
    if len(layers) == 1:
        return f"{what} at {layers[0]}, {where}, is {percent(values[0])}."
    told = ", ".join(f"{percent(value)} at {layer}" for layer, value in zip(layers[:-1], values[:-1], strict=True))
    gains = values if metric == "auroc" else [-value for value in values]
    return f"{what}, {where}, is {told} and {percent(values[-1])} at {layers[-1]}: {_verdict(layers, gains)}."


def _verdict(layers: Sequence[str], values: Sequence[float]) -> str:
    """Whether the larger of ``values`` lie deeper."""
    best = layers[int(np.argmax(values))]
    if max(values) - min(values) < ALIKE:
        return "here depth makes no difference"
    if best == layers[-1]:
        if all(step > 0 for step in np.diff(values)):
            return "deeper is clearer, at every step"
        return "the deepest layer is the clearest, though not every step down is clearer than the one before"
    return f"here {best} is clearer than the deepest layer"


def layer_panel(
    data: EvaluationData,
    names: Sequence[str],
    scores: MethodScores,
    layer: str,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
) -> Picture:
    """Figure 5's panel of one layer: the ID images of ``data`` and its OOD datasets ``names`` under ``layer_scatter``.

    Of very many images the first of each dataset stand for all.
    """
    parts = {data.id_name: data.id, **{name: data.ood[name] for name in names}}
    activations = {name: part.activations for name, part in parts.items()}
    return layer_scatter(points_of_each(activations, most=MOST_COUNTED), scores, layer, titles, colours)


def wide_table(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """A row a layer or product, in percent: the average, the published one if any, then each OOD dataset."""
    several = table["ood"].nunique() > 2
    wide = table.pivot(index="layers", columns="ood").loc[table["layers"].unique()]
    columns = {"NAP at": [f"NAP({name})" for name in wide.index]}
    groups = {AVERAGE: "average", **titles} if several else dict(titles)
    for ood, title in groups.items():
        if ood in wide["auroc"]:
            for metric, name in METRIC_TITLES.items():
                columns[f"{name} {title}"] = 100 * wide[metric][ood].to_numpy()
        if ood == next(iter(groups)) and "published_auroc" in table:
            for metric, name in METRIC_TITLES.items():
                columns[f"{name} Table 7"] = 100 * wide[f"published_{metric}"][AVERAGE].to_numpy()
    return pd.DataFrame(columns)


def layer_scatter(
    parts: Sequence[Points],
    scores: MethodScores,
    layer: str,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    *,
    most: int = MOST_DRAWN,
) -> Picture:
    """Maximum over mean at one layer, a panel of Figure 5: ``parts`` has the ID dataset first.

    Points beyond ``most`` are sampled. Thick lines are the median maximum at each mean, over all points; the reading
    has the factor between ID and OOD peaks at the same mean, and NAP's AUROC against these OOD datasets joined.
    """
    drawn = sampled(parts, most)
    right, top = ends(parts)
    figure = go.Figure()
    for part in [*drawn[1:], drawn[0]]:
        figure.add_trace(
            go.Scatter(
                x=part.mean,
                y=part.maximum,
                mode="markers",
                marker={"size": 3, "opacity": 0.4, "color": colours[part.dataset]},
                name=titles[part.dataset],
                hoverinfo="skip",
                showlegend=False,
            )
        )
    curves = [peak_curve(part.mean, part.maximum) for part in parts]
    for part, curve in zip(parts, curves, strict=True):
        figure.add_trace(
            go.Scatter(
                x=curve.centre[curve.firm],
                y=curve.median[curve.firm],
                mode="lines",
                line={"color": colours[part.dataset], "width": 3},
                name=titles[part.dataset],
                hovertemplate="mean about %{x:.3g}: median maximum %{y:.3g}",
                showlegend=False,
            )
        )
    figure.update_xaxes(title={"text": "mean", "standoff": 4}, range=[0, right], zeroline=False, nticks=5)
    figure.update_yaxes(title={"text": "maximum", "standoff": 4}, range=[0, top], zeroline=False, nticks=6)
    figure.update_layout(
        height=PANEL_HEIGHT,
        margin={"l": 48, "r": 8, "t": 34, "b": 40},
        hovermode="closest",
        dragmode=False,
        plot_bgcolor="rgba(0,0,0,0)",
    )
    others = parts[1:]
    joined = peak_curve(
        np.concatenate([part.mean for part in others]), np.concatenate([part.maximum for part in others])
    )
    factor = peak_factor(curves[0], joined)
    met = np.concatenate([scores.ood[part.dataset] for part in others])
    peaks = "too few points to compare peaks" if np.isnan(factor) else f"ID peaks ×\N{NO-BREAK SPACE}{factor:.2f}"
    reading = f"**{layer}**: {peaks} at the same mean; NAP’s AUROC {percent(auroc(scores.id, met))}."
    table = pd.concat(
        [
            pd.DataFrame(
                {
                    "layer": layer,
                    "dataset": part.dataset,
                    "image": part.row,
                    "channel": part.channel,
                    "mean": part.mean,
                    "maximum": part.maximum,
                }
            )
            for part in drawn
        ],
        ignore_index=True,
    )
    return Picture(figure, reading, table, f"max_vs_mean_{layer}")
