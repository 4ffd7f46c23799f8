"""The oracle: what it is trained on, what it is asked, and that it can be repeated and stopped."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from nap_core import metrics, nap
from nap_core.activations import Activations
from nap_core.analysis import oracle
from nap_core.errors import UserError
from nap_core.storage.progress import ExtractionStopped, Progress, RunCallbacks
from tests.made_data import made_data


def made(images: int, peak: float, seed: int) -> Activations:
    """Images whose 8 channels have the same means and maxima about ``peak`` times as high."""
    chance = np.random.default_rng(seed)
    mean = chance.gamma(4, 0.25, (images, 8)).astype(np.float32)
    maximum = mean * peak * chance.gamma(20, 0.05, (images, 8)).astype(np.float32)
    return Activations(maximum, mean, mean, np.zeros((images, 2), np.float32), np.zeros(images, np.int64))


KNOWN, MET = made(200, 6, 0), {"one": made(120, 4, 1), "two": made(150, 3, 2)}


def test_it_follows_nap_where_nap_knows_all_there_is() -> None:
    found = oracle.oracle(made_data(KNOWN, MET, id_name="known"))
    assert found.correlation > 0.7
    assert found.auroc > 0.9
    assert found.correlation == pytest.approx(spearmanr(found.scores, found.nap).statistic)
    assert found.pearson == pytest.approx(np.corrcoef(found.scores, found.nap)[0, 1])
    assert found.auroc == pytest.approx(metrics.auroc(found.scores[found.is_id], found.scores[~found.is_id]))
    assert found.nap_auroc == pytest.approx(metrics.auroc(found.nap[found.is_id], found.nap[~found.is_id]))


def test_labels_that_say_nothing_teach_nothing() -> None:
    found = oracle.oracle(made_data(KNOWN, {"same": made(200, 6, 9)}, id_name="known"))
    assert 0.3 < found.auroc < 0.7


def test_half_of_every_dataset_is_held_out_and_the_kinds_are_balanced() -> None:
    found = oracle.oracle(made_data(KNOWN, MET, id_name="known"), limit=160)
    assert Counter(found.dataset.tolist()) == {"known": 80, "one": 40, "two": 40}
    assert found.trained == 160
    assert found.is_id.tolist() == (found.dataset == "known").tolist()


def test_a_small_dataset_leaves_its_share_to_the_others() -> None:
    found = oracle.oracle(made_data(KNOWN, {"few": made(10, 4, 1), "many": made(500, 4, 2)}, id_name="known"))
    assert Counter(found.dataset.tolist()) == {"known": 100, "few": 5, "many": 95}


def test_held_out_scores_are_naps_of_images_that_were_not_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    fit, learn = StandardScaler.fit, MLPClassifier.partial_fit
    monkeypatch.setattr(StandardScaler, "fit", lambda self, rows: seen.append(rows) or fit(self, rows))
    monkeypatch.setattr(
        MLPClassifier,
        "partial_fit",
        lambda self, *given, **named: seen.append(given[0]) or learn(self, *given, **named),
    )
    found = oracle.oracle(made_data(KNOWN, MET, id_name="known"))
    assert {len(rows) for rows in seen} == {found.trained}
    every = np.concatenate([np.hstack([part.maximum, part.mean]) for part in (KNOWN, *MET.values())])
    scores = np.concatenate([nap.nap_score(part) for part in (KNOWN, *MET.values())])
    trained = {tuple(row) for row in seen[0]}
    by_score = dict(zip(scores.tolist(), map(tuple, every.astype(np.float64)), strict=True))
    assert not any(by_score[one] in trained for one in found.nap.tolist())


def test_log_odds_are_those_of_the_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = []
    learn = MLPClassifier.partial_fit
    monkeypatch.setattr(
        MLPClassifier,
        "partial_fit",
        lambda self, *given, **named: networks.append(self) or learn(self, *given, **named),
    )
    features = np.hstack([KNOWN.maximum, KNOWN.mean]).astype(np.float64)
    is_id = features[:, 0] > np.median(features[:, 0])
    odds = oracle._log_odds(features, is_id, features[:20], 0, RunCallbacks())
    share = networks[-1].predict_proba(StandardScaler().fit(features).transform(features[:20]))[:, 1]
    np.testing.assert_allclose(1 / (1 + np.exp(-odds)), share, rtol=1e-9)


def test_the_same_seed_gives_the_same_oracle() -> None:
    first, again, other = (oracle.oracle(made_data(KNOWN, MET, id_name="known"), seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.scores, again.scores)
    assert first.nap.tolist() != other.nap.tolist()


def test_too_few_images_are_answered_with_what_it_takes() -> None:
    with pytest.raises(UserError, match="20 ID and 20 OOD images at least"):
        oracle.oracle(made_data(KNOWN.head(19), MET, id_name="known"))
    with pytest.raises(UserError, match="two of each dataset"):
        oracle.oracle(made_data(KNOWN, {**MET, "lonely": made(1, 4, 3)}, id_name="known"))


def test_progress_is_told_and_it_can_be_stopped() -> None:
    heard: list[Progress] = []
    oracle.oracle(made_data(KNOWN, MET, id_name="known"), callbacks=RunCallbacks(heard.append))
    assert [one.done for one in heard] == list(range(1, oracle.EPOCHS + 1))
    with pytest.raises(ExtractionStopped):
        oracle.oracle(made_data(KNOWN, MET, id_name="known"), callbacks=RunCallbacks(should_stop=lambda: True))


def test_channels_that_never_vary_are_no_obstacle() -> None:
    flat = {name: Activations(p.maximum, p.mean * 0, p.variance, p.logits, p.labels) for name, p in MET.items()}
    known = Activations(KNOWN.maximum, KNOWN.mean * 0, KNOWN.variance, KNOWN.logits, KNOWN.labels)
    assert np.isfinite(oracle.oracle(made_data(known, flat, id_name="known")).scores).all()
    silent = Activations(KNOWN.maximum * 0, KNOWN.mean * 0, KNOWN.variance, KNOWN.logits, KNOWN.labels)
    assert np.isnan(oracle.oracle(made_data(silent, {"same": silent}, id_name="known")).correlation)
