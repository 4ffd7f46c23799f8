"""One channel in detail: the bars against numpy's histogram, the sentences against made-up data."""

import numpy as np
import pytest

from nap_core.analysis.channels.ranking import MatchedPeaks, SameMeanPair
from nap_core.figures import channel_detail
from nap_core.figures.channel_detail import BINS, ratio_distribution
from tests.sentences import Says

TITLES = {"known": "Known", "one": "One", "two": "Two"}
COLOURS = {"known": "#2f7de1", "one": "#c98608", "two": "#c8352c"}


def test_bars_are_the_histogram_of_each_dataset_over_shared_bins() -> None:
    random = np.random.default_rng(0)
    ratios = {"known": random.gamma(3, 1, 300), "one": random.gamma(2, 1, 120), "two": random.gamma(1, 1, 50)}
    picture = ratio_distribution(7, ratios, TITLES, COLOURS, {"known": 2.5})
    edges = np.histogram_bin_edges(np.concatenate(list(ratios.values())), bins=BINS)
    bars = [trace for trace in picture.figure.data if trace.type == "bar"]
    for (name, ratio), bar, base in zip(ratios.items(), bars, (2, 1, 0), strict=True):
        counts = np.histogram(ratio, bins=edges)[0]
        assert np.allclose(bar.y, 0.85 * counts / counts.max())
        assert bar.base == base
        assert bar.marker.color == COLOURS[name]
        rows = picture.table[picture.table.dataset == name]
        assert rows["images"].tolist() == counts.tolist()
        assert rows["share"].sum() == pytest.approx(1)
    marks = [trace for trace in picture.figure.data if trace.type == "scatter"]
    assert [list(mark.x) for mark in marks] == [[2.5]]
    assert list(picture.figure.layout.yaxis.ticktext) == ["Known", "One", "Two"]


def test_reading_names_the_best_and_the_worst_told_apart(says: Says) -> None:
    ratios = {"known": np.array([3.0, 4.0]), "one": np.array([1.0, 2.0]), "two": np.array([5.0, 1.0])}
    reading = ratio_distribution(7, ratios, TITLES, COLOURS, {}).reading
    says(reading, "7 Known One AUROC 100.0 Two 50.0 50")


def test_reading_for_one_dataset_and_for_a_tie(says: Says) -> None:
    one = {"known": np.array([1.0]), "one": np.array([0.0])}
    says(ratio_distribution(7, one, TITLES, COLOURS, {}).reading, "7 Known One AUROC 100.0 50")
    tie = {"known": np.ones(3), "one": np.ones(2), "two": np.ones(1)}
    picture = ratio_distribution(7, tie, TITLES, COLOURS, {})
    says(picture.reading, "7 Known every AUROC 50.0 50")
    assert picture.table["images"].sum() == 6


@pytest.mark.parametrize(
    ("maxima", "shows", "sentence"),
    [
        ([9, 8, 7], ["dog", "cat", "dog"], "**One**: peaks from 9.00 to 7.00; 2 of the 3 show “dog”."),
        ([9, 8], ["dog", "cat"], "**One**: peaks from 9.00 to 8.00, each of another class."),
        ([9, 8], ["", ""], "**One**: peaks from 9.00 to 8.00."),
        ([9], ["dog"], "**One**: its one image peaks at 9.00."),
    ],
)
def test_drivers_sentence(maxima: list[float], shows: list[str], sentence: str) -> None:
    assert channel_detail.drivers_sentence("One", maxima, shows) == sentence


def test_pair_sentence_tells_the_four_numbers_or_why_there_is_nothing_to_tell(says: Says) -> None:
    pair = SameMeanPair(7, 0, 1, 0.5, 0.51, 9.0, 1.25)
    sentence = channel_detail.pair_sentence(pair, 7, "Known", "One")
    says(sentence, "7 0.500 0.510 9.00 Known 1.25 One")
    says(channel_detail.pair_sentence(None, 7, "Known", "One"), "7 Known One")
    worse = SameMeanPair(7, 0, 1, 0.5, 0.5, 1.0, 1.0)
    says(channel_detail.pair_sentence(worse, 7, "Known", "One"), "7 Known higher One")


def test_matched_sentence(says: Says) -> None:
    sentence = channel_detail.matched_sentence(MatchedPeaks(0.75, 1200), "Known", "One")
    says(sentence, "Known higher 75.0 1,200 One")
    says(channel_detail.matched_sentence(MatchedPeaks(1.0, 1), "Known", "One"), "Known higher 100.0 1 One")
    assert channel_detail.matched_sentence(MatchedPeaks(float("nan"), 0), "Known", "One") == ""
