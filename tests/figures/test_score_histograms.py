"""Score histograms: the bins by hand, what the panels draw and print, and the images behind a bar."""

import numpy as np
import plotly.graph_objects as go
import pytest

from nap_core import metrics
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures import colours
from nap_core.figures.palette import ID_COLOUR
from nap_core.figures.score_histograms import Bins, bins_of, histograms, images_in_bin, label, least_width, panels
from tests.sentences import Says

TITLES = {"known": "CIFAR-10", "digits": "MNIST", "stones": "Textures"}
PALETTE = colours("known", ["digits", "stones"])


def made(method: str = "energy", w: float | None = None, shift: float = 0.0) -> MethodScores:
    rng = np.random.default_rng(1)
    ood = {"digits": rng.normal(7 + shift, 1, 300), "stones": rng.normal(5 + shift, 2, 100)}
    return MethodScores(method, w, rng.normal(10, 2, 400), ood)


def drawn(scores: list[MethodScores], **choices: object) -> go.Figure:
    return histograms(scores, "known", TITLES, PALETTE, **choices).figure


def bars(figure: go.Figure) -> list[go.Bar]:
    return [trace for trace in figure.data if trace.type == "bar" and trace.customdata is None]


def pointers(figure: go.Figure) -> list[go.Bar]:
    return [trace for trace in figure.data if trace.type == "bar" and trace.customdata is not None]


def outlines(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.type == "scatter" and trace.fill == "tozeroy"]


def words(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def printed(figure: go.Figure) -> str:
    """What stands above the first panel."""
    return next(text for text in words(figure) if "FPR95" in text)


def test_bins_are_numpys_and_the_outermost_keep_the_outliers() -> None:
    scores = np.concatenate([np.linspace(0, 1, 2001), [-50.0, 80.0, 90.0]])
    bins = Bins.of([scores], 10)
    assert not bins.log
    assert bins.edges[0] > -1
    assert bins.edges[-1] < 2
    expected, _ = np.histogram(np.clip(scores, bins.edges[0], bins.edges[-1]), bins.edges)
    assert bins.counts(scores).tolist() == expected.tolist()
    assert bins.index(np.array([-50.0, 80.0])).tolist() == [0, 9]
    assert bins.bounds(0)[0] == float("-inf")
    assert bins.bounds(9)[1] == float("inf")


def test_a_bin_holds_its_lower_edge_and_the_last_one_its_upper_edge_too() -> None:
    bins = Bins(np.array([0.0, 1.0, 2.0]), log=False)
    assert bins.index(np.array([0.0, 1.0, 2.0])).tolist() == [0, 1, 1]
    assert [bins.words(0), bins.words(1)] == ["below 1.00", "1.00 and above"]
    assert Bins(np.array([0.0, 1.0, 2.0, 3.0]), log=False).words(1) == "1.00 to 2.00"


def test_the_range_holds_every_dataset_not_only_the_largest() -> None:
    bins = Bins.of([np.zeros(10_000), np.full(20, 5.0)])
    assert bins.edges[0] == 0
    assert bins.edges[-1] == 5


def test_scores_over_decades_are_binned_by_their_logarithm() -> None:
    bins = Bins.of([np.logspace(-1, 3, 999)], 4)
    assert bins.log
    assert bins.edges[[0, -1]] == pytest.approx([-1, 3], abs=0.03)
    assert bins.index(np.array([-2.0, 0.0, 0.5, 50.0, 1e9])).tolist() == [0, 0, 0, 2, 3]
    low, high = bins.bounds(1)
    assert low == pytest.approx(1, rel=0.05)
    assert high == pytest.approx(10, rel=0.05)


def test_only_crowded_positive_scores_take_a_logarithm() -> None:
    wide = np.logspace(0, 4, 99)
    assert Bins.of([wide]).log
    assert not Bins.of([wide - 2]).log  # some are not positive
    assert not Bins.of([np.logspace(0, 1.9, 99)]).log  # less than two powers of ten
    assert not Bins.of([np.linspace(0.01, 20, 99)]).log  # nothing is crowded on a plain axis
    assert not Bins.of([wide, np.full(9, 5000.0)]).log


@pytest.mark.parametrize("value", [0.0, 1.0, -3e6, 1e-9])
def test_constant_scores_make_one_bar_in_the_middle(value: float, says: Says) -> None:
    bins = Bins.of([np.full(7, value), np.full(2, value)])
    assert bins.counts(np.full(7, value))[[19, 20]].sum() == 7
    figure = drawn([MethodScores("msp", None, np.full(7, value), {"digits": np.full(2, value)})])
    says(printed(figure), "FPR95 100.0 AUROC 50.0 100.0 100.0")


def test_a_panel_prints_the_metrics(says: Says) -> None:
    known, met = np.arange(1.0, 21.0), np.array([0.0, 1.5, 2.0, 2.5, 30.0])
    scores = MethodScores("energy", None, known, {"digits": met})
    (panel,) = panels(scores)
    # 19 of 20 known images reach 2; three of five others do, one of them by a tie.
    assert (panel.threshold, panel.tpr, panel.fpr) == (2.0, 0.95, 0.6)
    (looser,) = panels(scores, tpr=0.5)
    assert (looser.threshold, looser.tpr, looser.fpr, looser.fpr95) == (11.0, 0.5, 0.2, 0.6)
    assert looser.auroc == metrics.auroc(known, met)
    note = printed(drawn([scores], tpr=0.5))
    assert "FPR95 <b>60.0\xa0%</b>" in note
    assert f"AUROC <b>{100 * metrics.auroc(known, met):.1f}\xa0%</b>" in note
    says(note, "FPR95 60.0 AUROC 75.5 50.0 20.0")


def test_apart_every_dataset_has_its_panel_and_all_histograms_the_same_area() -> None:
    scores = made()
    figure = drawn([scores])
    assert [bar.marker.color for bar in bars(figure)] == [PALETTE["digits"], PALETTE["stones"]]
    bins = bins_of(scores)
    for bar, name in zip(bars(figure), scores.ood, strict=True):
        assert np.array(bar.y) == pytest.approx(bins.counts(scores.ood[name]) / len(scores.ood[name]))
        assert np.sum(bar.y) == pytest.approx(1)
        assert bar.width == pytest.approx(bins.width)
    for line in outlines(figure):
        assert line.line.color == ID_COLOUR
        assert np.sum(line.y[1:-1:2]) == pytest.approx(1)
    assert [text for text in words(figure) if "■" in text] == [
        f"<span style='color:{PALETTE[name]}'>■</span> <b>{TITLES[name]}</b>" for name in scores.ood
    ]


def test_together_the_datasets_are_stacked_to_the_area_of_id() -> None:
    scores = made()
    figure = drawn([scores], together=True)
    first, second = bars(figure)
    assert np.array(second.base) == pytest.approx(np.array(first.y))
    assert np.sum(first.y) == pytest.approx(300 / 400)
    assert np.sum(first.y) + np.sum(second.y) == pytest.approx(1)
    (panel,) = panels(scores, together=True)
    assert panel.auroc == pytest.approx(metrics.auroc(scores.id, scores.pooled))
    assert {"CIFAR-10 (ID)", "MNIST", "Textures", "threshold"} <= {trace.name for trace in figure.data}


def test_the_threshold_stands_where_tpr_says_and_never_off_the_axis() -> None:
    scores = made()
    for tpr in (0.5, 0.95, 1.0):
        edges = bins_of(scores).edges
        expected = np.clip(metrics.threshold_at_tpr(scores.id, tpr), edges[0], edges[-1])
        assert [shape.x0 for shape in drawn([scores], tpr=tpr).layout.shapes] == pytest.approx([expected] * 2)


def test_panels_of_a_row_share_an_axis_and_rows_have_their_own() -> None:
    figure = drawn([made(), made("nap", shift=5)])
    ranges = [figure.layout[name].range for name in ("xaxis", "xaxis2", "xaxis3", "xaxis4")]
    assert ranges[0] == ranges[1]
    assert ranges[2] == ranges[3]
    assert ranges[0] != ranges[2]
    assert "share of images<br>(equal areas)" in figure.layout.yaxis.title.text
    assert "NAP score" in figure.layout.xaxis3.title.text


def test_every_column_of_bars_can_be_hit_and_says_what_it_holds(says: Says) -> None:
    scores = made("nap+energy", 0.4)
    column = pointers(drawn([scores]))[1]
    bins = bins_of(scores)
    assert [tuple(data) for data in column.customdata] == [("nap+energy", "stones", at) for at in range(len(bins))]
    at = int(np.argmax(bins.counts(scores.ood["stones"])))
    count, known = int(bins.counts(scores.ood["stones"])[at]), int(bins.counts(scores.id)[at])
    says(
        column.hovertext[at],
        f"NAP+Energy 0.4 {bins.words(at)} CIFAR-10 {known} 400 {known / 4:.1f} Textures {count} 100 {count:.1f}",
    )
    assert len(set(column.y)) == 1
    together = pointers(drawn([scores], together=True))[0]
    assert together.customdata[3][1] == "digits,stones"


def test_a_spike_is_cut_off_and_its_height_written() -> None:
    rng = np.random.default_rng(0)
    spike = MethodScores("nap", None, rng.normal(10, 2, 500), {"digits": np.full(50, 4.0)})
    figure = drawn([spike])
    peak = bins_of(spike).counts(spike.id).max() / 500
    assert figure.layout.yaxis.range[1] == pytest.approx(1.06 * 4 * peak)
    assert "up to 100.0\xa0% ↑" in words(figure)
    assert not any("up to" in text for text in words(drawn([made()])))


def test_height_follows_from_the_rows_alone() -> None:
    one, two, three = (drawn([made()] * count).layout.height for count in (1, 2, 3))
    assert three - two == two - one
    single = MethodScores("nap", None, made().id, {"digits": made().ood["digits"]})
    assert drawn([single]).layout.height == one
    assert drawn([made()], tpr=0.7).layout.height == one


def test_columns_ask_for_a_least_width_and_a_single_one_for_none() -> None:
    assert least_width(1) == 0
    assert 0 < least_width(2) < least_width(3)


def test_table_holds_every_bar_and_what_the_panel_prints() -> None:
    scores = made("nap+energy", 0.4)
    table = histograms([scores], "known", TITLES, PALETTE).table
    bins = bins_of(scores)
    assert len(table) == 2 * 2 * len(bins)
    stones = table[(table.dataset == "stones") & (table.against == "stones")]
    assert stones.images.tolist() == bins.counts(scores.ood["stones"]).tolist()
    assert stones.share.sum() == pytest.approx(1)
    assert set(table.fpr95) == {metrics.fpr_at_tpr(scores.id, values) for values in scores.ood.values()}
    assert set(table.w) == {0.4}


def test_reading_of_one_method_on_one_dataset(says: Says) -> None:
    scores = MethodScores("energy", None, np.arange(20.0), {"digits": np.array([0.0, 5.0, 6.0, 7.0])})
    picture = histograms([scores], "known", TITLES, PALETTE)
    says(picture.reading, "95 CIFAR-10 Energy 75.0 MNIST")


def test_reading_begins_with_the_best_method_and_names_its_hardest_dataset(says: Says) -> None:
    known = np.arange(20.0)
    weak = MethodScores("energy", None, known, {"digits": np.full(4, 9.0), "stones": np.full(4, 9.0)})
    good = MethodScores("nap", None, known, {"digits": np.array([0, 0, 0, 9.0]), "stones": np.full(4, 0.0)})
    says(
        histograms([weak, good], "known", TITLES, PALETTE, tpr=0.9).reading,
        "90 CIFAR-10 NAP 12.5 Energy 100.0 2 NAP MNIST 25.0",
    )
    # Two datasets equally hard: none is named. Together there is no average to speak of.
    assert "hardest" not in histograms([weak], "known", TITLES, PALETTE).reading
    says(histograms([good], "known", TITLES, PALETTE, together=True).reading, "95 CIFAR-10 NAP 12.5")


def test_label_has_w_only_where_there_is_one() -> None:
    assert label(made("nap+energy", 0.4)) == "NAP+Energy (w = 0.4)"
    assert label(made("energy")) == "Energy"


def test_images_in_a_bin_come_most_misplaced_first() -> None:
    # Bins are 0.5 wide and the first holds 1 to 1.5; the threshold, reached by 19 of 20, is 2.
    ood = {"digits": np.array([1.2, 2.0, 1.9]), "stones": np.array([1.4, 21.0, 2.1])}
    scores = MethodScores("energy", None, np.array([1.0, *np.arange(2.0, 20.0), 2.2]), ood)
    assert bins_of(scores).width == 0.5
    id_images, ood_images = images_in_bin(scores, 0, "known", ["digits", "stones"])
    assert [(item.row, item.wrong) for item in id_images] == [(0, True)]
    assert [(item.dataset, item.row, item.wrong) for item in ood_images] == [("stones", 0, False), ("digits", 0, False)]
    id_images, ood_images = images_in_bin(scores, 2, "known", ["digits", "stones"])
    assert [(item.row, item.score, item.wrong) for item in id_images] == [(1, 2.0, False), (19, 2.2, False)]
    # An OOD image that ties with the threshold is accepted, hence on the wrong side.
    assert [(item.dataset, item.row, item.wrong) for item in ood_images] == [("stones", 2, True), ("digits", 1, True)]


def test_bins_give_every_image_once_in_order() -> None:
    scores = made()
    shown = [images_in_bin(scores, at, "known", ["digits", "stones"]) for at in range(len(bins_of(scores)))]
    assert sorted(item.row for known, _ in shown for item in known) == list(range(400))
    assert sum(len(unknown) for _, unknown in shown) == 400
    for known, unknown in shown:
        assert [item.score for item in known] == sorted(item.score for item in known)
        assert [item.score for item in unknown] == sorted((item.score for item in unknown), reverse=True)
    assert {item.dataset for _, unknown in shown for item in unknown} == {"digits", "stones"}
    only = images_in_bin(scores, 20, "known", ["stones"])[1]
    assert {item.dataset for item in only} <= {"stones"}


def test_one_image_on_each_side(says: Says) -> None:
    figure = drawn([MethodScores("nap", None, np.array([2.0]), {"digits": np.array([3.0])})])
    says(printed(figure), "FPR95 100.0 AUROC 0.0 100.0 100.0")
