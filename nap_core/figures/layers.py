"""NAP at several depths of a network: FPR95 or AUROC over depth, and maximum over mean at one layer (Figure 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nap_core.analysis.channels.max_mean_points import points_of_each, sampled
from nap_core.analysis.channels.separability import peak_curve, peak_factor
from nap_core.analysis.comparison import AVERAGE
from nap_core.figures.layout import (
    DOTTED,
    INVISIBLE,
    Style,
    axis,
    base_layout,
    curves_over_x,
    legend,
    line,
    marks,
    share_axis,
)
from nap_core.figures.max_vs_mean.axes import ends
from nap_core.figures.max_vs_mean.scatter import points_table
from nap_core.figures.picture import Picture
from nap_core.figures.text import BETTER, averaged_over, percent
from nap_core.metrics import METRIC_TITLES, Metric, auroc

if TYPE_CHECKING:
    from nap_core.analysis.channels.max_mean_points import Points
    from nap_core.analysis.evaluation import MethodScores
    from nap_core.methods import EvaluationData

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

    Args:
        table: A ``layer_table`` with at least the rows of ``layers``, metrics as shares.
        layers: The layers that are drawn, the earliest first.
        whole: Layer → its full description, for the hover text.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.
        metric: "fpr95" or "auroc".

    Returns:
        The figure; its table holds one row a (layer, OOD dataset).
    """
    single = table[table["layers"].isin(layers)]
    wide = single.pivot(index="layers", columns="ood", values=metric).loc[list(layers)]
    by_name = {name: wide[name].to_numpy() for name in titles if name in wide.columns}
    average = wide[AVERAGE].to_numpy() if len(by_name) > 1 else None
    more = {"mode": "lines+markers", "customdata": [whole[one] for one in layers]}
    hover = "%{y:.1%} at %{customdata}"
    traces = curves_over_x(list(layers), by_name, titles, colours, average, widths=(2.2, 5, 2.2), hover=hover, **more)
    for trace in traces:
        trace["marker"] = {"size": 5 + 1.5 * trace["line"]["width"], "color": trace["line"]["color"]}
    order: Style = {"type": "category", "categoryorder": "array", "categoryarray": list(layers)}
    xaxis = axis("layer, in the order of the forward pass", 6, showgrid=False, automargin=True, **order)
    yaxis = share_axis(f"{METRIC_TITLES[metric]} of NAP ({BETTER[metric]} is better)")
    axes = {"xaxis": xaxis, "yaxis": yaxis, "plot_bgcolor": INVISIBLE}
    layout = base_layout(HEIGHT, (10, 20, 50, 60), hovermode="x unified", legend=legend(), **axes)
    figure = go.Figure(traces, layout)
    if metric == "auroc":
        figure.add_hline(y=0.5, line=DOTTED)
    kept = single.assign(layer=[whole[one] for one in single["layers"]])
    return Picture(figure, depth_reading(table, layers, titles, metric), kept, f"layers-{metric}")


def depth_reading(
    table: pd.DataFrame, layers: Sequence[str], titles: Mapping[str, str], metric: Metric = "auroc"
) -> str:
    """The metric of NAP at each depth, and whether deeper layers separate better.

    Args:
        table: A ``layer_table`` with the rows "average" of ``layers``, metrics as shares.
        layers: The layers of the sentence, the earliest first.
        titles: Catalogue name → title of the OOD datasets.
        metric: "fpr95" or "auroc".

    Returns:
        A sentence with the average of the metric over the OOD datasets at each layer, in percent.
    """
    average = table[(table["ood"] == AVERAGE) & table["layers"].isin(layers)].set_index("layers")[metric]
    values = [float(average[layer]) for layer in layers]
    names = [name for name in table["ood"].unique() if name != AVERAGE]
    what = f"NAP’s {METRIC_TITLES[metric]}, {averaged_over(names, titles)},"
    if len(layers) == 1:
        return f"{what} is {percent(values[0])} at {layers[0]}."
    earlier = ", ".join(f"{percent(value)} at {layer}" for layer, value in zip(layers[:-1], values[:-1], strict=True))
    gains = values if metric == "auroc" else [-value for value in values]
    return f"{what} is {earlier} and {percent(values[-1])} at {layers[-1]}: {_verdict(layers, gains)}."


def _verdict(layers: Sequence[str], values: Sequence[float]) -> str:
    """Whether the larger of ``values`` lie deeper."""
    best = layers[int(np.argmax(values))]
    if max(values) - min(values) < ALIKE:
        return "the depth makes no difference"
    if best == layers[-1]:
        if all(step > 0 for step in np.diff(values)):
            return "every deeper layer separates better"
        return "the deepest layer separates best, though not every deeper layer separates better than the one before"
    return f"{best} separates better than the deepest layer"


def layer_panel(
    data: EvaluationData,
    names: Sequence[str],
    scores: MethodScores,
    layer: str,
    titles: Mapping[str, str],
    colours: Mapping[str, str],
) -> Picture:
    """Maximum over mean of a study at one layer, a panel of Figure 5 of the NAP paper.

    Beyond ``MOST_COUNTED`` points the first images of each dataset stand for all.

    Args:
        data: The activations of the ID images and of the OOD datasets at this layer.
        names: Catalogue names of the OOD datasets that are drawn, at least one.
        scores: S_NAP of the images at this layer, those of ``names`` included.
        layer: The name of the layer in the caption and in the table.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.

    Returns:
        The ``layer_scatter``.

    Raises:
        ValueError: As ``layer_scatter`` does.
    """
    parts = {data.id_name: data.id, **{name: data.ood[name] for name in names}}
    activations = {name: part.activations for name, part in parts.items()}
    return layer_scatter(points_of_each(activations, most=MOST_COUNTED), scores, layer, titles, colours)


def wide_table(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """FPR95 and AUROC of NAP at each layer and of its products over layers, as in Table 7 of the NAP paper.

    Args:
        table: A ``layer_table``, shares; with ``published_fpr95`` and ``published_auroc``, Table 7 is shown beside it.
        titles: Catalogue name → title of the OOD datasets, in the order of the columns.

    Returns:
        A row a layer or product, in percent: the average of several datasets, Table 7's if any, each OOD dataset.
    """
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
    """Maximum over mean at one layer, a panel of Figure 5 of the NAP paper.

    Thick lines are the median maximum at each mean, over all points. The caption holds the factor between ID and OOD
    peaks at the same mean, and NAP's AUROC against these OOD datasets joined.

    Args:
        parts: The points of each dataset, the ID dataset first, then at least one OOD dataset.
        scores: S_NAP of the images at this layer.
        layer: The name of the layer in the caption and in the table.
        titles: Catalogue name → title of the datasets.
        colours: Catalogue name → colour of the datasets.
        most: Points beyond this number are sampled.

    Returns:
        The figure; its table holds one row a point drawn.

    Raises:
        ValueError: There is no OOD dataset, or the scores are empty or not finite.
    """
    drawn = sampled(parts, most)
    right, top = ends(parts)
    traces = []
    for part in [*drawn[1:], drawn[0]]:
        dots = {"size": 3, "opacity": 0.4, "color": colours[part.dataset]}
        traces.append(marks(part.mean, part.maximum, dots, titles[part.dataset], showlegend=False))
    curves = [peak_curve(part.mean, part.maximum) for part in parts]
    hover = "mean about %{x:.3g}: median maximum %{y:.3g}"
    for part, curve in zip(parts, curves, strict=True):
        x, y = curve.centre[curve.firm], curve.median[curve.firm]
        traces.append(line(x, y, colours[part.dataset], 3, titles[part.dataset], hover, showlegend=False))
    xaxis = axis("mean", 4, zoom=True, range=[0, right], zeroline=False, nticks=5)
    yaxis = axis("maximum", 4, zoom=True, range=[0, top], zeroline=False, nticks=6)
    axes = {"xaxis": xaxis, "yaxis": yaxis, "plot_bgcolor": INVISIBLE}
    figure = go.Figure(traces, base_layout(PANEL_HEIGHT, (34, 8, 40, 48), **axes))
    others = parts[1:]
    means, maxima = (np.concatenate([getattr(part, name) for part in others]) for name in ("mean", "maximum"))
    factor = peak_factor(curves[0], peak_curve(means, maxima))
    ood_scores = np.concatenate([scores.ood[part.dataset] for part in others])
    peaks = "too few points to compare peaks" if np.isnan(factor) else f"ID peaks ×\N{NO-BREAK SPACE}{factor:.2f}"
    reading = f"**{layer}**: {peaks} at the same mean; NAP’s AUROC {percent(auroc(scores.id, ood_scores))}."
    table = points_table(drawn)
    table.insert(0, "layer", layer)
    return Picture(figure, reading, table, f"max_vs_mean_{layer}")
