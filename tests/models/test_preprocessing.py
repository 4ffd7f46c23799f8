"""What the network sees of a picture: bit for bit what torchvision's transforms give."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, Normalize, Resize, ToTensor
from torchvision.transforms.functional import InterpolationMode

from nap_core.models import ARCHITECTURES, Transform

CIFAR = ARCHITECTURES["resnet20"].transform
LITE = ARCHITECTURES["efficientnet_lite0"].transform
MODES = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}


def picture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    rng = np.random.default_rng(width * 10_000 + height)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)


def torchvisions(transform: Transform) -> Compose:
    return Compose([Resize(transform.resize, MODES[transform.interpolation]), CenterCrop(transform.crop)])


def assert_same_view(transform: Transform, image: Image.Image) -> None:
    expected = np.asarray(torchvisions(transform)(image.convert("RGB")))
    found = transform.view(image)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("transform", [CIFAR, LITE], ids=["cifar", "lite"])
@pytest.mark.parametrize(
    ("width", "height"),
    [
        pytest.param(300, 301, id="portrait, nearly square"),
        pytest.param(301, 300, id="landscape, nearly square"),
        pytest.param(97, 411, id="tall"),
        pytest.param(641, 203, id="wide"),
        pytest.param(256, 256, id="as the resize"),
        pytest.param(256, 333, id="short side as the resize"),
        pytest.param(32, 32, id="as the crop"),
        pytest.param(28, 28, id="smaller than the crop"),
        pytest.param(5, 13, id="tiny"),
        pytest.param(1, 1, id="one pixel"),
        pytest.param(49, 98, id="ratio that floating point misses"),
        pytest.param(33, 35, id="one pixel to cut off"),
        pytest.param(257, 259, id="one pixel to cut off after the resize"),
    ],
)
def test_view_equals_torchvisions(transform: Transform, width: int, height: int) -> None:
    assert_same_view(transform, picture(width, height))


@settings(max_examples=60)
@given(
    st.integers(1, 400), st.integers(1, 400), st.sampled_from([CIFAR, Transform(40, 33, (0,) * 3, (1,) * 3, "bicubic")])
)
def test_view_equals_torchvisions_at_any_size(width: int, height: int, transform: Transform) -> None:
    assert_same_view(transform, picture(width, height))


def test_long_side_is_cut_to_whole_pixels_as_torchvision_does() -> None:
    """Sizes only, over many: short side s, long side l → int(resize · l / s)."""
    odd = []
    for short in range(1, 200):
        for long in range(short, 200):
            expected = int(CIFAR.resize * long / short)
            if CIFAR.size(short, long) != (CIFAR.resize, expected) or CIFAR.size(long, short) != (
                expected,
                CIFAR.resize,
            ):
                odd.append((short, long))
    assert not odd


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK", "LA"])
def test_pictures_of_any_mode_become_rgb(mode: str) -> None:
    assert_same_view(CIFAR, picture(45, 37, mode))
    assert CIFAR.view(picture(45, 37, mode)).shape == (32, 32, 3)


def test_picture_of_the_right_size_is_left_alone() -> None:
    image = picture(32, 32)
    np.testing.assert_array_equal(CIFAR.view(image), np.asarray(image))


@pytest.mark.parametrize("transform", [CIFAR, LITE], ids=["cifar", "lite"])
def test_normalised_input_equals_torchvisions(transform: Transform) -> None:
    image = picture(61, 50)
    expected = Compose([torchvisions(transform), ToTensor(), Normalize(transform.mean, transform.std)])(image)
    views = torch.from_numpy(np.array(transform.view(image))).permute(2, 0, 1)[None]
    torch.testing.assert_close(transform.normalise(views)[0], expected, rtol=1e-5, atol=1e-6)


def test_lite_preprocessing_by_hand() -> None:
    """(x − 127) / 128 for x from 0 to 255, as the weights were trained with."""
    views = torch.tensor([0, 127, 255], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 3, 2, 2)
    expected = torch.tensor([-127 / 128, 0, 1.0]).view(3, 1, 1, 1).expand(3, 3, 2, 2)
    torch.testing.assert_close(LITE.normalise(views), expected, rtol=1e-5, atol=1e-6)


def test_channels_are_normalised_each_by_its_own() -> None:
    grey = torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)
    expected = [(1 - mean) / std for mean, std in zip(CIFAR.mean, CIFAR.std, strict=True)]
    torch.testing.assert_close(CIFAR.normalise(grey).flatten(), torch.tensor(expected), rtol=1e-5, atol=1e-6)


def test_description_tells_transforms_apart() -> None:
    others = [
        Transform(33, 32, CIFAR.mean, CIFAR.std),
        Transform(32, 31, CIFAR.mean, CIFAR.std),
        Transform(32, 32, (0.5, 0.4822, 0.4465), CIFAR.std),
        Transform(32, 32, CIFAR.mean, (0.2023, 0.1994, 0.20101)),
        Transform(32, 32, CIFAR.mean, CIFAR.std, "bicubic"),
    ]
    words = [transform.describe() for transform in (CIFAR, *others)]
    assert len(set(words)) == len(words)
    assert Transform(32, 32, CIFAR.mean, CIFAR.std).describe() == CIFAR.describe()
    assert words[0].startswith("short side to 32 (bilinear), centre crop 32, mean (0.4914")
