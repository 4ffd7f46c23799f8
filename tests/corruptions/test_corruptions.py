"""The corruptions: what each does to hand-made pixels, and the published parameters."""

from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from nap_core import corruptions, datasets, models
from nap_core.errors import UserError


@pytest.fixture
def view() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)


def flat(value: int, side: int = 224) -> np.ndarray:
    return np.full((side, side, 3), value, dtype=np.uint8)


@pytest.mark.parametrize("name", corruptions.RECORDS)
@pytest.mark.parametrize("side", [224, 32])
def test_every_corruption_keeps_shape_and_type_and_is_repeatable(name: str, side: int, view: np.ndarray) -> None:
    part = view[:side, :side].copy()
    before = part.copy()
    steps = corruptions.strip(name, part)
    assert (steps.shape, steps.dtype) == ((6, side, side, 3), np.uint8)
    np.testing.assert_array_equal(part, before)
    np.testing.assert_array_equal(steps[0], part)
    np.testing.assert_array_equal(steps, corruptions.strip(name, part))
    assert all((steps[severity] != part).any() for severity in range(1, 6))


@pytest.mark.parametrize("name", corruptions.RECORDS)
def test_a_photograph_gets_worse_with_every_step(name: str) -> None:
    photograph = models.load("efficientnet-lite0-imagenet").transform.view(datasets.load("photos").image(0))
    steps = corruptions.strip(name, photograph).astype(float)
    distance = [np.abs(step - steps[0]).mean() for step in steps]
    if name in ("glass-blur", "snow", "frost"):
        # Of these the published parameters trade one thing for another: how far away for how often, for example.
        assert distance[5] > distance[1] > 0
    else:
        assert all(later > earlier for earlier, later in pairwise(distance))


def test_noise_has_the_published_deviation_and_one_pattern() -> None:
    # At mid-grey ± 0.08 hardly anything is clipped, so the spread is the parameter itself.
    spread = (corruptions.corrupt("gaussian-noise", flat(128), 1) / 255).std()
    assert spread == pytest.approx(0.08, rel=0.02)
    small = (corruptions.corrupt("gaussian-noise", flat(128, 32), 5) / 255).std()
    assert small == pytest.approx(0.10, rel=0.05)
    one, two = (corruptions.corrupt("gaussian-noise", flat(128), step).astype(float) - 128 for step in (1, 2))
    inside = np.abs(two) < 100
    assert np.corrcoef(one[inside], two[inside])[0, 1] > 0.999


def test_contrast_draws_every_colour_towards_its_own_mean() -> None:
    picture = flat(0)
    picture[:112, :, 0] = 255
    faded = corruptions.corrupt("contrast", picture, 1)  # 40 % of the contrast: 0.5 ± 0.2
    assert set(np.unique(faded[..., 0])) == {int(0.3 * 255), int(0.7 * 255)}
    assert not faded[..., 1:].any()


def test_defocus_spreads_a_point_over_the_disk() -> None:
    picture = flat(0)
    picture[100, 100] = 255
    blurred = corruptions.corrupt("defocus-blur", picture, 1)[..., 0]  # radius 3: 29 pixels
    rows, columns = np.mgrid[:224, :224]
    inside = (rows - 100) ** 2 + (columns - 100) ** 2 <= 9
    assert inside.sum() == 29
    assert set(blurred[inside]) == {255 // 29}
    assert not blurred[~inside].any()


def test_defocus_mirrors_the_border_and_leaves_a_flat_picture_alone() -> None:
    for severity in range(6):
        np.testing.assert_array_equal(corruptions.corrupt("defocus-blur", flat(77), severity), flat(77))
    picture = flat(0)
    picture[0, 0] = 255  # mirrored about itself, it stays a single point: a quarter of the disk lies inside
    blurred = corruptions.corrupt("defocus-blur", picture, 1)[..., 0]
    assert np.count_nonzero(blurred) == 11
    assert blurred.max() == 255 // 29


def test_small_disks_are_softened_points() -> None:
    kernel = corruptions.blur.disk(0.3, 0.4)
    edge = np.exp(-1 / (2 * 0.4**2))
    weights = np.array([edge, 1, edge]) / (1 + 2 * edge)
    np.testing.assert_allclose(kernel[7:10, 7:10], np.outer(weights, weights))
    assert kernel.sum() == pytest.approx(1)
    assert corruptions.blur.disk(10, 0.5).shape == (21, 21)


def test_pixelate_averages_boxes() -> None:
    picture = flat(0, 4)
    picture[:2, :2, 0] = 200
    # 4 × 0.65 = 2.6, cut to 2: four boxes of 2 × 2.
    np.testing.assert_array_equal(corruptions.corrupt("pixelate", picture, 5), picture)
    picture[0, 0, 0] = 100
    assert corruptions.corrupt("pixelate", picture, 5)[0, 0, 0] == 175


def test_jpeg_is_jpeg_at_the_published_quality(view: np.ndarray) -> None:
    buffer = BytesIO()
    Image.fromarray(view).save(buffer, "JPEG", quality=25)
    np.testing.assert_array_equal(corruptions.corrupt("jpeg", view, 1), np.asarray(Image.open(buffer)))


def test_the_records_are_complete_and_the_sizes_choose_the_list() -> None:
    for name, record in corruptions.RECORDS.items():
        assert record.name == name
        assert len(record.imagenet) == len(record.cifar) == 5
        assert record.title
        assert record.meaning
        assert "Hendrycks" in record.source
        assert record.parameters(32, 2) == record.cifar[1]
        assert record.parameters(224, 5) == record.imagenet[4]


def test_unknown_names_and_severities(view: np.ndarray) -> None:
    with pytest.raises(UserError, match="no corruption called “rain”"):
        corruptions.corrupt("rain", view, 1)
    for severity in (-1, 6):
        with pytest.raises(ValueError, match="0 to 5"):
            corruptions.corrupt("jpeg", view, severity)
