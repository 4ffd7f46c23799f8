"""S_NAP against numbers worked out by hand from equation 3 of the paper, and what must hold for any activations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nap_core import nap
from nap_core.activations import Activations
from nap_core.nap import EPSILON, channel_terms, nap_score

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)
POSITIVE = st.floats(0, 100, width=32)


def activations(maximum, mean) -> Activations:
    maximum, mean = np.array(maximum, np.float32), np.array(mean, np.float32)
    images = len(maximum)
    return Activations(maximum, mean, np.zeros_like(mean), np.zeros((images, 2), np.float32), np.full(images, -1))


@st.composite
def any_activations(draw):
    shape = draw(SHAPES)
    maximum = draw(hnp.arrays(np.float32, shape, elements=POSITIVE))
    share = draw(hnp.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    return activations(maximum, maximum * share)  # a mean never exceeds its maximum


def test_epsilon_is_the_papers() -> None:
    assert EPSILON == 1.0


def test_score_by_hand() -> None:
    found = activations([[2, 0, 3], [1, 4, 6]], [[1, 0, 0.5], [0, 1, 2]])
    # (2 / 2)², 0, (3 / 1.5)² and (1 / 1)², (4 / 2)², (6 / 3)²
    np.testing.assert_allclose(channel_terms(found), [[1, 0, 4], [1, 4, 4]])
    np.testing.assert_allclose(nap_score(found), [5 / 3, 3])


def test_epsilon_is_added_to_the_mean() -> None:
    found = activations([[6.0]], [[1.0]])
    assert nap_score(found, epsilon=2.0) == pytest.approx(4.0)
    assert nap_score(found, epsilon=0.5) == pytest.approx(16.0)


def test_square_is_taken_in_each_channel_before_the_average() -> None:
    # The square of the average ratio would be (1.5)² = 2.25.
    assert nap_score(activations([[1, 2]], [[0, 0]])) == pytest.approx(2.5)


def test_silent_image_scores_zero() -> None:
    assert nap_score(activations([[0, 0]], [[0, 0]])).tolist() == [0.0]


def test_one_image_and_one_channel() -> None:
    score = nap_score(activations([[3]], [[2]]))
    assert score.shape == (1,)
    assert score.dtype == np.float64
    assert score[0] == pytest.approx(1.0)


def test_large_activations_do_not_overflow_single_precision() -> None:
    assert nap_score(activations([[1e20]], [[0]]))[0] == pytest.approx(1e40, rel=1e-6)


def test_same_mean_with_a_higher_peak_scores_higher() -> None:
    scores = nap_score(activations([[1, 1], [1, 5]], [[0.5, 0.5], [0.5, 0.5]]))
    assert scores[1] > scores[0]


@given(any_activations())
def test_score_is_the_mean_of_the_squared_ratio(found: Activations) -> None:
    np.testing.assert_allclose(nap_score(found), np.mean(found.ratio().astype(np.float64) ** 2, axis=1), rtol=1e-5)


@given(any_activations(), st.randoms(use_true_random=False))
def test_order_of_channels_does_not_matter(found: Activations, random) -> None:
    order = list(range(found.channels))
    random.shuffle(order)
    shuffled = activations(found.maximum[:, order], found.mean[:, order])
    np.testing.assert_allclose(nap_score(shuffled), nap_score(found), rtol=1e-12)


@given(any_activations())
def test_each_image_is_scored_by_itself(found: Activations) -> None:
    alone = [nap_score(found.take(slice(index, index + 1)))[0] for index in range(len(found))]
    np.testing.assert_array_equal(nap_score(found), alone)


@given(any_activations(), st.floats(0.125, 10))
def test_brighter_mean_lowers_and_higher_peak_raises(found: Activations, more: float) -> None:
    scores = nap_score(found)
    assert (nap_score(activations(found.maximum, found.mean + more)) <= scores).all()
    assert (nap_score(activations(found.maximum + more, found.mean)) > scores).all()
    assert (scores >= 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("shape", [(1, 1), (5, 64), (700, 342), (3, 150_000)])
def test_blocks_of_rows_change_no_bit(dtype, shape) -> None:
    draw = np.random.default_rng(1)
    mean = draw.gamma(0.5, 0.4, shape).astype(dtype)
    maximum = (mean * draw.uniform(1, 12, shape)).astype(dtype)
    images = Activations(maximum, mean, mean * 2, np.zeros((len(mean), 2)), np.zeros(len(mean), np.int64))
    peak, average = maximum.astype(np.float64), mean.astype(np.float64)
    ratio = peak / (average + 1.0)
    np.testing.assert_array_equal(nap.nap_score(images), (ratio**2).mean(axis=1))
    np.testing.assert_array_equal(nap.no_square_score(images), np.sqrt(ratio**2).mean(axis=1))
    np.testing.assert_array_equal(nap.minus_score(images), (peak - average).mean(axis=1))
    np.testing.assert_array_equal(nap.variance_score(images), (mean * 2).astype(np.float64).mean(axis=1))
