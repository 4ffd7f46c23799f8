"""FPR95, AUROC and AUPR by hand, by property, and against pytorch-ood's where the definitions agree."""

from fractions import Fraction
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_ood.metrics import OODMetrics

from nap_core import metrics

# Whole numbers: rising functions of them keep every order and every tie exactly.
SCORES = st.lists(st.integers(-20, 20), min_size=1, max_size=60)
RISING = st.sampled_from([lambda x: 3 * x + 1, lambda x: x**3, lambda x: np.exp(x / 4), np.arctan, lambda x: x / 7])


def pytorch_ood(id_scores, ood_scores) -> dict[str, float]:
    """pytorch-ood takes outlier scores, so ours are negated; labels below 0 mark OOD."""
    scores = -torch.tensor([*id_scores, *ood_scores], dtype=torch.float64)
    labels = torch.tensor([0] * len(id_scores) + [-1] * len(ood_scores))
    return OODMetrics().update(scores, labels).compute()


class TestThreshold:
    def test_95_percent_of_20_images_are_19(self) -> None:
        assert metrics.threshold_at_tpr(np.arange(1, 21)) == 2.0

    def test_what_is_left_over_is_rounded_up(self) -> None:
        assert metrics.threshold_at_tpr(np.arange(21)) == 1.0  # 20 of 21 are 95.2 %, 19 were 90.5 %
        assert metrics.threshold_at_tpr(np.arange(10)) == 0.0  # 9 of 10 would be too few

    def test_number_accepted_is_exact_for_any_number_of_images(self) -> None:
        for images in [*range(1, 1001), 10_000, 50_000]:
            needed = ceil(Fraction(95, 100) * images)
            assert metrics.threshold_at_tpr(np.arange(images)) == images - needed

    def test_number_accepted_is_exact_for_any_tpr_a_page_can_ask_for(self) -> None:
        """0.55 × 100 is 55.00000000000001 in floating point: not a reason to ask for 56."""
        for images in (20, 100, 200, 1000):
            for half_percent in range(100, 201):
                needed = ceil(Fraction(half_percent, 200) * images)
                assert metrics.threshold_at_tpr(np.arange(images), half_percent / 200) == images - needed

    def test_order_of_the_images_does_not_matter(self) -> None:
        assert metrics.threshold_at_tpr(np.random.default_rng(0).permutation(100)) == 5.0

    def test_one_image_sets_the_threshold_itself(self) -> None:
        assert metrics.threshold_at_tpr([0.7]) == 0.7

    def test_every_image_at_tpr_1(self) -> None:
        assert metrics.threshold_at_tpr([3.0, 1.0, 2.0], 1.0) == 1.0

    @given(SCORES, st.floats(0.01, 1))
    def test_it_is_the_highest_score_that_enough_images_reach(self, scores: list[int], tpr: float) -> None:
        threshold = metrics.threshold_at_tpr(scores, tpr)
        assert threshold in scores
        assert metrics.share_reaching(scores, threshold) >= tpr - 1e-9
        higher = [score for score in scores if score > threshold]
        assert not higher or metrics.share_reaching(scores, min(higher)) < tpr

    @pytest.mark.parametrize("tpr", [0.0, -0.5, 1.01, float("nan")])
    def test_tpr_outside_the_interval_is_refused(self, tpr: float) -> None:
        with pytest.raises(ValueError, match="TPR must be above 0"):
            metrics.threshold_at_tpr([1.0], tpr)


class TestFpr:
    def test_by_hand(self) -> None:
        known = np.arange(1, 21)  # threshold 2
        assert metrics.fpr_at_tpr(known, [0, 1, 1.9, 2, 30]) == pytest.approx(2 / 5)

    def test_other_operating_points(self) -> None:
        known = np.arange(1, 21)
        assert metrics.fpr_at_tpr(known, [5, 10, 15, 20], tpr=0.5) == pytest.approx(2 / 4)  # threshold 11
        assert metrics.fpr_at_tpr(known, [5, 10, 15, 20], tpr=0.8) == 1.0  # threshold 5

    def test_ood_image_at_the_threshold_is_accepted(self) -> None:
        assert metrics.fpr_at_tpr([2.0], [2.0]) == 1.0
        assert metrics.fpr_at_tpr([2.0], [np.nextafter(2.0, 0)]) == 0.0

    def test_constant_scores_tell_nothing_apart(self) -> None:
        assert metrics.fpr_at_tpr([1.0] * 50, [1.0] * 50) == 1.0

    def test_apart_and_upside_down(self) -> None:
        assert metrics.fpr_at_tpr([3, 4], [1, 2]) == 0.0
        assert metrics.fpr_at_tpr([1, 2], [3, 4]) == 1.0

    @given(SCORES, SCORES, RISING)
    def test_rising_functions_of_the_score_change_nothing(self, known, unknown, rising) -> None:
        known, unknown = np.array(known, float), np.array(unknown, float)
        assert metrics.fpr_at_tpr(rising(known), rising(unknown)) == metrics.fpr_at_tpr(known, unknown)

    @given(SCORES, SCORES)
    def test_is_a_share_that_grows_with_the_tpr(self, known, unknown) -> None:
        found = [metrics.fpr_at_tpr(known, unknown, tpr) for tpr in (0.5, 0.8, 0.95, 1.0)]
        assert found == sorted(found)
        assert all(0 <= share <= 1 for share in found)

    @pytest.mark.filterwarnings("ignore:AUTC is undefined")
    @given(SCORES, SCORES)
    def test_equals_pytorch_oods_with_the_roles_exchanged(self, known, unknown) -> None:
        """pytorch-ood fixes the threshold where 95 % of the *OOD* images are found and counts ID images beyond it.

        The papers fix it where 95 % of the *ID* images pass. With the two sets and the sign exchanged the definitions
        are one and the same, ties included.
        """
        exchanged = pytorch_ood([-score for score in unknown], [-score for score in known])
        assert metrics.fpr_at_tpr(known, unknown) == pytest.approx(exchanged["FPR95TPR"], abs=1e-9)

    def test_differs_from_pytorch_oods_as_it_stands(self) -> None:
        known, unknown = np.arange(20), np.append(np.arange(-18, 0), [5, 6])
        assert metrics.fpr_at_tpr(known, unknown) == pytest.approx(2 / 20)  # two OOD images reach the threshold 1
        assert pytorch_ood(known, unknown)["FPR95TPR"] == pytest.approx(6 / 20)  # 0 … 5 lie at or below the 19th OOD


class TestOodPositive:
    @pytest.mark.filterwarnings("ignore:AUTC is undefined")
    @given(SCORES, SCORES)
    def test_is_pytorch_oods_fpr95(self, known, unknown) -> None:
        assert metrics.fpr_ood_positive(known, unknown) == pytest.approx(
            pytorch_ood(known, unknown)["FPR95TPR"], abs=1e-9
        )

    def test_by_hand(self) -> None:
        known, unknown = np.arange(20), np.append(np.arange(-18, 0), [5, 6])
        assert metrics.fpr_ood_positive(known, unknown) == pytest.approx(6 / 20)


class TestAuroc:
    def test_by_hand_with_a_tie(self) -> None:
        # 3 > 2, 3 > 1, 1 < 2, 1 = 1: two and a half of four pairs
        assert metrics.auroc([3, 1], [2, 1]) == pytest.approx(2.5 / 4)

    def test_one_image_each(self) -> None:
        assert metrics.auroc([2.0], [1.0]) == 1.0
        assert metrics.auroc([1.0], [2.0]) == 0.0
        assert metrics.auroc([1.0], [1.0]) == 0.5

    def test_constant_scores_are_a_coin_toss(self) -> None:
        assert metrics.auroc([4.0] * 7, [4.0] * 3) == 0.5

    @given(SCORES, SCORES)
    def test_is_the_share_of_pairs_in_order(self, known, unknown) -> None:
        left, right = np.array(known)[:, None], np.array(unknown)[None, :]
        pairs = np.mean((left > right) + 0.5 * (left == right))
        assert metrics.auroc(known, unknown) == pytest.approx(pairs, abs=1e-12)

    @given(SCORES, SCORES)
    def test_exchanging_the_sets_mirrors_it(self, known, unknown) -> None:
        assert metrics.auroc(known, unknown) == pytest.approx(1 - metrics.auroc(unknown, known), abs=1e-12)

    @given(SCORES, SCORES, RISING)
    def test_rising_functions_of_the_score_change_nothing(self, known, unknown, rising) -> None:
        known, unknown = np.array(known, float), np.array(unknown, float)
        assert metrics.auroc(rising(known), rising(unknown)) == metrics.auroc(known, unknown)

    @pytest.mark.filterwarnings("ignore:AUTC is undefined")
    @given(SCORES, SCORES)
    def test_equals_pytorch_oods(self, known, unknown) -> None:
        assert metrics.auroc(known, unknown) == pytest.approx(pytorch_ood(known, unknown)["AUROC"], abs=1e-6)


class TestAupr:
    def test_by_hand(self) -> None:
        # ID positive, from the top 3 (ID), 2 (OOD), 1 (ID): precision 1 at recall ½, then ⅔ at recall 1
        assert metrics.aupr_in([3, 1], [2]) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
        # OOD positive, from the bottom 1 (ID), 2 (OOD): precision ½ at recall 1
        assert metrics.aupr_out([3, 1], [2]) == pytest.approx(0.5)

    def test_constant_scores_give_the_share_of_positives(self) -> None:
        assert metrics.aupr_in([1.0] * 3, [1.0]) == pytest.approx(0.75)
        assert metrics.aupr_out([1.0] * 3, [1.0]) == pytest.approx(0.25)

    def test_apart(self) -> None:
        assert metrics.aupr_in([3, 4], [1, 2]) == metrics.aupr_out([3, 4], [1, 2]) == 1.0

    @given(SCORES, SCORES)
    def test_bounds(self, known, unknown) -> None:
        """Not below what the worst ranking gives: k positives after all m negatives, mean of i / (m + i)."""
        for found, positives, negatives in (
            (metrics.aupr_in(known, unknown), len(known), len(unknown)),
            (metrics.aupr_out(known, unknown), len(unknown), len(known)),
        ):
            place = np.arange(1, positives + 1)
            assert np.mean(place / (negatives + place)) - 1e-9 <= found <= 1 + 1e-9

    @given(SCORES, SCORES)
    def test_in_and_out_exchange_with_the_sets_and_the_sign(self, known, unknown) -> None:
        mirrored = metrics.aupr_out([-score for score in unknown], [-score for score in known])
        assert metrics.aupr_in(known, unknown) == pytest.approx(mirrored, abs=1e-12)

    def test_differs_from_pytorch_oods_trapezium_by_little_on_many_images(self) -> None:
        """pytorch-ood joins the points of the precision-recall curve by straight lines, which is known to flatter.

        Average precision takes steps. (Davis and Goadrich, "The relationship between precision-recall and ROC
        curves", 2006.)
        """
        rng = np.random.default_rng(0)
        known, unknown = rng.normal(1, 1, 2000), rng.normal(0, 1, 2000)
        theirs = pytorch_ood(known, unknown)
        assert metrics.aupr_in(known, unknown) == pytest.approx(theirs["AUPR-IN"], abs=1e-3)
        assert metrics.aupr_out(known, unknown) == pytest.approx(theirs["AUPR-OUT"], abs=1e-3)


class TestRoc:
    def test_by_hand(self) -> None:
        fpr, tpr = metrics.roc([3, 1], [2])
        np.testing.assert_allclose(fpr, [0, 0, 1, 1])
        np.testing.assert_allclose(tpr, [0, 0.5, 0.5, 1])

    @given(SCORES, SCORES)
    def test_rises_from_0_to_1_over_the_area_auroc(self, known, unknown) -> None:
        fpr, tpr = metrics.roc(known, unknown)
        assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
        assert (np.diff(fpr) >= 0).all()
        assert (np.diff(tpr) >= 0).all()
        assert np.trapezoid(tpr, fpr) == pytest.approx(metrics.auroc(known, unknown), abs=1e-9)

    @given(SCORES, SCORES)
    def test_passes_through_the_operating_point_of_fpr95(self, known, unknown) -> None:
        x = metrics.fpr_at_tpr(known, unknown)
        y = metrics.share_reaching(known, metrics.threshold_at_tpr(known))
        corners = np.column_stack(metrics.roc(known, unknown))
        aside = [distance(np.array([x, y]), start, end) for start, end in pairwise(corners)]
        assert min(aside) == pytest.approx(0, abs=1e-9)


def distance(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """From a point to the segment between two others."""
    along = end - start
    share = np.clip(np.dot(point - start, along) / np.dot(along, along), 0, 1)
    return float(np.linalg.norm(point - start - share * along))


class TestPercentile:
    def test_by_hand(self) -> None:
        known = [1, 2, 2, 3]
        assert metrics.percentile_among(known, 0) == 0.0
        assert metrics.percentile_among(known, 1) == pytest.approx(0.125)
        assert metrics.percentile_among(known, 2) == pytest.approx(0.5)
        assert metrics.percentile_among(known, 2.5) == pytest.approx(0.75)
        assert metrics.percentile_among(known, 9) == 1.0

    def test_constant_scores_put_their_own_value_in_the_middle(self) -> None:
        assert metrics.percentile_among([5.0] * 9, 5.0) == 0.5

    @given(SCORES, st.integers(-25, 25))
    def test_is_auroc_turned_around(self, known, score) -> None:
        assert metrics.percentile_among(known, score) == pytest.approx(1 - metrics.auroc(known, [score]), abs=1e-12)


@pytest.mark.parametrize("measure", [metrics.fpr_at_tpr, metrics.auroc, metrics.aupr_in, metrics.aupr_out, metrics.roc])
@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ([], "non-empty vector"),
        ([[1.0, 2.0]], "non-empty vector"),
        ([1.0, float("nan")], "not finite"),
        ([1.0, float("inf")], "not finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(measure, bad, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"ID scores .*{complaint}"):
        measure(bad, [1.0])
    with pytest.raises(ValueError, match=f"OOD scores .*{complaint}"):
        measure([1.0], bad)
