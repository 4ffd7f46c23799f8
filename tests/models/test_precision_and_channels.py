"""Networks in other precisions run in single, networks of one channel are fed grey images, torch's reason is kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from nap_core import extraction, methods, models
from nap_core.corruptions.pseudo_ood import PseudoOod, for_views
from nap_core.errors import UserError
from nap_core.methods import ImageSet, ScoringContext
from nap_core.models import LoadedModel, Transform
from tests.models.test_output import ENDINGS, IMAGES, TRANSFORM, assembled, codes, logits_of, scored, seeded


@pytest.mark.parametrize("precision", [torch.half, torch.bfloat16, torch.double], ids=str)
def test_other_precisions_run_in_single(precision: torch.dtype) -> None:
    model = assembled(seeded(ENDINGS["logits"]).to(precision))
    assert codes(model) == {"precision": "note"} and str(precision).removeprefix("torch.") in model.findings[0].sentence
    assert all(one.dtype == torch.float32 for one in model.network.parameters())
    np.testing.assert_allclose(logits_of(model), logits_of(assembled(seeded(ENDINGS["logits"]))), rtol=0.05, atol=0.05)
    assert np.ptp(scored(model, "gradnorm")) > 0


def grey_network(size: int = 8) -> nn.Module:
    torch.manual_seed(0)
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(size, 4))
    return nn.Sequential(nn.Conv2d(1, size, 3, 2, 1), nn.ReLU(), *pooled)


@pytest.fixture
def grey() -> LoadedModel:
    return assembled(grey_network(), transform=Transform(16, 16, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)))


class TestGrey:
    def test_it_is_said(self, grey: LoadedModel) -> None:
        assert codes(grey) == {"channels": "note"} and grey.transform.channels == 1
        assert "grey" in grey.transform.describe() and "mean (0.1), std (0.5)" in grey.transform.describe()

    def test_the_network_is_fed_luma(self, grey: LoadedModel) -> None:
        luma = np.stack([np.asarray(IMAGES.image(index).convert("L")) for index in range(6)])
        x = (torch.from_numpy(luma)[:, None].float() / 255 - 0.1) / 0.5
        with torch.no_grad():
            np.testing.assert_allclose(logits_of(grey), grey.network(x).numpy(), rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("method", ["nap", "energy", "odin", "gradnorm"])
    def test_methods_run(self, grey: LoadedModel, method: str) -> None:
        assert np.isfinite(scored(grey, method)).all()

    def test_corrupted_images_run(self, grey: LoadedModel) -> None:
        images = PseudoOod(IMAGES, grey.transform)
        found = extraction.extract(for_views(grey), images, device="cpu")
        assert np.isfinite(methods.score("energy", ImageSet(found), ScoringContext(grey))).all()

    def test_another_crop(self, grey: LoadedModel) -> None:
        other = models.with_preprocessing(grey, TRANSFORM.changed("20/20"))
        assert other.transform.channels == 1 and extraction.extract(other, IMAGES, device="cpu").maximum.shape == (6, 8)

    def test_a_color_transform_describes_itself_as_before(self) -> None:
        line = "short side to 16 (bilinear), centre crop 16, mean (0.5, 0.5, 0.5), std (0.25, 0.25, 0.25)"
        assert TRANSFORM.describe() == line

    def test_a_grey_image_stays_as_it_is(self) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (20, 20), dtype=np.uint8)
        view = replace(TRANSFORM, resize=20, crop=20, channels=1).view(Image.fromarray(pixels))
        np.testing.assert_array_equal(view, np.repeat(pixels[..., None], 3, 2))


class TestReason:
    def test_channels(self) -> None:
        network = nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))
        with pytest.raises(UserError, match=r"16 × 16 pixels: .*channels") as refused:
            assembled(network)
        assert "crop" not in str(refused.value)

    def test_a_crop_is_only_named_where_it_works(self) -> None:
        network = nn.Sequential(nn.Conv2d(3, 4, 3, 1, 1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 256, 4))
        blueprint = assembled(network).architecture
        with pytest.raises(UserError, match=r"24 × 24 pixels: .*shapes.*crop to 16\."):
            models.assemble(blueprint, network, TRANSFORM.changed("24/24"), tuple("abcd"), "")


MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
USUAL = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class TestUnits:
    @pytest.mark.parametrize(
        ("mean", "std", "expected"),
        [
            (MEAN, STD, USUAL),
            (MEAN, USUAL[1], USUAL),
            (USUAL[0], STD, USUAL),
            ((127.5,) * 3, (127.5,) * 3, ((0.5,) * 3, (0.5,) * 3)),
            (MEAN, (1.0,) * 3, (USUAL[0], (0.003922,) * 3)),  # Caffe's: the mean is subtracted from 0 … 255
            ((0.0,) * 3, (255.0,) * 3, ((0.0,) * 3, (1.0,) * 3)),
        ],
    )
    def test_0_to_255_is_recognised(self, mean, std, expected) -> None:
        given = Transform(16, 16, mean, std)
        offered = given.divided()
        assert (offered.mean, offered.std) == expected
        assert offered.divided() is None and offered.checked() is offered
        with pytest.raises(UserError, match="Divide by 255"):
            given.checked()

    @pytest.mark.parametrize("std", [USUAL[1], (0.5,) * 3, (1.0,) * 3, (1 / 255,) * 3])
    @pytest.mark.parametrize("mean", [USUAL[0], (0.0,) * 3, (1.0,) * 3])
    def test_0_to_1_stays(self, mean, std) -> None:
        assert Transform(16, 16, mean, std).checked().divided() is None

    def test_every_way_in(self, tmp_path: Path, models_folder: Path) -> None:
        wrong = Transform(32, 32, MEAN, STD)
        torch.manual_seed(0)
        torch.save(models.ARCHITECTURES["resnet20"].build(3).state_dict(), path := tmp_path / "three.pth")
        words = {"build": grey_network, "classes": tuple("abcd"), "transform": wrong}
        for way in (
            lambda: models.entry(name="mine", **words),
            lambda: models.add(path, "resnet20", "Three", transform=wrong),
            lambda: models.load_checkpoint("resnet20", path, transform=wrong),
            lambda: models.with_preprocessing(models.load("resnet20-cifar10"), wrong),
        ):
            with pytest.raises(UserError, match="Divide by 255"):
                way()
