"""Bootstrap intervals: equal to resampling by hand and to SciPy's, and right about as often as they promise."""

import math
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from nap_core import metrics
from nap_core.analysis.bootstrap import SECONDS_AN_IMAGE, draws, expected_seconds, interval, intervals, resample
from nap_core.analysis.comparison import AVERAGE
from nap_core.analysis.evaluation import MethodScores


def normal(size: int, centre: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, 1, size)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (20, 7), (31, 60)])
def test_every_resample_has_the_metrics_of_its_images(n: int, m: int, tied: bool) -> None:
    known, unknown = normal(n, 1, 0), normal(m, 0, 1)
    if tied:
        known, unknown = known.round(), unknown.round()
    found = resample(known, unknown, resamples=40, seed=3, stream=2)
    of_known, of_unknown = (
        np.concatenate([draws(size, 32, 3, stream, 0), draws(size, 8, 3, stream, 1)])
        for size, stream in ((n, 0), (m, 2))
    )
    for row, (drawn, met) in enumerate(zip(of_known, of_unknown, strict=True)):
        images = np.repeat(known, drawn), np.repeat(unknown, met)
        assert found.fpr95[row] == pytest.approx(metrics.fpr_at_tpr(*images), abs=1e-12)
        assert found.auroc[row] == pytest.approx(metrics.auroc(*images), abs=1e-12)


def test_draws_are_as_many_as_the_images_and_repeat() -> None:
    drawn = draws(50, 200, 1, 0)
    assert (drawn.sum(axis=1) == 50).all()
    np.testing.assert_array_equal(drawn, draws(50, 200, 1, 0))
    assert not np.array_equal(drawn, draws(50, 200, 1, 1))
    # Each image is drawn once on average: 200 draws of a Poisson-like count have a standard error of 0.07.
    assert drawn.mean(axis=0) == pytest.approx(np.ones(50), abs=0.35)


def test_intervals_agree_with_scipy() -> None:
    known, unknown = normal(60, 1.2, 5), normal(45, 0, 6)
    found = resample(known, unknown, resamples=4000)
    for ours, metric in ((found.fpr95, metrics.fpr_at_tpr), (found.auroc, metrics.auroc)):
        theirs = stats.bootstrap(
            (known, unknown), metric, n_resamples=4000, method="percentile", vectorized=False, rng=0
        ).confidence_interval
        # Two of 4,000 resamples each: the ends differ by chance, by far less than the interval is wide.
        assert interval(ours) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_the_truth_lies_in_the_interval_about_as_often_as_promised() -> None:
    truth = stats.norm.cdf(1 / math.sqrt(2))  # the AUROC of two normal distributions one deviation apart
    hits = 0
    for seed in range(200):
        found = resample(normal(150, 1, 2 * seed), normal(150, 0, 2 * seed + 1), resamples=300)
        low, high = interval(found.auroc)
        hits += low <= truth <= high
    assert 0.90 <= hits / 200 <= 0.985  # 95 % give or take three standard errors


def test_id_images_are_drawn_alike_whatever_they_are_set_against() -> None:
    """FPR95 of OOD images that repeat the ID images' scores tells which threshold a resample had."""
    known = normal(300, 0, 0)
    few, many = (resample(known, np.linspace(-4, 4, size), resamples=100) for size in (20_001, 40_001))
    assert few.fpr95 == pytest.approx(many.fpr95, abs=0.02)
    assert len(np.unique(few.fpr95.round(2))) > 3  # thresholds differ between resamples, blocks included


def test_many_images_stay_below_a_gigabyte() -> None:
    tracemalloc.start()
    resample(normal(10_000, 1, 0), normal(60_000, 0, 1), resamples=130)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e9


def test_average_is_resampled_too() -> None:
    scores = MethodScores("nap", None, normal(100, 1, 0), {"a": normal(100, 0, 1), "b": normal(100, 0.5, 2)})
    found = intervals(scores, resamples=500).set_index("ood")
    assert list(found.index) == ["a", "b", AVERAGE]
    mean = np.mean([metrics.auroc(scores.id, values) for values in scores.ood.values()])
    assert found.loc[AVERAGE, "auroc_low"] < mean < found.loc[AVERAGE, "auroc_high"]
    width = found["auroc_high"] - found["auroc_low"]
    assert width[AVERAGE] < max(width["a"], width["b"])
    alone = MethodScores("nap", None, scores.id, {"a": scores.ood["a"]})
    assert intervals(alone, resamples=500)["ood"].tolist() == ["a"]


def test_perfect_separation_has_no_width() -> None:
    found = resample(normal(50, 100, 0), normal(50, 0, 1))
    assert interval(found.fpr95) == (0.0, 0.0)
    assert interval(found.auroc) == (1.0, 1.0)


@pytest.mark.parametrize("bad", [[], [np.nan], [np.inf, 1.0]])
def test_scores_that_cannot_be_measured(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="OOD scores"):
        resample([1.0, 2.0], bad)


def test_the_expected_time_counts_id_images_once_a_dataset_and_every_ood_image() -> None:
    scores = MethodScores("nap", None, np.zeros(10), {"a": np.zeros(3), "b": np.zeros(4)})
    assert expected_seconds([scores, scores]) == pytest.approx(SECONDS_AN_IMAGE * 2 * (10 * 2 + 7))
    assert expected_seconds([]) == 0
