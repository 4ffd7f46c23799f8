"""The default preprocessing of an architecture is the one that its published weights are evaluated with."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torchvision.models import get_model_weights

from nap_core.models import Transform, architectures, timm_networks, torchvision_families

# 53 of torchvision's networks are not evaluated at 256/224; of timm's, hundreds are not at the size of their training.
QUICK = ("resnet50", "efficientnet_b4", "vit_h_14", "efficientnet_v2_l")
TIMM_QUICK = ("convnext_atto", "resnet50", "vit_tiny_patch16_224", "efficientnet_b0")


def picture(square: bool) -> Image.Image:
    size = (331, 331, 3) if square else (251, 331, 3)
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8))


def fed(transform: Transform, image: Image.Image) -> torch.Tensor:
    return transform.normalise(torch.tensor(transform.view(image)).permute(2, 0, 1)[None])[0]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in torchvision_families.names()],
)
def test_torchvision(name: str) -> None:
    theirs = get_model_weights(name).DEFAULT.transforms()
    ours = architectures.find(name).transform
    torch.testing.assert_close(fed(ours, picture(False)), theirs(picture(False)), rtol=1e-5, atol=1e-5)


def _fifty() -> list[str]:
    """Every few of timm's names whose size, interpolation and way to crop are ours to have."""
    plain = [name.removeprefix(timm_networks.PREFIX) for name in timm_networks.names()]
    settings = {name: timm.get_pretrained_cfg(name) for name in plain}
    usual = [
        name
        for name, one in settings.items()
        if one.crop_mode in ("center", "squash") and one.interpolation in ("bilinear", "bicubic")
    ]
    return usual[:: len(usual) // 50]


def assert_timms(name: str) -> None:
    config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict(), use_test_size=True)
    theirs = timm.data.create_transform(**config, is_training=False)
    # A square image: timm's "squash" changes the aspect ratio of any other.
    ours = architectures.find(timm_networks.PREFIX + name).transform
    torch.testing.assert_close(fed(ours, picture(True)), theirs(picture(True)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", TIMM_QUICK)
def test_timm(name: str) -> None:
    assert_timms(name)


def test_timms_size_of_evaluation_is_taken_where_it_differs() -> None:
    transform = architectures.find("timm:convnext_atto").transform
    assert (transform.crop, timm.get_pretrained_cfg("convnext_atto").input_size[-1]) == (288, 224)


@pytest.mark.slow
def test_fifty_of_timms() -> None:
    names = _fifty()
    assert len(names) >= 50
    for name in names:
        assert_timms(name)
