"""w sensitivity on made-up curves: best weights, the sentence that counts, the marks in the figures."""

import numpy as np
import plotly.graph_objects as go
import pytest

from nap_core.errors import UserError
from nap_core.figures.w_sensitivity import (
    HEIGHT,
    Sensitivity,
    combinations_picture,
    combinations_table,
    curve_picture,
    finding,
    robust_reading,
    sensitivity_table,
)
from nap_core.methods.combination import WeightCurve, weight_curve
from tests.sentences import Says

TITLES = {"digits": "MNIST", "stones": "Textures", "noise": "Uniform noise"}
PALETTE = {"digits": "#c8352c", "stones": "#f07c3a", "noise": "#8f1d4a"}


def made(**fpr95: list[float]) -> Sensitivity:
    """Curves at w = 0, 0.5 and 1; AUROC is 1 − FPR95 / 2."""
    values = np.array(list(fpr95.values()))
    curve = WeightCurve(np.array([0, 0.5, 1]), tuple(fpr95), values, 1 - values / 2)
    return Sensitivity.of("nap+energy", curve, "CIFAR-10", TITLES, PALETTE)


def trace(figure: go.Figure, name: str) -> go.Scatter:
    return next(trace for trace in figure.data if trace.name == name)


def dots(figure: go.Figure) -> go.Scatter:
    return next(trace for trace in figure.data if trace.mode == "markers" and not trace.name)


def test_titles_and_the_papers_w_come_from_the_method() -> None:
    found = made(digits=[0.5, 0.4, 0.6])
    assert (found.combination, found.other, found.published_w) == ("NAP+Energy", "Energy", 0.4)
    elsewhere = Sensitivity.of("nap+msp", found.curve, "SVHN", TITLES, PALETTE)
    assert (elsewhere.combination, elsewhere.other, elsewhere.published_w) == ("NAP+MSP", "MSP", None)
    with pytest.raises(UserError):
        Sensitivity.of("energy", found.curve, "CIFAR-10", TITLES, PALETTE)


def test_best_w_of_a_dataset_is_the_middle_one_among_equals() -> None:
    found = made(digits=[0.9, 0.8, 0.3], stones=[0.2, 0.2, 0.2], noise=[0.0, 0.3, 0.0])
    assert [found.best_of(name) for name in found.curve.datasets] == [1.0, 0.5, 0.0]


def test_finding_counts_and_names_where_the_combination_is_not_lower(says: Says) -> None:
    found = made(stones=[0.5, 0.1, 0.4], noise=[0.1, 0.3, 0.2], digits=[1.0, 0.4, 0.3])
    # Averages 0.533, 0.267, 0.3: 0.5 is the best on average; noise would want w = 0, digits w = 1.
    says(
        finding(found),
        "NAP+Energy lower FPR95 Energy 2 3 MNIST 30.0 Energy 0.5 lower 1 3 Uniform noise 30.0 20.0 MNIST 40.0 30.0",
    )


def test_finding_when_it_is_lower_everywhere(says: Says) -> None:
    says(
        finding(made(stones=[0.5, 0.1, 0.4], noise=[0.1, 0.0, 0.2])),
        "NAP+Energy lower FPR95 Energy both 0.5 lower both",
    )


def test_finding_when_it_is_lower_nowhere(says: Says) -> None:
    says(
        finding(made(stones=[0.5, 0.4, 0.4], noise=[0.1, 0.0, 0.0], digits=[1, 1, 1])),
        "NAP+Energy lower FPR95 Energy 3",
    )


def test_finding_says_where_nothing_is_left_to_lower(says: Says) -> None:
    found = made(stones=[0.5, 0.1, 0.4], noise=[0.1, 0.0, 0.0])
    says(
        finding(found), "NAP+Energy lower FPR95 Energy 1 2 Uniform noise 0.0 Energy 0.5 lower 1 2 Uniform noise 0.0 0.0"
    )


def test_finding_when_one_w_for_all_lowers_none(says: Says) -> None:
    text = finding(made(stones=[0.9, 0.25, 0.2], noise=[0.3, 0.9, 0.4]))
    says(text, "NAP+Energy lower FPR95 Energy 1 2 Textures 20.0 Energy 1 lower none 2")


def test_finding_on_a_single_dataset(says: Says) -> None:
    says(finding(made(digits=[0.5, 0.2, 0.4])), "0.5 NAP+Energy lower FPR95 Energy MNIST 20.0 40.0")
    says(finding(made(digits=[0.5, 0.45, 0.4])), "NAP+Energy lower FPR95 Energy MNIST 40.0 Energy")


def test_table_has_both_metrics_at_the_ends_at_w_and_at_the_best() -> None:
    found = made(stones=[0.5, 0.1, 0.4], digits=[1.0, 0.4, 0.3])
    table = sensitivity_table(found, 0.0)
    assert table["OOD dataset"].tolist() == ["Textures", "MNIST", "average"]
    assert table["best w"].tolist() == [0.5, 1.0, 0.5]
    first = table.iloc[0]
    heads = ("Energy", "NAP", "w = 0", "best w")
    assert [first[f"FPR95 {head}"] for head in heads] == pytest.approx([40, 50, 50, 10])
    assert [first[f"AUROC {head}"] for head in heads] == pytest.approx([80, 75, 75, 95])
    assert table.iloc[2]["FPR95 best w"] == pytest.approx(25)
    assert len(sensitivity_table(made(digits=[1.0, 0.4, 0.3]), 0.5)) == 1


@pytest.mark.parametrize(("metric", "best"), [("fpr95", 0.5), ("auroc", 0.5)])
def test_figure_has_lines_dots_ring_and_baseline(metric: str, best: float) -> None:
    found = made(stones=[0.5, 0.1, 0.4], digits=[1.0, 0.4, 0.3])
    values = getattr(found.curve, metric)
    figure = curve_picture(found, metric, 1.0).figure
    for row, name in enumerate(found.curve.datasets):
        line = trace(figure, TITLES[name])
        assert line.y == pytest.approx(values[row])
        assert line.line.color == PALETTE[name]
        assert line.line.width < trace(figure, "average").line.width
    assert trace(figure, "average").y == pytest.approx(values.mean(axis=0))
    assert trace(figure, "Energy alone").y == pytest.approx([values[:, 2].mean()] * 2)
    assert trace(figure, "Energy alone").line.dash == "dash"
    ring = trace(figure, "best w")
    assert (ring.x[0], ring.y[0], ring.marker.symbol) == (best, pytest.approx(values[:, 1].mean()), "circle-open")
    assert dots(figure).x == pytest.approx([1.0] * 3)
    assert dots(figure).y == pytest.approx([*values[:, 2], values[:, 2].mean()])


def test_moving_w_moves_the_dots_and_leaves_the_lines() -> None:
    found = made(stones=[0.5, 0.1, 0.4], digits=[1.0, 0.4, 0.3])
    before, after = curve_picture(found, "fpr95", 0.0).figure, curve_picture(found, "fpr95", 0.5).figure
    assert dots(before).y != dots(after).y
    assert trace(before, "MNIST") == trace(after, "MNIST")
    assert before.layout.height == after.layout.height == HEIGHT


def marks(figure: go.Figure) -> dict[float, tuple[str, str]]:
    """What the uprights are called, and on which side of its place the name ends."""
    return {one.x: (one.text, one.xanchor) for one in figure.layout.annotations if not one.text.startswith("w =")}


def test_axis_names_both_ends_and_the_papers_w_is_marked() -> None:
    found = made(digits=[0.5, 0.2, 0.4])
    figure = curve_picture(found, "fpr95", 0.5).figure
    named = dict(zip(figure.layout.xaxis.tickvals, figure.layout.xaxis.ticktext, strict=True))
    assert (named[0.0], named[0.4], named[1.0]) == ("0<br>NAP alone", "0.4", "1<br>Energy alone")
    assert marks(figure) == {0.4: ("paper", "left")}
    unknown = Sensitivity.of("nap+energy", found.curve, "SVHN", TITLES, PALETTE)
    assert marks(curve_picture(unknown, "fpr95", 0.5).figure) == {}


def test_one_dataset_needs_no_average() -> None:
    figure = curve_picture(made(digits=[0.5, 0.2, 0.4]), "fpr95", 0.5).figure
    assert "average" not in {trace.name for trace in figure.data}
    assert dots(figure).y == (0.2,)
    assert trace(figure, "best w").marker.color == PALETTE["digits"]


def test_readings(says: Says) -> None:
    found = made(stones=[0.5, 0.1, 0.4], digits=[1.0, 0.4, 0.3])
    says(curve_picture(found, "fpr95", 0.0).reading, "FPR95 2 75.0 0 lowest 25.0 0.5 Energy 35.0 NAP 75.0")
    says(curve_picture(found, "auroc", 0.5).reading, "AUROC 2 highest 0.5 87.5 Energy 82.5 NAP 62.5")
    flat = made(digits=[0.4, 0.4, 0.4])
    says(curve_picture(flat, "fpr95", 0.5).reading, "FPR95 MNIST 40.0 every")


def test_table_of_the_figure_holds_the_whole_curve() -> None:
    found = made(stones=[0.5, 0.1, 0.4], digits=[1.0, 0.4, 0.3])
    table = curve_picture(found, "fpr95", 0.5).table
    assert table[table.ood == "digits"].fpr95.tolist() == [1.0, 0.4, 0.3]
    assert table[table.ood == "average"].fpr95.tolist() == pytest.approx([0.75, 0.25, 0.35])
    assert table.w.tolist() == [0, 0.5, 1] * 3


def test_a_computed_curve_can_be_drawn_at_every_weight() -> None:
    rng = np.random.default_rng(0)
    curve = weight_curve(
        rng.uniform(1, 2, 40),
        rng.uniform(1, 2, 40),
        {"digits": rng.uniform(1, 2, 30)},
        {"digits": rng.uniform(0, 2, 30)},
    )
    found = Sensitivity.of("nap+msp", curve, "CIFAR-10", TITLES, PALETTE)
    for row, w in enumerate(curve.w):
        assert dots(curve_picture(found, "auroc", float(w)).figure).y == (curve.auroc[0, row],)


def test_another_prior_is_called_by_its_name(says: Says) -> None:
    curve = made(digits=[0.5, 0.2, 0.4]).curve
    found = Sensitivity.of("nap-variance+msp", curve, "CIFAR-10", TITLES, PALETTE)
    assert found.published_w is None  # the paper's w are NAP's
    says(curve_picture(found, "fpr95", 0.5).reading, "FPR95 MNIST lowest 0.5 20.0 MSP 40.0 Variance 50.0")
    assert any("Variance" in name for name in sensitivity_table(found, 0.5).columns)


def over(titles: dict[str, list[float]]) -> list[Sensitivity]:
    """Combinations whose FPR95 on one dataset is given at w = 0, 0.2, 0.5, 0.8 and 1; AUROC is 1 − FPR95 / 2."""
    w = np.array([0, 0.2, 0.5, 0.8, 1])
    curves = {
        spec: WeightCurve(w, ("stones",), np.array([row]), 1 - np.array([row]) / 2) for spec, row in titles.items()
    }
    return [Sensitivity.of(spec, curve, "CIFAR-10", TITLES, PALETTE) for spec, curve in curves.items()]


def test_robust_range_is_shaded_and_told(says: Says) -> None:
    found = over({"nap+energy": [0.9, 0.3, 0.2, 0.25, 0.4], "nap+msp": [0.9, 0.5, 0.2, 0.25, 0.4]})
    says(robust_reading(found, "fpr95"), "1 2 lower FPR95 every 0.2 0.8 10.0 NAP+Energy 30.0 NAP+MSP")
    says(robust_reading(found[:1], "auroc"), "NAP+Energy higher AUROC every 0.2 0.8 5.0")
    shades = [shape for shape in curve_picture(found[0], "fpr95", 0.5).figure.layout.shapes if shape.type == "rect"]
    assert [(shape.x0, shape.x1) for shape in shades] == [(0.2, 0.8)]


def test_every_combination_has_its_own_small_picture_on_the_same_axis() -> None:
    found = [made(stones=[0.5, 0.1, 0.4], digits=[1.0, 0.4, 0.3]) for _ in range(5)]
    shown = combinations_picture(found, "fpr95", 0.5, opened="NAP+Energy")
    figure = shown.figure
    lines = [one for one in figure.data if one.name == "average"]
    assert len(lines) == len(figure.layout.annotations) == len(figure.layout.shapes) == 5
    assert len({(one.xaxis, one.yaxis) for one in lines}) == 5
    assert all(figure.layout[f"yaxis{place}"].matches == "y" for place in range(2, 6))
    assert sum(bool(one.showlegend) for one in figure.data) == 4  # two datasets, average, alone: each named once
    assert figure.layout.annotations[0].text == "<b>NAP+Energy</b>"
    marks = [one for one in figure.data if one.mode == "markers"]
    assert [one.y[0] for one in marks] == pytest.approx([0.25, 0.25] * 5)
    assert shown.reading == robust_reading(found, "fpr95")
    assert len(shown.table) == 5 * 3 * 3
    with pytest.raises(ValueError, match="no combination"):
        combinations_picture([], "fpr95", 0.5)


def test_table_of_combinations() -> None:
    found = over({"nap+energy": [0.9, 0.3, 0.2, 0.25, 0.4]})
    row = combinations_table(found, 0.0, [0.8]).iloc[0]
    assert (row["Combination"], row["its w"], row["best w"]) == ("NAP+Energy", 0.8, 0.5)
    heads = ("alone", "w = 0", "its w", "best w", "worst, 0.2 to 0.8")
    assert [row[f"FPR95 {head}"] for head in heads] == pytest.approx([40, 90, 25, 20, 30])
    assert [row[f"AUROC {head}"] for head in heads] == pytest.approx([80, 55, 87.5, 90, 85])


def test_the_w_found_is_marked() -> None:
    curve = made(digits=[0.5, 0.2, 0.4]).curve
    both = Sensitivity.of("nap+energy", curve, "CIFAR-10", TITLES, PALETTE, 0.45)
    assert marks(curve_picture(both, "fpr95", 0.5).figure) == {0.4: ("paper", "right"), 0.45: ("found", "left")}
    same = Sensitivity.of("nap+energy", curve, "CIFAR-10", TITLES, PALETTE, 0.4)
    assert marks(curve_picture(same, "fpr95", 0.5).figure) == {0.4: ("paper, found", "left")}
