"""Channel by channel: hand-made activations, and the pair search against trying every pair."""

import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nap_core.activations import Activations
from nap_core.analysis.channels import ranking
from nap_core.analysis.channels.ranking import clearest_pair, matched_peaks, same_mean_pair


def made(mean: object, maximum: object, logits: object | None = None) -> Activations:
    """Activations with these statistics, (N, C) lists; one column may be given as a flat list."""
    columns = [np.asarray(values, np.float32) for values in (mean, maximum)]
    columns = [values[:, None] if values.ndim == 1 else values for values in columns]
    count = len(columns[0])
    made_logits = np.zeros((count, 2), np.float32) if logits is None else np.asarray(logits, np.float32)
    return Activations(columns[1], columns[0], np.zeros_like(columns[0]), made_logits, np.full(count, -1, np.int64))


def test_contributions_are_the_means_times_the_predicted_row_of_the_head_and_add_up_to_its_logit() -> None:
    head, bias = np.array([[1.0, -2.0], [0.5, 4.0]], np.float32), np.array([0.25, -1.0], np.float32)
    mean = np.array([[3.0, 0.5], [1.0, 2.0]], np.float32)
    logits = mean @ head.T + bias  # [[2.25, 2.5], [-2.75, 7.5]]: both images are class 1
    activations = made(mean, mean, logits)
    added = ranking.contributions(activations, head)
    assert added.tolist() == [[1.5, 2.0], [0.5, 8.0]]
    assert np.allclose(added.sum(axis=1) + bias[1], logits[:, 1])


def test_values_by_every_order_and_an_unknown_one() -> None:
    activations = made([[1.0, 3.0]], [[4.0, 6.0]], [[1.0, 0.0]])
    head = np.array([[2.0, -1.0], [0.0, 0.0]], np.float32)
    found = {order: ranking.values(activations, order, head).tolist() for order in ranking.ORDERS}
    assert found == {
        "contribution": [[2.0, -3.0]],
        "maximum": [[4.0, 6.0]],
        "mean": [[1.0, 3.0]],
        "ratio": [[2.0, 1.5]],
    }
    with pytest.raises(ValueError, match="variance"):
        ranking.values(activations, "variance", head)


def test_ranking_is_from_the_largest_and_keeps_the_order_of_equals() -> None:
    assert ranking.ranking([0.0, 2.0, -1.0, 2.0]).tolist() == [1, 3, 0, 2]


def test_pair_has_the_same_mean_and_the_largest_difference_of_maxima() -> None:
    known = made([0.50, 0.50, 2.00], [9.0, 6.0, 30.0])
    met = made([0.51, 0.49, 0.60, 1.00], [4.0, 1.5, 0.1, 0.2])
    pair = same_mean_pair(known, met, 0)
    assert pair is not None
    # Row 2's high peak has no partner of the same mean, and 0.60 is more than 5 % away from 0.50.
    assert (pair.id_row, pair.ood_row) == (0, 1)
    assert pair.difference == pytest.approx(7.5)
    assert (pair.id_mean, pair.ood_mean) == pytest.approx((0.5, 0.49))


def test_means_differ_by_a_share_of_the_larger_one_whichever_it_is() -> None:
    assert same_mean_pair(made([1.0], [2.0]), made([0.951], [1.0]), 0)
    assert same_mean_pair(made([0.951], [2.0]), made([1.0], [1.0]), 0)
    assert same_mean_pair(made([1.0], [2.0]), made([0.949], [1.0]), 0) is None
    assert same_mean_pair(made([0.949], [2.0]), made([1.0], [1.0]), 0) is None


def test_means_at_or_below_the_floor_are_left_out() -> None:
    assert same_mean_pair(made([0.09], [5.0]), made([0.09], [1.0]), 0) is None
    assert same_mean_pair(made([0.09], [5.0]), made([0.09], [1.0]), 0, floor=0.05)
    assert same_mean_pair(made([], []), made([0.5], [1.0]), 0) is None
    assert same_mean_pair(made([0.5], [1.0]), made([], []), 0) is None


def test_a_channel_where_the_known_image_never_peaks_higher_says_so_with_a_negative_difference() -> None:
    pair = same_mean_pair(made([0.5], [1.0]), made([0.5, 0.5], [3.0, 2.0]), 0)
    assert pair is not None and pair.ood_row == 1 and pair.difference == -1.0


def test_clearest_pair_takes_the_channel_with_the_largest_difference() -> None:
    known = made([[0.5, 0.5, 0.0]], [[2.0, 8.0, 0.0]])
    met = made([[0.5, 0.5, 0.0]], [[1.0, 3.0, 0.0]])
    pair = clearest_pair(known, met)
    assert pair is not None and pair.channel == 1 and pair.difference == 5.0
    assert clearest_pair(made([[0.0]], [[0.0]]), met) is None


means = st.lists(st.floats(0.0, 1.0, width=32), min_size=0, max_size=30)


@settings(deadline=None)
@given(means, means, st.randoms(use_true_random=False))
def test_pair_equals_trying_every_pair(id_mean: list[float], ood_mean: list[float], random: object) -> None:
    def peaks(values: list[float]) -> list[float]:
        return [random.randint(0, 6) for _ in values]  # type: ignore[attr-defined]

    known, met = made(id_mean, peaks(id_mean)), made(ood_mean, peaks(ood_mean))
    best = None
    for first in range(len(known)):
        for second in range(len(met)):
            a, b = float(known.mean[first, 0]), float(met.mean[second, 0])
            assume(abs(abs(a - b) - 0.05 * max(a, b)) > 1e-12)  # on the edge, the last bit decides
            if min(a, b) > 0.1 and abs(a - b) <= 0.05 * max(a, b):
                difference = float(known.maximum[first, 0] - met.maximum[second, 0])
                if best is None or difference > best[0]:
                    best = (difference, first, second)
    pair = same_mean_pair(known, met, 0)
    assert (best is None) == (pair is None)
    if best and pair:
        assert (pair.difference, pair.id_row, pair.ood_row) == best


def test_ten_thousand_by_ten_thousand_images_take_well_under_a_second() -> None:
    random = np.random.default_rng(0)
    known = made(random.random(10_000), random.random(10_000) * 9)
    met = made(random.random(10_000), random.random(10_000) * 9)
    start = time.perf_counter()
    assert same_mean_pair(known, met, 0)
    assert time.perf_counter() - start < 0.5


def test_matched_peaks_compares_each_known_image_with_its_nearest_in_mean() -> None:
    known = made([0.50, 1.00, 2.00, 3.00, 0.05], [5.0, 1.0, 7.0, 9.0, 9.0])
    met = made([33 / 64, 31 / 64, 1.01, 2.00, 0.05], [9.0, 4.0, 3.0, 7.0, 0.0])
    found = matched_peaks(known, met, 0)
    # 0.50 is as near to 31/64 as to 33/64: the lower is taken (won); 1.00 lost; 2.00 tied; 3.00 has no partner.
    assert found.pairs == 3
    assert found.share == pytest.approx((1 + 0 + 0.5) / 3)


def test_matched_peaks_without_any_match_is_nan() -> None:
    for known, met in ((made([0.5], [1.0]), made([0.9], [1.0])), (made([0.0], [0.0]), made([0.5], [1.0]))):
        found = matched_peaks(known, met, 0)
        assert found.pairs == 0 and np.isnan(found.share)
    assert matched_peaks(made([0.5], [1.0]), made([], []), 0).pairs == 0


def test_the_average_maximum_counts_every_image_of_every_dataset_alike() -> None:
    one, two = made([[0.0, 0.0]], [[3.0, 1.0]]), made([[0.0, 0.0]] * 3, [[1.0, 2.0], [2.0, 4.0], [6.0, 3.0]])
    assert ranking.average_maximum([one, two]).tolist() == [3.0, 2.5]
