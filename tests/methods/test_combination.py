"""S_other^w · S_NAP^(1−w) by hand and by property, and the curve over w."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nap_core import metrics
from nap_core.methods.combination import WEIGHTS, WeightCurve, combine, weight_curve

WEIGHT = st.floats(0, 1)
SCORE = st.floats(1e-6, 1e6)
PAIR = st.integers(1, 30).flatmap(lambda n: st.tuples(*[hnp.arrays(np.float64, n, elements=SCORE)] * 2))


def test_by_hand() -> None:
    np.testing.assert_allclose(combine([4.0, 16.0], [9.0, 81.0], 0.5), [6.0, 36.0])
    assert combine([8.0], [2.0], 1 / 3) == pytest.approx(2 * 2 ** (2 / 3))  # 8^(1/3) · 2^(2/3)


@given(PAIR)
def test_ends_are_the_scores_themselves(pair) -> None:
    other, nap = pair
    np.testing.assert_array_equal(combine(other, nap, 1.0), other)
    np.testing.assert_array_equal(combine(other, nap, 0.0), nap)


def test_nap_of_zero_counts_only_below_w_1() -> None:
    assert combine([3.0], [0.0], 1.0).tolist() == [3.0]
    assert combine([3.0], [0.0], 0.9).tolist() == [0.0]


@given(PAIR, WEIGHT)
def test_lies_between_the_two(pair, w: float) -> None:
    other, nap = pair
    found = combine(other, nap, w)
    assert (found >= np.minimum(other, nap) * (1 - 1e-9)).all()
    assert (found <= np.maximum(other, nap) * (1 + 1e-9)).all()


@given(PAIR, WEIGHT, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_units_of_either_score_do_not_change_the_ranking(pair, w: float, times: float, by: float) -> None:
    """(a·S)^w · (b·T)^(1−w) = a^w b^(1−w) · S^w T^(1−w): one positive factor for all images."""
    other, nap = pair
    factor = times**w * by ** (1 - w)
    np.testing.assert_allclose(combine(times * other, by * nap, w), factor * combine(other, nap, w), rtol=1e-9)


@given(PAIR, WEIGHT)
def test_roles_swap_with_the_weight(pair, w: float) -> None:
    other, nap = pair
    np.testing.assert_allclose(combine(other, nap, w), combine(nap, other, 1 - w), rtol=1e-9)


@given(PAIR, st.floats(0.01, 0.99), st.floats(1.01, 10))
def test_more_of_either_is_more(pair, w: float, times: float) -> None:
    other, nap = pair
    found = combine(other, nap, w)
    assert (combine(other * times, nap, w) > found).all()
    assert (combine(other, nap * times, w) > found).all()


@pytest.mark.parametrize("w", [-0.1, 1.1, float("nan")])
def test_weight_outside_the_interval_is_refused(w: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        combine([1.0], [1.0], w)


@pytest.mark.parametrize(
    ("other", "nap"), [([0.0], [1.0]), ([-1.0], [1.0]), ([1.0], [-1.0]), ([float("nan")], [1.0]), ([1.0], [np.nan])]
)
def test_scores_without_a_power_are_refused(other: list[float], nap: list[float]) -> None:
    with pytest.raises(ValueError, match="positive scores"):
        combine(other, nap, 0.5)


def test_weights_hold_both_ends_and_the_papers_values() -> None:
    assert WEIGHTS[0] == 0.0
    assert WEIGHTS[-1] == 1.0
    assert {0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8} <= set(WEIGHTS)
    assert list(WEIGHTS) == sorted(set(WEIGHTS))


def curve(fpr95: list[list[float]], auroc: list[list[float]], w: tuple[float, ...]) -> WeightCurve:
    return WeightCurve(np.array(w), tuple(f"set {row}" for row in range(len(fpr95))), np.array(fpr95), np.array(auroc))


def test_average_counts_each_dataset_once() -> None:
    found = curve([[0.2, 0.4], [0.6, 0.0]], [[0.9, 1.0], [0.7, 0.8]], (0.0, 1.0))
    np.testing.assert_allclose(found.average("fpr95"), [0.4, 0.2])
    np.testing.assert_allclose(found.average("auroc"), [0.8, 0.9])


def test_best_is_lowest_fpr_and_highest_auroc() -> None:
    found = curve([[0.3, 0.1, 0.2]], [[0.7, 0.8, 0.9]], (0.0, 0.5, 1.0))
    assert found.best("fpr95") == 0.5
    assert found.best("auroc") == 1.0


def test_best_among_equals_is_the_one_nearest_the_middle() -> None:
    found = curve([[0.1, 0.1, 0.3, 0.1]], [[0.5] * 4], (0.0, 0.35, 0.5, 0.8))
    assert found.best("fpr95") == 0.35
    assert found.best("auroc") == 0.5


def test_curve_equals_the_metrics_of_the_combined_scores() -> None:
    rng = np.random.default_rng(3)
    known_other, known_nap = rng.random((2, 40)) + 0.5
    other = {"near": rng.random(30) + 0.3, "far": rng.random(25)}
    nap = {"near": rng.random(30) + 0.4, "far": rng.random(25) + 0.1}
    found = weight_curve(known_other, known_nap, other, nap, weights=(0.0, 0.4, 1.0))
    assert found.datasets == ("near", "far")
    assert found.fpr95.shape == found.auroc.shape == (2, 3)
    for row, name in enumerate(found.datasets):
        for column, (id_scores, ood_scores) in enumerate(
            [
                (known_nap, nap[name]),
                (known_other**0.4 * known_nap**0.6, other[name] ** 0.4 * nap[name] ** 0.6),
                (known_other, other[name]),
            ]
        ):
            assert found.fpr95[row, column] == metrics.fpr_at_tpr(id_scores, ood_scores)
            assert found.auroc[row, column] == metrics.auroc(id_scores, ood_scores)
