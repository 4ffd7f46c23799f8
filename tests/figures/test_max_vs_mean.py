"""The scatter of maximum over mean: what is drawn equals what is computed by hand, and its sentences are true."""

import base64
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from nap_core.activations import Activations
from nap_core.analysis.channels.max_mean_points import Picked, Points, points_of
from nap_core.analysis.channels.separability import peak_curve
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures.max_vs_mean import SURFACE, drawn_words, reading, scatter, sparkline, tally
from nap_core.figures.max_vs_mean.axes import bins_to, density, ends
from tests.sentences import Says

TITLES = {"cifar10": "CIFAR-10", "mnist": "MNIST", "textures": "Textures"}
COLOURS = {"cifar10": "#2f7de1", "mnist": "#e8a013", "textures": "#c8352c"}
CHANNELS = 5


def cloud(name: str, factor: float, images: int = 60, seed: int = 0) -> Points:
    mean = np.random.default_rng(seed).gamma(2, 0.4, images * CHANNELS).astype(np.float32)
    return Points(name, CHANNELS, np.arange(len(mean)), mean, np.float32(factor) * mean, 7)


@pytest.fixture
def parts() -> list[Points]:
    return [cloud("cifar10", 6, seed=0), cloud("mnist", 8, seed=1), cloud("textures", 4, seed=2)]


@pytest.fixture
def scores() -> MethodScores:
    chance = np.random.default_rng(3)
    return MethodScores(
        "nap", None, chance.normal(3, 1, 60), {name: chance.normal(2, 1, 60) for name in ("mnist", "textures")}
    )


def traces(figure: go.Figure, kind: str, **wanted: str) -> list[go.Scatter]:
    return [
        trace
        for trace in figure.data
        if trace.type == kind and all(getattr(trace, name) == value for name, value in wanted.items())
    ]


def test_every_point_is_drawn_where_it_lies_in_one_webgl_plot(parts: list[Points], scores: MethodScores) -> None:
    figure = scatter(parts, scores, TITLES, COLOURS).figure
    clouds = traces(figure, "scattergl")
    assert {trace.legendgroup for trace in clouds} == set(TITLES)
    assert {(trace.xaxis, trace.yaxis) for trace in clouds} == {(None, None)}  # one plot, so one WebGL context
    for part in parts:
        (drawn,) = [trace for trace in clouds if trace.legendgroup == part.dataset]
        np.testing.assert_array_equal(drawn.x, part.mean)
        np.testing.assert_array_equal(drawn.y, part.maximum)
        assert drawn.x.dtype == np.float32  # half the bytes on the way to the browser
        assert drawn.marker.color == COLOURS[part.dataset]


def test_the_switch_brings_id_to_the_front(parts: list[Points], scores: MethodScores) -> None:
    for in_front, place in ((True, -1), (False, 0)):
        figure = scatter(parts, scores, TITLES, COLOURS, id_in_front=in_front).figure
        assert traces(figure, "scattergl")[place].legendgroup == "cifar10"


def test_margins_and_corner_have_the_same_area_for_datasets_of_any_size(
    parts: list[Points], scores: MethodScores
) -> None:
    parts = [*parts[:2], cloud("textures", 4, images=30, seed=2)]
    figure = scatter(parts, scores, TITLES, COLOURS).figure
    for xaxis, yaxis, along in (("x", "y2", "x"), ("x2", "y", "y"), ("x3", "y3", "x")):
        margins = traces(figure, "scatter", xaxis=xaxis, yaxis=yaxis)
        assert [trace.legendgroup for trace in margins] == list(TITLES)
        for trace in margins:
            places, heights = (trace.x, trace.y) if along == "x" else (trace.y, trace.x)
            assert np.sum(heights) * (places[1] - places[0]) == pytest.approx(1)
    (means,) = traces(figure, "scatter", yaxis="y2", legendgroup="mnist")
    width = means.x[1] - means.x[0]
    first = np.mean((parts[1].mean >= 0) & (parts[1].mean < width)) / width
    assert means.y[0] == pytest.approx(first, rel=1e-6)


def test_the_legend_names_every_dataset_once_even_without_a_point(scores: MethodScores, parts: list[Points]) -> None:
    silent = Points("textures", CHANNELS, *(np.zeros(0, kind) for kind in ("i8", "f4", "f4")), 300)
    figure = scatter([*parts[:2], silent], scores, TITLES, COLOURS).figure
    entries = [trace for trace in figure.data if trace.showlegend is not False and trace.type != "heatmap"]
    assert [trace.name for trace in entries] == list(TITLES.values())
    assert all(len(trace.x) for trace in entries)


def test_the_corner_shows_the_scores_of_whole_images(parts: list[Points], scores: MethodScores) -> None:
    (corner,) = traces(scatter(parts, scores, TITLES, COLOURS).figure, "scatter", xaxis="x3", legendgroup="cifar10")
    every = np.concatenate([scores.id, *scores.ood.values()])
    edges = np.linspace(every.min(), every.max(), len(corner.x) + 1)
    np.testing.assert_allclose(corner.y, np.histogram(scores.id, edges, density=True)[0])


def test_pointed_at_a_cell_says_how_many_points_of_which_dataset_it_holds(
    parts: list[Points], scores: MethodScores
) -> None:
    (grid,) = traces(scatter(parts, scores, TITLES, COLOURS).figure, "heatmap")
    assert grid.xaxis == SURFACE
    counted = dict.fromkeys(TITLES.values(), 0)
    for words in np.asarray(grid.text).ravel():
        for title, number in re.findall(r"([\w-]+): ([\d,]+)", words):
            counted[title] += int(number.replace(",", ""))
    right, top = ends(parts)
    for part in parts:
        assert counted[TITLES[part.dataset]] == np.sum((part.mean <= right) & (part.maximum <= top))
    row, column = np.argwhere(np.asarray(grid.text) != "")[0]
    low, under = column * grid.dx, row * grid.dy
    inside = [
        np.sum((p.mean >= low) & (p.mean < low + grid.dx) & (p.maximum >= under) & (p.maximum < under + grid.dy))
        for p in parts
    ]
    expected = [f"{TITLES[p.dataset]}: {n}" for p, n in zip(parts, inside, strict=True) if n]
    assert grid.text[row][column] == "<br>".join(expected)


def test_the_median_lines_follow_the_data(parts: list[Points], scores: MethodScores) -> None:
    figure = scatter(parts, scores, TITLES, COLOURS).figure
    for part, factor in zip(parts, (6, 8, 4), strict=True):
        (line,) = traces(figure, "scatter", xaxis=SURFACE, legendgroup=part.dataset)
        assert len(line.x) > 3
        np.testing.assert_allclose(line.y / line.x, factor, rtol=0.1)  # a bin is 20 % wide


def test_beyond_the_limit_a_sample_is_drawn_and_all_points_are_counted(
    parts: list[Points], scores: MethodScores, says: Says
) -> None:
    whole, some = scatter(parts, scores, TITLES, COLOURS), scatter(parts, scores, TITLES, COLOURS, most=90)
    assert sum(len(trace.x) for trace in traces(some.figure, "scattergl")) == 90
    assert len(some.table) == 90
    assert some.reading == whole.reading
    for one, other in zip(traces(some.figure, "scatter"), traces(whole.figure, "scatter"), strict=True):
        np.testing.assert_array_equal(one.y, other.y)
    says(drawn_words(parts, 90), "900 21 90")
    assert "sample" not in drawn_words(parts, 900)


def test_the_table_has_a_row_a_point_with_the_score_of_its_image(parts: list[Points], scores: MethodScores) -> None:
    table = scatter(parts, scores, TITLES, COLOURS).table
    assert list(table) == ["dataset", "image", "channel", "mean", "maximum", "s_nap"]
    assert len(table) == 900
    row = table[(table.dataset == "mnist") & (table.image == 17) & (table.channel == 3)].iloc[0]
    assert row["mean"] == parts[1].mean[17 * CHANNELS + 3]
    assert row["maximum"] == parts[1].maximum[17 * CHANNELS + 3]
    assert row["s_nap"] == scores.ood["mnist"][17]


def test_no_point_at_all_still_makes_a_figure(scores: MethodScores, says: Says) -> None:
    nothing = [Points(name, CHANNELS, *(np.zeros(0, kind) for kind in ("i8", "f4", "f4")), 300) for name in TITLES]
    picture = scatter(nothing, scores, TITLES, COLOURS)
    says(picture.reading, "CIFAR-10 MNIST Textures")
    assert picture.table.empty
    says(drawn_words(nothing, 90), "0 900")


def test_constant_scores_still_make_a_figure(parts: list[Points]) -> None:
    same = MethodScores("nap", None, np.ones(60), {name: np.ones(60) for name in ("mnist", "textures")})
    (corner,) = traces(scatter(parts, same, TITLES, COLOURS).figure, "scatter", xaxis="x3", legendgroup="mnist")
    assert np.sum(corner.y) * (corner.x[1] - corner.x[0]) == pytest.approx(1)


def test_axes_end_near_the_crowd_and_say_how_many_points_lie_beyond(says: Says) -> None:
    mean = np.linspace(0.2, 1, 10_000, dtype=np.float32)
    mean[-1] = 50
    points = Points("cifar10", 1, np.arange(10_000), mean, mean, 0)
    right, top = ends([points])
    assert right == top == pytest.approx(1.03, abs=0.01)
    says(drawn_words([points], 10_000), "10,000 1")
    assert "cuts activations off" not in drawn_words([points], 10_000)
    few = Points("cifar10", 1, np.arange(3), np.array([1, 2, 9], "f4"), np.array([1, 2, 9], "f4"), 0)
    assert ends([few]) == pytest.approx((9 * 1.03, 9 * 1.03))  # of a handful, none is an outlier


def test_a_ceiling_of_the_activations_is_named(says: Says) -> None:
    mean = np.linspace(0.2, 3, 1000, dtype=np.float32)
    relu6 = Points("cifar10", 1, np.arange(1000), mean, np.minimum(4 * mean, 6), 0)
    says(drawn_words([relu6], 1000), f"1,000 {np.sum(4 * mean >= 6):,} 6")


def test_bins_reach_beyond_the_axis_to_the_last_value() -> None:
    edges = bins_to([np.array([0.3, 2.5])], 1.0, 10)
    assert edges[10] == pytest.approx(1)
    assert 2.5 < edges[-1] < 2.7
    assert len(bins_to([np.array([1e9])], 1.0, 10)) == 101


def test_density_of_nothing_is_flat() -> None:
    assert density(np.zeros(0), np.array([0.0, 1.0, 2.0])).tolist() == [0, 0]
    assert density(np.array([0.5, 0.6, 1.5, 9.0]), np.array([0.0, 1.0, 3.0])).tolist() == [0.5, 0.125]


def test_the_reading_names_higher_alike_and_lower(says: Says) -> None:
    mean = np.repeat(np.geomspace(0.12, 2, 15), 20)
    factors = {"cifar10": 4.0, "a": 2.0, "b": 3.2, "c": 3.9, "d": 5.0}
    curves = {name: peak_curve(mean, factor * mean) for name, factor in factors.items()}
    titles = {"cifar10": "CIFAR-10", "a": "A", "b": "B", "c": "C", "d": "D"}

    def said(*names: str, channel: int | None = None) -> str:
        chosen = {name: curves[name] for name in ("cifar10", *names)}
        return reading(chosen, titles, channel).replace("\N{NO-BREAK SPACE}", " ")

    says(said("a"), "CIFAR-10 higher A 2.00")
    says(said("a", "b"), "CIFAR-10 higher A 2.00 B 1.25")
    says(said("c"), "CIFAR-10 C 1.03")
    says(said("d"), "CIFAR-10 lower D 0.80")
    says(said("b", "a", "c"), "CIFAR-10 higher A 2.00 B 1.25 C 1.03")
    says(said("d", "a", "c"), "CIFAR-10 higher A 2.00 C 1.03 lower D 0.80")
    says(said("a", channel=17), "17 CIFAR-10 higher A 2.00")


def test_the_reading_says_where_means_do_not_meet(says: Says) -> None:
    curves = {
        "cifar10": peak_curve(np.full(30, 0.5), np.full(30, 4.0)),
        "mnist": peak_curve(np.full(30, 0.5), np.full(30, 2.0)),
        "textures": peak_curve(np.full(30, 3.0), np.full(30, 9.0)),
    }
    says(reading(curves, TITLES), "CIFAR-10 higher MNIST 2.00 Textures")
    assert "MNIST (×\N{NO-BREAK SPACE}2.00)" in reading(curves, TITLES)


def test_the_tally_counts_points_and_images(says: Says) -> None:
    says(tally([], TITLES), "")
    says(tally([Picked("mnist", 4, (1,))], TITLES), "1 1 1 MNIST")
    many = [Picked("mnist", 4, (1, 2)), Picked("cifar10", 4, tuple(range(1500))), Picked("mnist", 5, (2,))]
    says(tally(many, TITLES), "1,503 3 1,500 CIFAR-10 3 MNIST")


def heights_in(address: str) -> tuple[list[list[float]], list[str]]:
    drawing = base64.b64decode(address.removeprefix("data:image/svg+xml;base64,")).decode()
    lines = re.findall(r'<polyline points="([^"]+)" fill="([^"]+)"', drawing)
    heights = [[90 - float(corner.split(",")[1]) for corner in points.split()[1:-1:2]] for points, _ in lines]
    return heights, [fill for _, fill in lines]


def test_a_sparkline_draws_each_dataset_with_the_highest_bar_at_the_top() -> None:
    ratios = {"cifar10": np.array([0.1, 0.1, 0.9]), "mnist": np.array([0.6])}
    (known, unknown), fills = heights_in(sparkline(ratios, COLOURS, (0, 1), bins=2))
    assert fills == [COLOURS["cifar10"], "none"]
    assert unknown == [0, 82]  # all of MNIST in the upper half
    np.testing.assert_allclose(known, [82 * 2 / 3, 82 / 3], atol=0.06)


def test_a_sparkline_stays_readable_beside_a_silent_dataset() -> None:
    ratios = {"cifar10": np.array([0.1, 0.3, 0.6, 0.9]), "mnist": np.zeros(50)}
    (known, unknown), _ = heights_in(sparkline(ratios, COLOURS, (0, 1), bins=4))
    assert unknown == [82, 0, 0, 0]  # four times as high as ID: cut off at twice
    assert known == [41, 41, 41, 41]


def test_a_sparkline_of_silent_channels_is_drawn() -> None:
    assert sparkline({"cifar10": np.zeros(3), "mnist": np.zeros(2)}, COLOURS, (0, 1)).startswith("data:image/svg+xml")


def test_words_say_when_the_first_images_stand_for_all(says: Says) -> None:
    draw = np.random.default_rng(0)
    mean = draw.gamma(2, 1, (40, 5)).astype(np.float32)
    images = Activations(mean * 3, mean, mean, np.zeros((40, 2)), np.zeros(40, np.int64))
    whole = points_of("cifar10", images, floor=None)
    says(drawn_words([whole], 900), "200")
    first = points_of("cifar10", images, floor=None, images=12)
    says(drawn_words([first], 900), "60 12 40")
