"""Places in the results table, verdicts that part, and curves with fewer points, all on numbers made up by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nap_core import datasets, metrics
from nap_core.analysis import comparison
from nap_core.analysis.comparison import (
    AVERAGE,
    BEST,
    IMAGE_COLUMNS,
    SECOND,
    compare_images,
    disagreement,
    scoreboard,
    thinned_curve,
    verdicts,
)
from nap_core.analysis.evaluation import MethodScores

SCORES = st.lists(st.integers(-9, 9), min_size=1, max_size=30)


def results(fpr95: dict[str, list[float]], datasets_met: tuple[str, ...]) -> pd.DataFrame:
    rows = [
        {"method": method, "ood": ood, "fpr95": share, "auroc": 1 - share / 2}
        for method, shares in fpr95.items()
        for ood, share in zip(datasets_met, shares, strict=True)
    ]
    return pd.DataFrame(rows)


def scores(method: str, known: list[float], **unknown: list[float]) -> MethodScores:
    return MethodScores(
        method, None, np.array(known, float), {name: np.array(values, float) for name, values in unknown.items()}
    )


class TestScoreboard:
    TABLE = results({"nap": [0.1, 0.5], "msp": [0.3, 0.2], "energy": [0.2, 0.4]}, ("mnist", "textures"))

    def test_average_comes_last_and_counts_each_dataset_once(self) -> None:
        board = scoreboard(self.TABLE, "fpr95")
        assert board.methods == ("nap", "msp", "energy")
        assert board.columns == ("mnist", "textures", AVERAGE)
        assert board.datasets == ("mnist", "textures")
        np.testing.assert_allclose(board.values, [[0.1, 0.5, 0.3], [0.3, 0.2, 0.25], [0.2, 0.4, 0.3]])
        assert board.value("msp", AVERAGE) == pytest.approx(0.25)

    def test_low_fpr_is_good_and_high_auroc_is_good(self) -> None:
        places = [[1, 3, 2], [3, 1, 1], [2, 2, 2]]
        assert scoreboard(self.TABLE, "fpr95").places.tolist() == places
        assert scoreboard(self.TABLE, "auroc").places.tolist() == places

    def test_one_dataset_has_no_average(self) -> None:
        board = scoreboard(results({"nap": [0.1], "msp": [0.2]}, ("mnist",)), "fpr95")
        assert board.columns == board.datasets == ("mnist",)

    def test_no_dataset_is_called_like_the_average(self) -> None:
        assert AVERAGE not in datasets.RECORDS

    def test_what_prints_alike_shares_a_place(self) -> None:
        board = scoreboard(results({"a": [0.12341], "b": [0.12339], "c": [0.1239], "d": [0.5]}, ("mnist",)), "fpr95")
        assert board.places[:, 0].tolist() == [1, 1, 2, 3]  # 12.3, 12.3, 12.4, 50.0
        assert board.leaders("mnist") == ("a", "b")
        assert board.leaders("mnist", SECOND) == ("c",)

    def test_all_alike_have_no_second(self) -> None:
        board = scoreboard(results({"a": [1.0], "b": [1.0]}, ("mnist",)), "fpr95")
        assert board.leaders("mnist", BEST) == ("a", "b")
        assert board.leaders("mnist", SECOND) == ()


class TestCompareImages:
    A = scores("a", [1, 2, 3, 4], mnist=[0, 5], textures=[2.5])
    B = scores("b", [40, 30, 20, 10], mnist=[35, 5], textures=[5])

    def test_every_image_of_the_study_once_in_its_order(self) -> None:
        found = compare_images(self.A, self.B, "cifar10")
        assert list(found.columns) == IMAGE_COLUMNS
        assert found["dataset"].tolist() == ["cifar10"] * 4 + ["mnist"] * 2 + ["textures"]
        assert found["row"].tolist() == [0, 1, 2, 3, 0, 1, 0]
        assert found["is_id"].tolist() == [True] * 4 + [False] * 3
        assert found["score_a"].tolist() == [1, 2, 3, 4, 0, 5, 2.5]
        assert found["score_b"].tolist() == [40, 30, 20, 10, 35, 5, 5]

    def test_ranks_are_among_id_and_ood_together_with_ties_in_the_middle(self) -> None:
        found = compare_images(self.A, self.B, "cifar10")
        np.testing.assert_allclose(found["rank_a"], np.array([2, 3, 5, 6, 1, 7, 4]) / 7)
        np.testing.assert_allclose(found["rank_b"], np.array([7, 5, 4, 3, 6, 1.5, 1.5]) / 7)

    def test_verdict_is_at_each_methods_own_threshold(self) -> None:
        found = compare_images(self.A, self.B, "cifar10")  # thresholds 1 and 10
        assert found["accepted_a"].tolist() == [True, True, True, True, False, True, True]
        assert found["accepted_b"].tolist() == [True, True, True, True, True, False, False]
        half = compare_images(self.A, self.B, "cifar10", tpr=0.5)  # thresholds 3 and 30
        assert half["accepted_a"].tolist() == [False, False, True, True, False, True, False]
        assert half["accepted_b"].tolist() == [True, True, False, False, True, False, False]

    def test_datasets_are_matched_by_name(self) -> None:
        other_order = scores("b", [40, 30, 20, 10], textures=[5], mnist=[35, 5])
        pd.testing.assert_frame_equal(
            compare_images(self.A, other_order, "cifar10"), compare_images(self.A, self.B, "cifar10")
        )

    def test_one_image_each(self) -> None:
        found = compare_images(scores("a", [1], mnist=[1]), scores("b", [1], mnist=[0]), "cifar10")
        assert found["rank_a"].tolist() == [0.75, 0.75]
        assert found["accepted_a"].tolist() == [True, True]
        assert found["accepted_b"].tolist() == [True, False]

    @given(SCORES, SCORES)
    def test_shares_of_verdicts_are_tpr_and_fpr(self, known: list[int], unknown: list[int]) -> None:
        a = scores("a", known, mnist=unknown)
        found = compare_images(a, scores("b", known[::-1], mnist=unknown[::-1]), "cifar10")
        assert found.loc[found["is_id"], "accepted_a"].mean() >= 0.95
        assert found.loc[~found["is_id"], "accepted_a"].mean() == pytest.approx(metrics.fpr_at_tpr(known, unknown))
        assert (found["rank_a"] > 0).all()
        assert found["rank_a"].max() <= 1


class TestDisagreement:
    def test_by_hand(self) -> None:
        found = disagreement(compare_images(TestCompareImages.A, TestCompareImages.B, "cifar10"))
        # Only A accepts mnist 1 (ranks 7 and 1.5 of 7) and textures 0 (4 and 1.5); only B accepts mnist 0.
        assert found.images == 7
        assert list(zip(found.only_a["dataset"], found.only_a["row"], strict=True)) == [("mnist", 1), ("textures", 0)]
        assert list(zip(found.only_b["dataset"], found.only_b["row"], strict=True)) == [("mnist", 0)]
        assert (found.count, found.right_a, found.right_b) == (3, 1, 2)

    def test_id_images_are_right_to_accept(self) -> None:
        known = list(range(20))
        a, b = scores("a", known, mnist=[50]), scores("b", known[::-1], mnist=[50])
        found = disagreement(compare_images(a, b, "cifar10"))  # each refuses its own lowest ID image
        assert found.only_a["row"].tolist() == [19]
        assert found.only_b["row"].tolist() == [0]
        assert (found.right_a, found.right_b) == (1, 1)

    def test_method_agrees_with_itself(self) -> None:
        a = TestCompareImages.A
        found = disagreement(compare_images(a, a, "cifar10"))
        assert (found.count, found.right_a, found.right_b) == (0, 0, 0)
        assert list(found.only_a.columns) == IMAGE_COLUMNS

    @given(SCORES, SCORES, st.randoms(use_true_random=False))
    def test_exchanging_the_methods_exchanges_the_sides(self, known: list[int], unknown: list[int], random) -> None:
        a = scores("a", known, mnist=unknown)
        b = scores("b", random.sample(known, len(known)), mnist=random.sample(unknown, len(unknown)))
        one, other = (disagreement(compare_images(*pair, "cifar10")) for pair in ((a, b), (b, a)))
        assert one.only_a.index.tolist() == other.only_b.index.tolist()
        assert one.only_b.index.tolist() == other.only_a.index.tolist()
        assert (one.right_a, one.right_b) == (other.right_b, other.right_a)
        assert one.count <= one.images
        for side, order in ((one.only_a, 1), (one.only_b, -1)):
            apart = order * (side["rank_a"] - side["rank_b"])
            assert (apart.diff().dropna() <= 0).all()


class TestVerdicts:
    def test_every_method_on_one_image(self) -> None:
        rows = [TestCompareImages.A, TestCompareImages.B]
        found = verdicts(rows, "cifar10", "mnist", 1)
        assert found["method"].tolist() == ["a", "b"]
        assert found["score"].tolist() == [5, 5]
        assert found["threshold"].tolist() == [1, 10]
        assert found["accepted"].tolist() == [True, False]
        assert found["percentile"].tolist() == [1.0, 0.0]

    def test_id_image(self) -> None:
        found = verdicts([TestCompareImages.A], "cifar10", "cifar10", 0)
        assert found["score"].tolist() == [1]
        assert found["accepted"].tolist() == [True]
        assert found["percentile"].tolist() == [0.125]


class TestThinnedCurve:
    def test_corners_stay_and_points_on_a_line_go(self) -> None:
        x, y = np.array([0, 0, 0, 0.5, 1.0]), np.array([0, 0.25, 1, 1, 1])
        kept = thinned_curve(x, y)
        assert kept[0].tolist() == [0, 0, 1]
        assert kept[1].tolist() == [0, 1, 1]

    def test_two_points_stay(self) -> None:
        assert [part.tolist() for part in thinned_curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]))] == [[0, 1], [0, 1]]

    def test_curve_that_comes_back_to_its_start(self) -> None:
        x, y = np.array([0.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0])
        assert thinned_curve(x, y)[0].tolist() == [0, 1, 0]

    @pytest.mark.parametrize("images", [20, 500, 20_000])
    def test_no_point_lies_further_off_than_the_tolerance(self, images: int) -> None:
        rng = np.random.default_rng(0)
        fpr, tpr = metrics.roc(rng.normal(1, 1, images), rng.normal(0, 1, images))
        x, y = thinned_curve(fpr, tpr, tolerance=1e-3)
        assert set(zip(x, y, strict=True)) <= set(zip(fpr, tpr, strict=True))
        assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
        # A rising line's distance in direction (1, −1) is a bound on what the eye sees, whatever its slope.
        drawn = np.interp(fpr + tpr, x + y, x - y)
        assert np.abs(drawn - (fpr - tpr)).max() <= 2e-3 + 1e-12

    def test_many_points_become_few_and_the_area_stays(self) -> None:
        rng = np.random.default_rng(1)
        known, unknown = rng.normal(1, 1, 50_000), rng.normal(0, 1, 50_000)
        fpr, tpr = metrics.roc(known, unknown)
        x, y = thinned_curve(fpr, tpr)
        assert len(fpr) > 20_000
        assert len(x) < 500
        assert np.trapezoid(y, x) == pytest.approx(metrics.auroc(known, unknown), abs=5e-4)

    def test_nothing_is_lost_on_small_sets(self) -> None:
        """Steps of one image in 500 are four times the tolerance."""
        rng = np.random.default_rng(2)
        known, unknown = rng.normal(1, 1, 500), rng.normal(0, 1, 500)
        x, y = thinned_curve(*metrics.roc(known, unknown))
        assert np.trapezoid(y, x) == pytest.approx(metrics.auroc(known, unknown), abs=1e-12)


def test_table_is_sorted_by_a_column_with_its_places() -> None:
    board = scoreboard(results({"nap": [0.5, 0.1], "msp": [0.2, 0.3], "energy": [0.2, 0.9]}, ("a", "b")), "fpr95")
    ranked = board.sorted_by("a")
    assert ranked.methods == ("msp", "energy", "nap")
    assert [ranked.value(name, "b") for name in ranked.methods] == [0.3, 0.9, 0.1]
    assert ranked.leaders("b") == board.leaders("b") == ("nap",)
    assert board.sorted_by("b").methods == ("nap", "msp", "energy")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["nap", "msp", "nap+energy", "knn:k=3"]),
        ({"family": "logits"}, ["msp", "nap+energy"]),
        ({"with_nap": True}, ["nap", "nap+energy"]),
        ({"with_nap": False}, ["msp", "knn:k=3"]),
        ({"words": "SOFTMAX 2017"}, ["msp"]),
        ({"words": "k 3"}, ["knn:k=3"]),
        ({"family": "prior", "words": "softmax"}, []),
    ],
)
def test_filter(options: dict, expected: list[str]) -> None:
    assert comparison.matching(["nap", "msp", "nap+energy", "knn:k=3"], **options) == expected


def test_rank_correlation_is_scipys() -> None:
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=80), draw.normal(size=80).round(1)
    rows = [
        MethodScores(name, None, values[:50], {"a": values[50:]})
        for name, values in (("nap", first), ("msp", second), ("energy", -np.exp(first)), ("gen", np.ones(80)))
    ]
    found = comparison.rank_correlation(rows)
    assert found.loc["nap", "msp"] == pytest.approx(stats.spearmanr(first, second).statistic)
    assert found.loc["nap", "energy"] == pytest.approx(-1)
    assert np.isnan(found.loc["nap", "gen"])


def test_pareto_front() -> None:
    x, y = np.array([0.9, 0.8, 0.8, 0.7, 0.9]), np.array([0.5, 0.6, 0.5, 0.6, 0.5])
    assert comparison.pareto_front(x, y).tolist() == [True, True, False, False, True]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_fpr_at_several_tprs_is_the_metric_at_each(n: int, m: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    known, unknown = draw.normal(size=n).round(1), draw.normal(size=m).round(1)
    tprs = np.array([0.05, 0.5, 0.8, 0.95, 0.99, 1.0])
    expected = [metrics.fpr_at_tpr(known, unknown, tpr) for tpr in tprs]
    assert comparison.fpr_at_tprs(known, unknown, tprs) == pytest.approx(expected, abs=1e-12)
