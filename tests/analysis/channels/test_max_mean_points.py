"""The points of the scatter, what a lasso or a box holds of them, and the images behind those."""

import numpy as np
import pytest

from nap_core.activations import Activations
from nap_core.analysis.channels.max_mean_points import (
    Picked,
    Points,
    Region,
    images_collected,
    picked,
    points_of,
    points_of_each,
    sampled,
)


def made_up(images: int = 6, channels: int = 4, seed: int = 0) -> Activations:
    chance = np.random.default_rng(seed)
    mean = chance.gamma(1, 0.3, (images, channels)).astype(np.float32)
    mean[0, 0], mean[1, 1] = 0.0, 0.1
    return Activations(mean * 4, mean, mean, np.zeros((images, 2), np.float32), np.zeros(images, np.int64))


def at(mean: list[float], maximum: list[float], channels: int = 1, name: str = "one") -> Points:
    return Points(name, channels, np.arange(len(mean)), np.array(mean, "f4"), np.array(maximum, "f4"), 0)


def test_every_point_knows_its_image_and_channel() -> None:
    activations = made_up()
    points = points_of("cifar10", activations, floor=None)
    assert len(points) == 24
    assert points.left_out == 0
    np.testing.assert_array_equal(points.mean, activations.mean[points.row, points.channel])
    np.testing.assert_array_equal(points.maximum, activations.maximum[points.row, points.channel])


@pytest.mark.parametrize("channel", [None, 2])
def test_points_at_or_below_the_threshold_are_left_out_and_counted(channel: int | None) -> None:
    activations = made_up(40)
    points = points_of("cifar10", activations, channel=channel)
    kept = activations.mean > 0.1
    if channel is not None:
        kept = kept & (np.arange(4) == channel)
    assert not kept[1, 1]  # exactly at the threshold
    assert set(zip(points.row.tolist(), points.channel.tolist(), strict=True)) == set(
        zip(*(place.tolist() for place in np.nonzero(kept)), strict=True)
    )
    assert points.left_out == (160 if channel is None else 40) - kept.sum()
    np.testing.assert_array_equal(points.mean, activations.mean[points.row, points.channel])
    np.testing.assert_array_equal(points.maximum, activations.maximum[points.row, points.channel])


def test_a_sample_is_the_same_every_time_and_takes_the_same_share_of_each() -> None:
    parts = [points_of(name, made_up(n, 50, seed=n), floor=None) for name, n in (("a", 40), ("b", 20))]
    first, second = sampled(parts, 300), sampled(parts, 300)
    assert [len(part) for part in first] == [200, 100]
    for part, again, whole in zip(first, second, parts, strict=True):
        np.testing.assert_array_equal(part.place, again.place)
        assert len(set(part.place.tolist())) == len(part)
        np.testing.assert_array_equal(part.mean, whole.mean[part.place])
    assert [len(part) for part in sampled(parts, 3000)] == [2000, 1000]


def test_a_box_holds_its_rim_whichever_corner_came_first() -> None:
    points = at([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0])
    for box in ((1, 1, 2, 2), (2, 2, 1, 1), (1, 2, 2, 1)):
        assert Region((box,)).contains(points.mean, points.maximum).tolist() == [False, True, True, False]


def test_a_lasso_may_be_hollow() -> None:
    # a U: the notch between its arms is outside
    lasso = [0, 3, 3, 2, 2, 1, 1, 0], [0, 0, 3, 3, 1, 1, 3, 3]
    inside, outside = [(0.5, 2.5), (2.5, 2.5), (1.5, 0.5)], [(1.5, 2.0), (-1.0, 1.0), (4.0, 1.0), (1.5, 3.5)]
    x, y = np.array(inside + outside).T
    assert Region(lassos=(lasso,)).contains(x, y).tolist() == [True] * 3 + [False] * 4


def test_a_lasso_agrees_with_the_distance_to_the_middle_of_a_circle() -> None:
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    x, y = np.random.default_rng(0).uniform(-2, 2, (2, 5000))
    distance = np.hypot(x, y)
    clear = np.abs(distance - 1) > 1e-3
    found = Region(lassos=((np.cos(angle), np.sin(angle)),)).contains(x, y)
    np.testing.assert_array_equal(found[clear], distance[clear] < 1)


def test_a_region_joins_what_was_drawn() -> None:
    x = np.array([0.5, 1.5, 5.0])
    region = Region(((0, 0, 1, 1),), (([1, 2, 2, 1], [0, 0, 1, 1]),))
    assert region.contains(x, np.full(3, 0.5)).tolist() == [True, True, False]
    assert region
    assert not Region()
    assert not Region().contains(x, x).any()
    assert not Region(lassos=(([0, 1], [0, 1]),)).contains(x, x).any()  # two corners hold nothing


def test_an_image_is_picked_once_with_the_channels_of_its_points() -> None:
    # places: image 0 has channels 0, 1, 2; image 1 has 3, 4, 5
    one = at([1, 1, 9, 9, 1, 9], [1, 1.5, 1, 1, 1, 1], channels=3, name="cifar10")
    two = at([9, 1, 1], [1] * 3, channels=3, name="mnist")
    found = picked([one, two], Region(((0, 0, 2, 2),)))
    assert found == [
        Picked("cifar10", 0, (1, 0)),  # channel 1 peaks higher
        Picked("mnist", 0, (1, 2)),
        Picked("cifar10", 1, (1,)),
    ]
    assert picked([one, two], Region(((20, 20, 30, 30),))) == []


def test_datasets_take_turns_among_images_with_equally_many_points() -> None:
    parts = [at([1, 1, 1], [1, 1, 1], name=name) for name in ("cifar10", "mnist")]
    found = picked(parts, Region(((0, 0, 2, 2),)))
    assert [(image.dataset, image.row) for image in found] == [
        (name, row) for row in range(3) for name in ("cifar10", "mnist")
    ]


def test_the_first_images_stand_for_all_where_there_are_very_many() -> None:
    parts = [made_up(n, 50, seed=n) for n in (400, 100, 2)]
    assert images_collected(parts) == [400, 100, 2]
    assert images_collected(parts, most=50 * 502) == [400, 100, 2]
    assert images_collected(parts, most=50 * 251) == [200, 50, 1]
    assert images_collected(parts, most=50 * 100) == [79, 19, 1]
    assert images_collected(parts, channel=3, most=502) == [400, 100, 2]
    assert images_collected(parts, channel=3, most=251) == [200, 50, 1]


@pytest.mark.parametrize("channel", [None, 7])
def test_points_of_the_first_images_are_the_first_points(channel: int | None) -> None:
    whole, first = (points_of("a", made_up(40, 50), channel=channel, images=images) for images in (None, 15))
    assert (whole.images, whole.all_images, first.images, first.all_images) == (40, 40, 15, 40)
    count = len(first)
    assert set(first.row.tolist()) <= set(range(15))
    np.testing.assert_array_equal(first.place, whole.place[:count])
    np.testing.assert_array_equal(first.maximum, whole.maximum[:count])
    assert len(first) + first.left_out == 15 * (50 if channel is None else 1)
    assert first.take(np.arange(3)).images == 15


def test_points_of_half_precision_are_single() -> None:
    whole = made_up(10, 5)
    half = Activations(whole.maximum.astype("f2"), whole.mean.astype("f2"), whole.variance, whole.logits, whole.labels)
    points = points_of("a", half)
    assert points.mean.dtype == points.maximum.dtype == np.float32


@pytest.mark.parametrize("channel", [None, 1])
def test_the_points_of_each_dataset_are_those_of_as_many_images_as_are_collected(channel: int | None) -> None:
    parts = {"one": made_up(30), "two": made_up(10, seed=1)}
    most = 20 * (4 if channel is None else 1)  # half of the images
    for name, points in zip(parts, points_of_each(parts, channel=channel, most=most), strict=True):
        expected = points_of(name, parts[name], channel=channel, images=len(parts[name]) // 2)
        assert (points.dataset, points.left_out, points.images) == (name, expected.left_out, expected.images)
        np.testing.assert_array_equal(points.place, expected.place)
