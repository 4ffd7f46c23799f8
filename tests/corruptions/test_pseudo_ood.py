"""Corrupted ID images: which meets what, what the network sees of them, and when two sets are one."""

from dataclasses import replace

import numpy as np
import pytest

from nap_core import corruptions, datasets, extraction, models
from nap_core.corruptions import pseudo_ood
from nap_core.corruptions.pseudo_ood import PseudoOod, for_views
from nap_core.datasets.images import ArrayImages
from nap_core.errors import UserError
from nap_core.extraction import forward_pass
from nap_core.models import Transform

NAMES = tuple(corruptions.RECORDS)
TRANSFORM = Transform(40, 32, (0.5,) * 3, (0.25,) * 3)


def pictures(count: int) -> ArrayImages:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 36, 48, 3), dtype=np.uint8)
    return ArrayImages("p", "Pictures", ("a", "b", "c"), np.arange(count) % 3, pixels, np.arange(count))


def pairs(images: PseudoOod, first: int, last: int) -> set[tuple[int, int]]:
    return {(int(images.plan.corruption[i]), int(images.plan.severity[i])) for i in range(first, last)}


def test_any_fifteen_meet_all_corruptions_and_any_75_at_all_severities() -> None:
    images = PseudoOod(pictures(300), TRANSFORM)
    assert len(images) == 300
    np.testing.assert_array_equal(images.plan.source, np.arange(300))
    for first in range(0, 300, 15):
        assert sorted(images.plan.corruption[first : first + 15]) == list(range(15))
        assert np.bincount(images.plan.severity[first : first + 15]).tolist() == [0, 3, 3, 3, 3, 3]
    for first in range(0, 300, 75):
        assert len(pairs(images, first, first + 75)) == 75


def test_the_classes_of_the_dataset_do_not_go_with_a_corruption_or_a_severity() -> None:
    images = PseudoOod(pictures(3000), TRANSFORM)  # classes a, b, c in turn: 15 is a multiple of 3
    for column, values in ((images.plan.corruption, 15), (images.plan.severity - 1, 5)):
        together = np.zeros((3, values))
        np.add.at(together, (images.labels, column), 1)
        expected = 1000 / values
        assert np.abs(together - expected).max() < 5 * np.sqrt(expected)


def test_each_image_can_meet_them_all() -> None:
    images = PseudoOod(pictures(20), TRANSFORM, each=True, limit=10)
    assert len(images) == 150
    assert len(images.labels) == 150
    for image in range(10):
        mine = slice(15 * image, 15 * image + 15)
        assert set(images.plan.source[mine]) == {image}
        assert sorted(images.plan.corruption[mine]) == list(range(15))
    assert len(pairs(images, 0, 75)) == 75
    np.testing.assert_array_equal(images.labels, np.repeat(np.arange(10) % 3, 15))


def test_a_choice_of_corruptions_and_severities() -> None:
    images = PseudoOod(pictures(12), TRANSFORM, severities=(5,), corruptions=("fog", "snow"))
    assert set(images.plan.severity) == {5}
    assert sorted(images.plan.corruption) == [0] * 6 + [1] * 6
    with pytest.raises(UserError, match="“rain”"):
        replace(images, corruptions=("rain",))
    for wrong in ({"severities": (0,)}, {"severities": ()}, {"corruptions": ()}):
        with pytest.raises(ValueError, match="severities of 1 to 5"):
            replace(images, **wrong)


@pytest.mark.parametrize("model", ["resnet20-cifar10", "efficientnet-lite0-imagenet"])
def test_the_network_is_fed_the_corrupted_view_itself(model: str) -> None:
    loaded = models.load(model)
    images = PseudoOod(datasets.load("photos"), loaded.transform, limit=4, seed=3)
    fed = for_views(loaded).transform
    assert (fed.mean, fed.std, fed.crop) == (loaded.transform.mean, loaded.transform.std, loaded.transform.crop)
    for index in range(4):
        shown = np.asarray(images.image(index))
        assert shown.shape == (fed.crop, fed.crop, 3)
        np.testing.assert_array_equal(fed.view(images.image(index)), shown)
        assert (shown != loaded.transform.view(datasets.load("photos").image(index))).any()


def test_extraction_gives_the_activations_of_the_corrupted_views(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward_pass, "threads", lambda: 3)
    model = models.load("resnet20-cifar10")
    images = PseudoOod(datasets.load("cifar10"), model.transform, limit=40, scale="imagenet")
    found = extraction.extract(for_views(model), images, device="cpu")
    views = np.stack([np.asarray(images.image(index)) for index in range(40)])
    expected, _ = extraction.look(model, views, device="cpu")
    np.testing.assert_allclose(found.maximum, expected.maximum, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.labels, datasets.load("cifar10").labels[:40])


def test_a_longer_set_begins_with_the_shorter_and_an_image_has_one_noise_at_every_severity() -> None:
    short, long = (PseudoOod(pictures(60), TRANSFORM, limit=limit) for limit in (17, 50))
    assert short.fingerprint == long.fingerprint
    for index in (0, 9, 16):
        np.testing.assert_array_equal(short.image(index), long.image(index))
    one, two = (
        PseudoOod(pictures(1), TRANSFORM, severities=(step,), corruptions=("impulse-noise",)) for step in (1, 5)
    )
    view = TRANSFORM.view(pictures(1).image(0))
    changed = np.asarray(one.image(0)) != view
    np.testing.assert_array_equal(np.asarray(one.image(0))[changed], np.asarray(two.image(0))[changed])


def test_what_makes_other_pixels_makes_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    images = PseudoOod(pictures(6), TRANSFORM)
    others = [
        PseudoOod(pictures(7), TRANSFORM),
        replace(images, transform=replace(TRANSFORM, resize=44)),
        replace(images, severities=(1, 2)),
        replace(images, seed=1),
        replace(images, each=True),
        replace(images, corruptions=NAMES[::-1]),
        replace(images, scale="imagenet"),
    ]
    found = {one.fingerprint for one in (images, *others)}
    monkeypatch.setattr(pseudo_ood.corruptions, "REVISION", corruptions.REVISION + 1)
    assert len(found | {replace(images).fingerprint}) == len(others) + 2
    assert replace(images, transform=replace(TRANSFORM, mean=(0.1,) * 3)).fingerprint == replace(images).fingerprint


def test_another_seed_gives_another_order_and_other_noise() -> None:
    one, other = (PseudoOod(pictures(30), TRANSFORM, seed=seed) for seed in (0, 1))
    assert (one.plan.corruption != other.plan.corruption).any()
    noisy = [replace(images, corruptions=("gaussian-noise",), severities=(3,)) for images in (one, other)]
    assert (np.asarray(noisy[0].image(0)) != np.asarray(noisy[1].image(0))).any()
    first, second = (np.asarray(noisy[0].image(i)).astype(int) - TRANSFORM.view(pictures(30).image(i)) for i in (0, 1))
    assert (first != second).any()
