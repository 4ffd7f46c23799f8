"""The container that every method is computed from."""

import numpy as np
import pytest

from nap_core import activations as module
from nap_core.activations import Activations


def made(images: int = 4, channels: int = 3, classes: int = 2, seed: int = 0) -> Activations:
    rng = np.random.default_rng(seed)
    maximum, mean, variance = rng.random((3, images, channels), dtype=np.float32)
    return Activations(maximum, mean, variance, rng.random((images, classes), dtype=np.float32), np.arange(images))


def test_sizes() -> None:
    found = made(images=4, channels=3)
    assert len(found) == 4
    assert found.channels == 3


def test_no_image_at_all_is_allowed() -> None:
    found = made(images=0)
    assert len(found) == 0
    assert found.predictions.shape == (0,)


@pytest.mark.parametrize("name", ["maximum", "mean", "variance"])
def test_statistics_of_another_shape_are_refused(name: str) -> None:
    whole = made()
    parts = {field: getattr(whole, field) for field in ("maximum", "mean", "variance", "logits", "labels")}
    parts[name] = parts[name][:, :2]
    with pytest.raises(ValueError, match=r"share one \(N, C\) shape, not .*\(4, 2\)"):
        Activations(**parts)


def test_statistics_must_be_per_channel() -> None:
    flat = np.zeros(4, np.float32)
    with pytest.raises(ValueError, match=r"\(N, C\)"):
        Activations(flat, flat, flat, np.zeros((4, 2), np.float32), np.zeros(4, np.int64))


@pytest.mark.parametrize("short", ["logits", "labels"])
def test_as_many_logits_and_labels_as_images(short: str) -> None:
    whole = made()
    parts = {field: getattr(whole, field) for field in ("maximum", "mean", "variance", "logits", "labels")}
    parts[short] = parts[short][:3]
    with pytest.raises(ValueError, match="4 images need as many logits and labels"):
        Activations(**parts)


def test_prediction_is_the_class_of_the_largest_logit_the_first_among_equals() -> None:
    zeros = np.zeros((3, 1), np.float32)
    logits = np.array([[0, 2, 1], [5, -1, 5], [-3, -2, -1]], np.float32)
    found = Activations(zeros, zeros, zeros, logits, np.zeros(3, np.int64))
    assert found.predictions.tolist() == [1, 0, 2]


def test_ratio_by_hand() -> None:
    one = np.array([[6.0, 0.0]], np.float32)
    found = Activations(one, one / 3, one, one, np.zeros(1, np.int64))
    np.testing.assert_allclose(found.ratio(), [[2.0, 0.0]])
    np.testing.assert_allclose(found.ratio(epsilon=4.0), [[1.0, 0.0]])


def test_take_keeps_every_field_in_the_order_asked_for() -> None:
    found = made()
    taken = found.take([2, 0])
    for name in ("maximum", "mean", "variance", "logits", "labels"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(found, name)[[2, 0]])


@pytest.mark.parametrize(("asked", "given"), [(0, 0), (3, 3), (4, 4), (9, 4)])
def test_head_gives_what_there_is(asked: int, given: int) -> None:
    found = made()
    head = found.head(asked)
    assert len(head) == given
    np.testing.assert_array_equal(head.mean, found.mean[:given])


def test_concatenate_joins_in_order() -> None:
    first, second = made(2, seed=1), made(3, seed=2)
    whole = Activations.concatenate([first, second])
    assert len(whole) == 5
    np.testing.assert_array_equal(whole.variance, np.vstack([first.variance, second.variance]))
    np.testing.assert_array_equal(whole.labels, [0, 1, 0, 1, 2])


def test_concatenating_one_part_copies_nothing() -> None:
    only = made()
    assert Activations.concatenate([only]) is only


class TestBlocks:
    @pytest.mark.parametrize("rows", [0, 1, 5, 6, 7, 20])
    def test_every_image_is_in_one_block_in_order(self, rows, monkeypatch) -> None:
        monkeypatch.setattr(module, "BLOCK", 12)  # two rows of six channels
        whole = spread(rows, 6)
        blocks = list(whole.blocks())
        assert [len(block) for block in blocks] == [2] * (rows // 2) + [1] * (rows % 2) or [0]
        np.testing.assert_array_equal(np.concatenate([block.maximum for block in blocks]), whole.maximum)
        np.testing.assert_array_equal(whole.by_rows(lambda block: block.mean.sum(axis=1)), whole.mean.sum(axis=1))

    def test_a_row_wider_than_a_block_is_a_block(self, monkeypatch) -> None:
        monkeypatch.setattr(module, "BLOCK", 4)
        assert [len(block) for block in spread(3, 6).blocks()] == [1, 1, 1]

    def test_blocks_of_what_is_mapped_are_mapped(self, tmp_path) -> None:
        np.save(tmp_path / "a.npy", spread(9, 4).maximum)
        mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
        whole = Activations(mapped, mapped, mapped, mapped, np.zeros(9, np.int64))
        assert all(isinstance(block.maximum, np.memmap) for block in whole.blocks())


def test_ratio_of_half_precision_is_taken_in_single() -> None:
    whole = spread(50, 8)
    half = Activations(whole.maximum.astype("f2"), whole.mean.astype("f2"), whole.variance, whole.logits, whole.labels)
    assert half.ratio().dtype == np.float32
    exact = half.maximum.astype(np.float64) / (half.mean.astype(np.float64) + 1)
    np.testing.assert_allclose(half.ratio(), exact, rtol=1e-6)
    np.testing.assert_array_equal(half.ratio(channels=[6, 2]), half.ratio()[:, [6, 2]])


def spread(rows: int, channels: int) -> Activations:
    draw = np.random.default_rng(rows)
    mean = draw.gamma(1, 1, (rows, channels)).astype(np.float32)
    return Activations(mean * 4, mean, mean / 3, draw.normal(size=(rows, 3)), np.zeros(rows, np.int64))
