"""Corruptions of many images at once: the same as of each alone, whatever the size, the order and the company."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nap_core import corruptions
from nap_core.corruptions import apply, batch, blur
from nap_core.errors import UserError

RANDOM = ("gaussian-noise", "shot-noise", "impulse-noise", "glass-blur", "motion-blur")
RANDOM += ("snow", "frost", "fog", "elastic")
names = pytest.mark.parametrize("name", corruptions.RECORDS)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


@names
@pytest.mark.parametrize("side", [32, 96])
def test_alone_in_a_batch_and_in_another_order_an_image_becomes_the_same(name: str, side: int) -> None:
    views, seeds = noise(12, side, side), list(range(100, 112))
    together = corruptions.corrupt_batch(name, views, 3, seeds)
    backwards = corruptions.corrupt_batch(name, views[::-1].copy(), 3, seeds[::-1])
    np.testing.assert_array_equal(backwards[::-1], together)
    for index in (0, 7, 11):
        alone = corruptions.corrupt_batch(name, views[[index]], 3, [seeds[index]])
        np.testing.assert_array_equal(alone[0], together[index])


@names
def test_more_than_is_worked_on_at_a_time_is_corrupted_all_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    views, seeds = noise(5, 40, 24), range(5)
    whole = corruptions.corrupt_batch(name, views, 2, seeds)
    monkeypatch.setitem(apply._AT_A_TIME, "cpu", 2 * 40 * 24 * 3)
    np.testing.assert_array_equal(corruptions.corrupt_batch(name, views, 2, seeds), whole)


@names
def test_threads_make_no_difference(name: str) -> None:
    views, seeds = noise(2, 200, 200), [8, 9]  # large enough for torch to share the work out
    alone = corruptions.corrupt_batch(name, views, 5, seeds)
    torch.set_num_threads(3)
    np.testing.assert_array_equal(corruptions.corrupt_batch(name, views, 5, seeds), alone)
    with ThreadPoolExecutor(3) as pool:
        for made in pool.map(lambda _: corruptions.corrupt_batch(name, views, 5, seeds), range(3)):
            np.testing.assert_array_equal(made, alone)


@names
def test_the_seed_decides_where_there_is_chance_and_only_there(name: str) -> None:
    view = noise(1, 48, 48)
    one, other, again = (corruptions.corrupt_batch(name, view, 4, [seed]) for seed in (1, 2, 1))
    np.testing.assert_array_equal(one, again)
    assert (one == other).all() == (name not in RANDOM)


def test_seeds_and_corruptions_have_streams_of_their_own() -> None:
    draws = [batch.stream(seed, name).random(4) for seed in (0, 1, 2**64 - 1) for name in ("snow", "fog")]
    assert len({tuple(draw) for draw in draws}) == 6
    np.testing.assert_array_equal(batch.stream(0, "snow").random(4), draws[0])


@pytest.mark.parametrize("name", ["gaussian-noise", "shot-noise"])
def test_noise_is_one_draw_at_every_severity(name: str) -> None:
    view = np.full((1, 64, 64, 3), 128, np.uint8)
    mild, strong = (
        corruptions.corrupt_batch(name, view, step, [3], scale="imagenet").ravel().astype(float) for step in (1, 3)
    )
    assert np.corrcoef(mild, strong)[0, 1] > 0.95


def test_impulses_only_become_more() -> None:
    view = np.full((1, 64, 64, 3), 128, np.uint8)
    steps = [corruptions.corrupt_batch("impulse-noise", view, step, [3])[0] for step in range(1, 6)]
    for (less, more), (amount,) in zip(pairwise(steps), corruptions.RECORDS["impulse-noise"].cifar, strict=False):
        hit = less != 128
        np.testing.assert_array_equal(less[hit], more[hit])
        assert hit.mean() == pytest.approx(amount, abs=4 * np.sqrt(amount / hit.size))


def test_shot_noise_has_the_mean_and_the_variance_of_photons() -> None:
    view = np.full((1, 128, 128, 3), 51, np.uint8)  # a fifth of full brightness: 12 photons of 60
    drawn = corruptions.corrupt_batch("shot-noise", view, 1, [0]) / 255 * 60
    counts = np.round(drawn)
    assert counts.mean() == pytest.approx(12, rel=0.01)
    assert counts.var() == pytest.approx(12, rel=0.03)
    assert not corruptions.corrupt_batch("shot-noise", np.zeros_like(view), 1, [0]).any()


@names
@given(
    height=st.integers(2, 70),
    width=st.integers(2, 70),
    severity=st.integers(1, 5),
    seed=st.integers(0, 2**64 - 1),
    value=st.sampled_from([None, 0, 255]),
    scale=st.sampled_from(["auto", "imagenet", "cifar"]),
)
@settings(max_examples=12, deadline=None)
def test_any_size_and_content_keeps_shape_and_type(
    name: str, height: int, width: int, severity: int, seed: int, value: int | None, scale: corruptions.Scale
) -> None:
    views = noise(2, height, width) if value is None else np.full((2, height, width, 3), value, np.uint8)
    before = views.copy()
    made = corruptions.corrupt_batch(name, views, severity, [seed, 1], scale=scale)
    assert (made.shape, made.dtype) == (views.shape, np.uint8)
    np.testing.assert_array_equal(views, before)


@names
@pytest.mark.parametrize("shape", [(17, 40), (40, 17), (300, 40)])
def test_odd_sizes_at_every_severity(name: str, shape: tuple[int, int]) -> None:
    views = noise(1, *shape)
    for severity in range(6):
        made = corruptions.corrupt_batch(name, views, severity, [0])
        assert (made.shape, made.dtype) == (views.shape, np.uint8)
        assert (made == views).all() == (severity == 0)


@pytest.mark.parametrize("name", ["defocus-blur", "glass-blur", "motion-blur", "zoom-blur", "elastic", "pixelate"])
def test_what_only_moves_pixels_leaves_a_flat_picture_alone(name: str) -> None:
    for level in (0, 77, 255):
        views = np.full((1, 36, 52, 3), level, np.uint8)
        for severity in range(1, 6):
            np.testing.assert_array_equal(corruptions.corrupt_batch(name, views, severity, [severity]), views)


def test_tensors_stay_tensors_and_severity_0_is_a_copy() -> None:
    views = torch.tensor(noise(2, 8, 8))
    made = corruptions.corrupt_batch("contrast", views, 3, [0, 1])
    assert isinstance(made, torch.Tensor)
    np.testing.assert_array_equal(made, corruptions.corrupt_batch("contrast", views.numpy(), 3, [0, 1]))
    copy = corruptions.corrupt_batch("contrast", views, 0, [0, 1])
    assert torch.equal(copy, views)
    assert copy.data_ptr() != views.data_ptr()
    assert corruptions.corrupt_batch("snow", noise(0, 8, 8), 3, []).shape == (0, 8, 8, 3)


@names
def test_where_there_is_only_float32_hardly_a_value_is_a_level_off(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    views = noise(2, 64, 64)
    double = corruptions.corrupt_batch(name, views, 3, [0, 1])
    monkeypatch.setattr(batch.Batch, "dtype", torch.float32)
    single = corruptions.corrupt_batch(name, views, 3, [0, 1])
    apart = np.abs(single.astype(int) - double)
    assert (apart > 0).mean() < 0.005
    # A count of photons, a taken pixel or a flake may go the other way; everything else is a matter of a level.
    assert apart.max() <= 1 or (name in ("shot-noise", "glass-blur", "snow") and (apart > 1).mean() < 0.001)


def test_arrays_that_must_not_be_written_to_and_turned_ones_are_read_all_the_same() -> None:
    views = noise(2, 9, 9)
    expected = corruptions.corrupt_batch("contrast", views[::-1].copy(), 3, [0, 1])
    views.flags.writeable = False
    np.testing.assert_array_equal(corruptions.corrupt_batch("contrast", views[::-1], 3, [0, 1]), expected)


def test_the_scale_can_be_chosen() -> None:
    views = noise(1, 32, 32)

    def made(**scale: corruptions.Scale) -> list[int]:
        return corruptions.corrupt_batch("contrast", views, 5, [0], **scale).ravel().tolist()

    assert made() == made(scale="auto") == made(scale="cifar") != made(scale="imagenet")
    with pytest.raises(ValueError, match="“tiny”"):
        made(scale="tiny")


def test_mistakes() -> None:
    views = noise(2, 8, 8)
    with pytest.raises(ValueError, match="2 images need as many seeds, not 1"):
        corruptions.corrupt_batch("fog", views, 1, [0])
    with pytest.raises(UserError, match="no corruption called “rain”"):
        corruptions.corrupt_batch("rain", views, 1, [0, 1])
    with pytest.raises(ValueError, match="0 to 5"):
        corruptions.corrupt_batch("fog", views, 6, [0, 1])


def test_values_are_taken_as_one_after_the_other_would_take_them() -> None:
    rng = np.random.default_rng(5)
    count = 60
    taken = rng.integers(0, count, (3, count))
    taken[:, :5] = np.arange(5)
    expected = []
    for row in taken:
        values = np.arange(count)
        for place in range(count - 1, -1, -1):
            values[place] = values[row[place]]
        expected.append(values)
    np.testing.assert_array_equal(blur._origins(torch.tensor(taken)), expected)
