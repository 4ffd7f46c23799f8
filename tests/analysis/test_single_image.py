"""One image among those a network knows: shares with ties, the verdict's rule, the channels that decided."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nap_core import datasets, extraction, methods, models, nap
from nap_core.activations import Activations
from nap_core.analysis import single_image
from nap_core.analysis.single_image import ImageVerdict
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.storage.activation_store import Store
from nap_core.storage.progress import RunCallbacks
from tests.made_data import made_data

HUNDRED = np.arange(1, 101, dtype=np.float64)  # 1 … 100


def placed(score: float, known: np.ndarray = HUNDRED) -> ImageVerdict:
    return ImageVerdict("nap", None, score, np.asarray(known, dtype=np.float64))


def made_up(count: int, channels: int = 5, classes: int = 3, seed: int = 0) -> Activations:
    drawn = np.random.default_rng(seed)
    mean = drawn.uniform(0, 1, (count, channels)).astype(np.float32)
    maximum = mean + drawn.uniform(0, 4, (count, channels)).astype(np.float32)
    logits = drawn.normal(0, 3, (count, classes)).astype(np.float32)
    return Activations(maximum, mean, mean, logits, np.full(count, -1, np.int64))


def test_shares_count_ties_by_hand() -> None:
    place = placed(2.0, [1, 2, 2, 3])
    assert (place.above, place.below, place.percentile) == (0.25, 0.25, 0.5)
    assert place.p_value == (1 + 3) / 5
    assert placed(0.0, [1, 2, 2, 3]).percentile == 0
    assert placed(9.0, [1, 2, 2, 3]).percentile == 1


def test_threshold_is_what_95_of_100_reach() -> None:
    assert placed(50).threshold == 6
    assert placed(6).reaches_threshold
    assert not placed(5.9).reaches_threshold


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (-9, "unlike"),  # none as low: p = 1/101
        (1, "edge"),  # one as low: p = 2/101 > 0.01
        (5.9, "edge"),  # below the threshold
        (6, "edge"),  # reaches the threshold, but only 6 are as low: p = 7/101
        (9, "edge"),  # p = 10/101
        (10, "like"),  # p = 11/101 > 0.10
        (50, "like"),
        (1e9, "like"),  # higher than every known image: the score holds nothing against it
    ],
)
def test_the_rule_of_the_verdict(score: float, verdict: str) -> None:
    assert placed(score).verdict == verdict


def test_few_known_images_never_prove_that_one_is_unlike() -> None:
    assert placed(-9, HUNDRED[:98]).verdict == "edge"
    assert placed(-9, HUNDRED[:99]).verdict == "unlike"
    assert placed(-9, [1.0]).verdict == "edge"
    assert placed(1.0, [1.0]).verdict == "like"


def test_a_method_that_says_the_same_of_all_finds_nothing() -> None:
    place = placed(3.0, np.full(1000, 3.0))
    assert (place.verdict, place.percentile, place.reaches_threshold) == ("like", 0.5, True)


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=300),
    st.floats(-100, 100),
    st.floats(0, 50),
)
def test_a_higher_score_is_never_judged_worse(known: list[float], score: float, more: float) -> None:
    order = ["unlike", "edge", "like"]
    low, high = placed(score, known), placed(score + more, known)
    assert order.index(high.verdict) >= order.index(low.verdict)
    assert high.percentile >= low.percentile
    assert low.verdict != "unlike" or not low.reaches_threshold
    assert low.verdict != "like" or low.reaches_threshold


def test_place_agrees_with_the_methods() -> None:
    known, asked, context = made_up(40), made_up(3, seed=1), ScoringContext(trained_on="CIFAR-10")
    scores = single_image.id_scores(made_data(known, {}, context))
    found = single_image.place(asked, scores, context)
    assert len(found) == 3
    assert list(found[0]) == list(methods.STANDARD)
    for method in methods.STANDARD:
        expected = methods.score(method, asked, context)
        assert [places[method].score for places in found] == pytest.approx(expected, rel=0, abs=0)
        np.testing.assert_array_equal(found[0][method].id_scores, methods.score(method, known, context))
        assert found[0][method].w == methods.default_w(method, ScoringContext(trained_on="CIFAR-10"))


def test_any_method_on_stored_activations_can_be_placed_with_a_weight_of_its_own() -> None:
    known, asked = ImageSet(made_up(40)), ImageSet(made_up(3, seed=1))
    context = ScoringContext(fit_activations=made_up(30, seed=2))
    specs, weights = ("knn:k=5", "nap+knn:k=5"), {"nap+knn:k=5": 0.9}
    found = single_image.place(
        asked, single_image.id_scores(EvaluationData("known", known, {}, context), specs, weights), context, weights
    )
    for spec in specs:
        expected = methods.score(spec, asked, context, w=weights.get(spec))
        assert [places[spec].score for places in found] == pytest.approx(expected, rel=1e-6)
        np.testing.assert_allclose(found[0][spec].id_scores, methods.score(spec, known, context, w=weights.get(spec)))
    assert [found[0][spec].w for spec in specs] == [None, 0.9]


def test_methods_with_a_pass_of_their_own_are_refused() -> None:
    with pytest.raises(UserError, match="ODIN cannot place a single image: it needs gradients"):
        single_image.id_scores(made_data(made_up(40), {}), ["odin"])


def test_known_activations_of_a_bank_and_of_a_dataset(store_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(single_image.known_activations("efficientnet-lite0-imagenet", Store())) == 1000
    assert not store_root.exists()
    monkeypatch.setattr(single_image, "KNOWN_IMAGES", 20)
    seen = []
    found = single_image.known_activations("resnet20-cifar10", Store(), callbacks=RunCallbacks(seen.append))
    assert (len(found), seen[-1].done) == (20, 20)
    expected = extraction.extract(models.load("resnet20-cifar10"), datasets.load("cifar10"), limit=20)
    np.testing.assert_array_equal(found.maximum, expected.maximum)
    seen.clear()
    single_image.known_activations("resnet20-cifar10", Store(), callbacks=RunCallbacks(seen.append))
    assert not seen


def test_the_gains_of_all_channels_make_up_the_difference_in_nap() -> None:
    known, image = made_up(30, channels=8), made_up(1, channels=8, seed=2)
    terms = nap.channel_terms(known)
    speaking_for, speaking_against = single_image.nap_contributions(image, terms, count=8)
    gains = sum(voice.gain for voice in speaking_for + speaking_against)
    assert gains == pytest.approx(nap.nap_score(image)[0] - nap.nap_score(known).mean())
    assert len(speaking_for) + len(speaking_against) == 8


def test_voices_by_hand() -> None:
    # Terms (max / (mean + 1))² with mean 0: the maximum squared.
    maximum = np.array([[3.0, 0.0, 2.0, 1.0]], dtype=np.float32)
    image = Activations(maximum, np.zeros_like(maximum), maximum, np.zeros((1, 2), np.float32), np.array([-1]))
    terms = np.array([[1.0, 4.0, 4.0, 2.0], [3.0, 8.0, 4.0, 2.0]])
    speaking_for, speaking_against = single_image.nap_contributions(image, terms, count=1)
    assert [voice.channel for voice in speaking_for] == [0]
    assert (speaking_for[0].term, speaking_for[0].usual, speaking_for[0].above) == (9, 2, 1)
    assert speaking_for[0].gain == (9 - 2) / 4
    assert [voice.channel for voice in speaking_against] == [1]
    assert (speaking_against[0].gain, speaking_against[0].above) == ((0 - 6) / 4, 0)
    # Channel 2 is exactly as usual: it speaks for neither side.
    everyone = single_image.nap_contributions(image, terms, count=6)
    assert [[voice.channel for voice in side] for side in everyone] == [[0], [1, 3]]


def test_voices_need_one_image_and_known_ones() -> None:
    with pytest.raises(ValueError, match="one image"):
        single_image.nap_contributions(made_up(2), np.ones((3, 5)))
    with pytest.raises(ValueError, match="one image"):
        single_image.nap_contributions(made_up(1), np.ones((0, 5)))


def test_which_network_suits_tiny_images() -> None:
    assert single_image.model_for_tiny_images("efficientnet-lite0-imagenet") == "resnet20-cifar10"
    assert single_image.model_for_tiny_images("resnet20-cifar10") is None
