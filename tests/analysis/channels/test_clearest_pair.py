"""Pairs over several OOD datasets: the largest difference wins, and very many images are cut to the first of each."""

import numpy as np
import pytest

from nap_core.analysis.channels import clearest_pair
from nap_core.analysis.channels.clearest_pair import images_searched, pair_of_all_channels, pair_of_channel
from nap_core.analysis.channels.ranking import matched_peaks, same_mean_pair
from tests.analysis.channels.test_ranking import made

ID = made([[1.0, 1.0], [1.0, 1.0]], [[4.0, 9.0], [5.0, 3.0]])
OOD = {
    "near": made([[1.0, 1.0]], [[3.0, 8.0]]),  # differences 5 - 3 = 2 and 9 - 8 = 1
    "far": made([[1.0, 1.0]], [[4.0, 2.0]]),  # differences 5 - 4 = 1 and 9 - 2 = 7
    "other": made([[3.0, 3.0]], [[0.0, 0.0]]),  # no mean is equal
}


def test_of_one_channel_the_dataset_with_the_largest_difference() -> None:
    name, pair, peaks = pair_of_channel(ID, OOD, 0)
    assert name == "near"
    assert pair == same_mean_pair(ID, OOD["near"], 0)
    assert (pair.id_row, pair.ood_row, pair.difference) == (1, 0, 2.0)
    assert peaks == matched_peaks(ID, OOD["near"], 0)


def test_of_all_channels_the_clearest() -> None:
    name, pair = pair_of_all_channels(ID, OOD)
    assert (name, pair.channel, pair.difference) == ("far", 1, 7.0)


def test_no_equal_means_no_pair() -> None:
    alone = {"other": OOD["other"]}
    assert pair_of_all_channels(ID, alone) == ("other", None)
    name, pair, peaks = pair_of_channel(ID, alone, 0)
    assert (name, pair, peaks.pairs) == ("other", None, 0)


def test_of_very_many_images_the_first_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    assert images_searched(ID, OOD) == [2, 1, 1, 1]
    monkeypatch.setattr(clearest_pair, "MOST_SEARCHED", 20)
    chance = np.random.default_rng(0)
    first, other = (made(values := chance.random((10, 2)) + 1, values * 3) for _ in range(2))
    assert images_searched(first, {"a": other}) == [5, 5]
    assert pair_of_all_channels(first, {"a": other}) == pair_of_all_channels(first.head(5), {"a": other.head(5)})
