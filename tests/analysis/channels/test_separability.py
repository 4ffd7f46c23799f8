"""How well single channels separate, and how much higher peaks stand at the same mean."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score

from nap_core.activations import Activations
from nap_core.analysis.channels.separability import LEAST, channel_auroc, peak_curve, peak_factor, ratio_auroc


def test_auroc_counts_pairs_and_ties_half() -> None:
    known = np.array([[1.0, 5.0, 0.0], [2.0, 5.0, 1.0]])
    unknown = np.array([[1.0, 5.0, 2.0], [0.0, 5.0, 3.0]])
    # first channel: 1 ties with 1 and beats 0, 2 beats both: 3½ of 4 pairs
    assert channel_auroc(known, unknown).tolist() == [3.5 / 4, 0.5, 0.0]


@pytest.mark.parametrize(("n", "m"), [(200, 300), (1, 40), (40, 1)])
def test_auroc_agrees_with_scikit_learn_in_every_channel(n: int, m: int) -> None:
    chance = np.random.default_rng(1)
    # rounded, so that there are ties; silent channels, as after a ReLU
    known = np.round(chance.gamma(2, 1.2, (n, 7)), 1).astype(np.float32)
    unknown = np.round(chance.gamma(2, 1.0, (m, 7)), 1).astype(np.float32)
    known[:, 3] = unknown[:, 3] = 0
    is_id = np.arange(n + m) < n
    found = channel_auroc(known, unknown)
    for channel in range(7):
        expected = roc_auc_score(is_id, np.concatenate([known[:, channel], unknown[:, channel]]))
        assert found[channel] == pytest.approx(expected, abs=1e-12)


@given(
    arrays(np.float64, (5, 3), elements=st.integers(0, 4).map(float)),
    arrays(np.float64, (4, 3), elements=st.integers(0, 4).map(float)),
    arrays(np.float64, (6, 3), elements=st.integers(0, 4).map(float)),
)
def test_auroc_turns_round_and_averages_over_datasets(known: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
    np.testing.assert_allclose(channel_auroc(known, first) + channel_auroc(first, known), 1)
    joined = channel_auroc(known, np.concatenate([first, second]))
    average = (4 * channel_auroc(known, first) + 6 * channel_auroc(known, second)) / 10
    np.testing.assert_allclose(joined, average)


def test_auroc_of_a_large_study_takes_a_moment() -> None:
    chance = np.random.default_rng(0)
    known, unknown = (chance.random((n, 2048), dtype=np.float32) for n in (1000, 10_000))
    start = time.process_time()
    channel_auroc(known, unknown)
    assert time.process_time() - start < 10  # 0.5 s; a loop over roc_auc_score takes half a minute


@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        (np.ones((0, 2)), np.ones((3, 2))),
        (np.ones((3, 2)), np.ones((0, 2))),
        (np.ones((3, 2)), np.ones((3, 1))),
        (np.ones(3), np.ones(3)),
        (np.array([[1.0], [np.nan]]), np.ones((2, 1))),
        (np.ones((2, 1)), np.array([[np.inf]])),
    ],
)
def test_auroc_refuses_what_has_no_ranks(known: np.ndarray, unknown: np.ndarray) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        channel_auroc(known, unknown)


def test_peak_curve_takes_the_median_in_each_bin() -> None:
    chance = np.random.default_rng(2)
    mean, maximum = chance.gamma(2, 0.5, 3000), chance.gamma(2, 2, 3000)
    curve = peak_curve(mean, maximum)
    edges = 0.01 * 1.2 ** np.arange(len(curve.count) + 1)
    for place in range(len(curve.count)):
        inside = (mean >= edges[place]) & (mean < edges[place + 1])
        assert curve.count[place] == inside.sum()
        if inside.any():
            assert curve.median[place] == pytest.approx(np.median(maximum[inside]))
            assert edges[place] < curve.centre[place] < edges[place + 1]
        else:
            assert np.isnan(curve.median[place])


def test_peak_curve_passes_over_silent_maps_and_draws_only_firm_bins() -> None:
    curve = peak_curve(np.array([0.0, 0.009, *[1.0] * LEAST, 3.0]), np.ones(LEAST + 3))
    assert curve.count.sum() == LEAST + 1
    assert curve.firm.sum() == 1


def test_peak_factor_is_the_ratio_of_maxima_at_the_same_mean() -> None:
    mean = np.repeat([0.2, 0.5, 1.0, 2.0], 20)
    known, unknown = peak_curve(mean, 6 * mean), peak_curve(mean, 4 * mean)
    assert peak_factor(known, unknown) == pytest.approx(1.5)
    assert peak_factor(unknown, known) == pytest.approx(1 / 1.5)


def test_peak_factor_is_not_fooled_by_larger_means() -> None:
    chance = np.random.default_rng(3)
    low, high = chance.gamma(2, 0.3, 20_000), chance.gamma(2, 0.6, 20_000)  # the same curve of maximum over mean
    assert np.median(5 * high) > 1.8 * np.median(5 * low)
    assert peak_factor(peak_curve(high, 5 * high), peak_curve(low, 5 * low)) == pytest.approx(1, abs=0.02)


def test_peak_factor_weighs_a_bin_by_its_weaker_side() -> None:
    mean = np.repeat([0.2, 2.0], [30, 10])
    known = peak_curve(mean, np.where(mean < 1, 4.0, 3.0))
    unknown = peak_curve(np.repeat([0.2, 2.0], [1000, 10]), np.repeat([1.0, 3.0], [1000, 10]))
    assert peak_factor(known, unknown) == pytest.approx(4 ** (30 / 40))


def test_peak_factor_needs_means_that_both_sides_have() -> None:
    here, there = peak_curve(np.full(50, 0.2), np.ones(50)), peak_curve(np.full(50, 2.0), np.full(50, 3.0))
    assert np.isnan(peak_factor(here, there))
    few = peak_curve(np.full(LEAST - 1, 0.2), np.ones(LEAST - 1))
    assert np.isnan(peak_factor(here, few))


def spread(rows: int, seed: int) -> Activations:
    mean = np.random.default_rng(seed).gamma(1, 1, (rows, 6)).astype(np.float32)
    return Activations(mean * (3 + seed), mean, mean, np.zeros((rows, 2)), np.zeros(rows, np.int64))


def test_channels_are_ranked_on_all_images_or_on_the_first_of_each_dataset() -> None:
    known, one, other = spread(300, 0), spread(100, 1), spread(50, 2)
    found, images = ratio_auroc(known, [one, other])
    joined = np.concatenate([one.ratio(), other.ratio()])
    np.testing.assert_array_equal(found, channel_auroc(known.ratio(), joined))
    assert images == 450
    found, images = ratio_auroc(known, [one, other], most=6 * 225)
    joined = np.concatenate([one.head(50).ratio(), other.head(25).ratio()])
    np.testing.assert_array_equal(found, channel_auroc(known.head(150).ratio(), joined))
    assert images == 225
