"""How classes use channels: averages by class, in an order in which they can be read."""

import numpy as np
import pytest

from nap_core.activations import Activations
from nap_core.analysis.channels.class_activation import ClassActivation, arranged, class_use, scaled, top_classes

NAMES = ("cat", "dog", "ship")


def activations(labels: list[int], ratio: np.ndarray, predicted: list[int] | None = None) -> Activations:
    """Activations whose max / (mean + 1) is ``ratio`` (N, C)."""
    count = len(labels)
    mean = np.ones_like(ratio)
    logits = np.eye(len(NAMES))[predicted or [0] * count]
    return Activations(2 * ratio, mean, mean, logits, np.array(labels, np.int64))


def made(values: np.ndarray) -> ClassActivation:
    count = len(values)
    names = tuple(f"class {place}" for place in range(count))
    return ClassActivation(np.arange(count), names, np.ones(count, np.int64), values, 0)


def test_averages_over_the_images_of_each_class() -> None:
    ratio = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0], [7.0, 8.0]])
    found = class_use(activations([2, 0, 2, 0], ratio), NAMES)
    assert (found.names, found.images.tolist(), found.predicted) == (("cat", "ship"), [2, 2], 0)
    np.testing.assert_allclose(found.values, [[5, 6], [3, 1]])


def test_without_a_label_the_network_tells_the_class() -> None:
    ratio = np.array([[1.0], [2.0], [4.0]])
    found = class_use(activations([1, -1, -1], ratio, predicted=[0, 2, 1]), NAMES)
    assert (found.names, found.predicted) == (("dog", "ship"), 2)
    np.testing.assert_allclose(found.values, [[2.5], [2.0]])


def test_any_value_of_a_channel_and_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nap_core.activations.BLOCK", 10)
    draw = np.random.default_rng(0)
    ratio, labels = draw.uniform(0, 3, (50, 4)), draw.integers(0, 3, 50)
    known = activations(labels.tolist(), ratio)
    found = class_use(known, NAMES, lambda part: part.maximum)
    np.testing.assert_allclose(found.values, [2 * ratio[labels == label].mean(axis=0) for label in range(3)])


def test_classes_that_drive_a_channel_are_ranked_and_compared_with_its_weights() -> None:
    use = made(np.array([[1.0, 0], [3, 0], [2, 0]]))
    assert use.ranked(0).tolist() == [1, 2, 0]
    assert use.agreement(0, np.array([-1.0, 5.0, 0.5])) == pytest.approx(1)
    assert use.agreement(0, np.array([1.0, -5.0, 0.5])) == pytest.approx(-1)
    assert np.isnan(use.agreement(1, np.array([1.0, 2.0, 3.0])))
    assert np.isnan(use.take([0, 1]).agreement(0, np.array([1.0, 2.0, 3.0])))


def test_weights_are_looked_up_by_class_number() -> None:
    use = ClassActivation(np.array([5, 7, 9]), NAMES, np.ones(3, np.int64), np.array([[1.0], [2], [3]]), 0)
    weights = np.zeros(10)
    weights[[5, 7, 9]] = 1, 2, 3
    assert use.agreement(0, weights) == pytest.approx(1)


def test_of_many_classes_those_that_differ_most() -> None:
    values = np.ones((10, 3))
    values[[3, 8]] = [[9, 0, 0], [0, 0, 7]]
    found = top_classes(made(values), most=2)
    assert found.names == ("class 3", "class 8")
    assert top_classes(made(values), most=10).names == made(values).names


def test_alike_classes_lie_side_by_side_and_channels_follow_them() -> None:
    values = np.array([[9.0, 1, 8, 1], [1, 9, 1, 2], [8, 1, 9, 1], [1, 7, 1, 9]])
    rows, columns = arranged(made(values))
    assert {frozenset(rows[:2].tolist()), frozenset(rows[2:].tolist())} == {frozenset({0, 2}), frozenset({1, 3})}
    top = scaled(made(values))[np.ix_(rows, columns)].argmax(axis=0)
    assert (np.diff(top) >= 0).all()
    assert sorted(columns.tolist()) == [0, 1, 2, 3]


def test_a_silent_channel_is_no_division_by_zero() -> None:
    assert scaled(made(np.array([[0.0, 2], [0, 1]]))).tolist() == [[0, 1], [0, 0.5]]
    rows, columns = arranged(made(np.array([[0.0, 2]])))
    assert (rows.tolist(), sorted(columns.tolist())) == ([0], [0, 1])
