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
    parts: list[Points], scores: MethodScores
) -> None:
    whole, some = scatter(parts, scores, TITLES, COLOURS), scatter(parts, scores, TITLES, COLOURS, most=90)
    assert sum(len(trace.x) for trace in traces(some.figure, "scattergl")) == 90
    assert len(some.table) == 90
    assert some.reading == whole.reading
    for one, other in zip(traces(some.figure, "scatter"), traces(whole.figure, "scatter"), strict=True):
        np.testing.assert_array_equal(one.y, other.y)
    assert "a fixed random sample of 90 is drawn" in drawn_words(parts, 90)
    assert "sample" not in drawn_words(parts, 900)


def test_the_table_has_a_row_a_point_with_the_score_of_its_image(parts: list[Points], scores: MethodScores) -> None:
    table = scatter(parts, scores, TITLES, COLOURS).table
    assert list(table) == ["dataset", "image", "channel", "mean", "maximum", "s_nap"]
    assert len(table) == 900
    row = table[(table.dataset == "mnist") & (table.image == 17) & (table.channel == 3)].iloc[0]
    assert row["mean"] == parts[1].mean[17 * CHANNELS + 3]
    assert row["maximum"] == parts[1].maximum[17 * CHANNELS + 3]
    assert row["s_nap"] == scores.ood["mnist"][17]


def test_no_point_at_all_still_makes_a_figure(scores: MethodScores) -> None:
    nothing = [Points(name, CHANNELS, *(np.zeros(0, kind) for kind in ("i8", "f4", "f4")), 300) for name in TITLES]
    picture = scatter(nothing, scores, TITLES, COLOURS)
    assert picture.reading == ("At the same mean, there are too few points to compare CIFAR-10 with MNIST or Textures.")
    assert picture.table.empty
    assert drawn_words(nothing, 90).startswith("0 points, one for each channel of each image; 900 with a mean up to")


def test_constant_scores_still_make_a_figure(parts: list[Points]) -> None:
    same = MethodScores("nap", None, np.ones(60), {name: np.ones(60) for name in ("mnist", "textures")})
    (corner,) = traces(scatter(parts, same, TITLES, COLOURS).figure, "scatter", xaxis="x3", legendgroup="mnist")
    assert np.sum(corner.y) * (corner.x[1] - corner.x[0]) == pytest.approx(1)


def test_axes_end_near_the_crowd_and_say_how_many_points_lie_beyond() -> None:
    mean = np.linspace(0.2, 1, 10_000, dtype=np.float32)
    mean[-1] = 50
    points = Points("cifar10", 1, np.arange(10_000), mean, mean, 0)
    right, top = ends([points])
    assert right == top == pytest.approx(1.03, abs=0.01)
    assert "1 beyond the axes" in drawn_words([points], 10_000)
    assert "cuts activations off" not in drawn_words([points], 10_000)
    few = Points("cifar10", 1, np.arange(3), np.array([1, 2, 9], "f4"), np.array([1, 2, 9], "f4"), 0)
    assert ends([few]) == pytest.approx((9 * 1.03, 9 * 1.03))  # of a handful, none is an outlier


def test_a_ceiling_of_the_activations_is_named() -> None:
    mean = np.linspace(0.2, 3, 1000, dtype=np.float32)
    relu6 = Points("cifar10", 1, np.arange(1000), mean, np.minimum(4 * mean, 6), 0)
    assert f"{np.sum(4 * mean >= 6):,} stand at 6, where the network cuts activations off" in drawn_words([relu6], 1000)


def test_bins_reach_beyond_the_axis_to_the_last_value() -> None:
    edges = bins_to([np.array([0.3, 2.5])], 1.0, 10)
    assert edges[10] == pytest.approx(1)
    assert 2.5 < edges[-1] < 2.7
    assert len(bins_to([np.array([1e9])], 1.0, 10)) == 101


def test_density_of_nothing_is_flat() -> None:
    assert density(np.zeros(0), np.array([0.0, 1.0, 2.0])).tolist() == [0, 0]
    assert density(np.array([0.5, 0.6, 1.5, 9.0]), np.array([0.0, 1.0, 3.0])).tolist() == [0.5, 0.125]


def test_the_reading_names_higher_alike_and_lower() -> None:
    mean = np.repeat(np.geomspace(0.12, 2, 15), 20)
    factors = {"cifar10": 4.0, "a": 2.0, "b": 3.2, "c": 3.9, "d": 5.0}
    curves = {name: peak_curve(mean, factor * mean) for name, factor in factors.items()}
    titles = {"cifar10": "CIFAR-10", "a": "A", "b": "B", "c": "C", "d": "D"}

    def said(*names: str, channel: int | None = None) -> str:
        chosen = {name: curves[name] for name in ("cifar10", *names)}
        return reading(chosen, titles, channel).replace("\N{NO-BREAK SPACE}", " ")

    known = "At the same mean, peaks on CIFAR-10 are "
    no_sign = ", where a peak is no sign of a known image"
    assert said("a") == f"{known}higher than on A (× 2.00)."
    assert said("a", "b") == f"{known}higher than on A (× 2.00) and B (× 1.25)."
    assert said("c") == f"{known}about as high as on C (× 1.03)."
    assert said("d") == f"{known}lower than on D (× 0.80){no_sign}."
    assert (
        said("b", "a", "c") == f"{known}higher than on A (× 2.00) and B (× 1.25), and about as high as on C (× 1.03)."
    )
    assert said("d", "a", "c") == (
        f"{known}higher than on A (× 2.00), about as high as on C (× 1.03), but lower than on D (× 0.80){no_sign}."
    )
    assert said("a", channel=17).startswith("In channel 17, at the same mean, peaks on CIFAR-10")


def test_the_reading_says_where_means_do_not_meet() -> None:
    curves = {
        "cifar10": peak_curve(np.full(30, 0.5), np.full(30, 4.0)),
        "mnist": peak_curve(np.full(30, 0.5), np.full(30, 2.0)),
        "textures": peak_curve(np.full(30, 3.0), np.full(30, 9.0)),
    }
    assert reading(curves, TITLES).endswith("; there are too few points to compare it with Textures.")
    assert "MNIST (×\N{NO-BREAK SPACE}2.00)" in reading(curves, TITLES)


def test_the_tally_counts_points_and_images() -> None:
    assert tally([], TITLES) == "No point lies inside what was drawn."
    assert tally([Picked("mnist", 4, (1,))], TITLES) == "**1 point from 1 image**: 1 of MNIST."
    many = [Picked("mnist", 4, (1, 2)), Picked("cifar10", 4, tuple(range(1500))), Picked("mnist", 5, (2,))]
    assert tally(many, TITLES) == "**1,503 points from 3 images**: 1,500 of CIFAR-10 and 3 of MNIST."


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


def test_words_say_when_the_first_images_stand_for_all() -> None:
    draw = np.random.default_rng(0)
    mean = draw.gamma(2, 1, (40, 5)).astype(np.float32)
    images = Activations(mean * 3, mean, mean, np.zeros((40, 2)), np.zeros(40, np.int64))
    whole = points_of("cifar10", images, floor=None)
    assert drawn_words([whole], 900).startswith("200 points, one for each channel of each image.")
    first = points_of("cifar10", images, floor=None, images=12)
    assert drawn_words([first], 900).startswith(
        "60 points, one for each channel of 12 of 40 images, the first of each dataset"
    )
