"""The catalogue of models, and for each network that mean pooling times the head gives its own logits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nap_core import datasets, extraction, models
from nap_core.errors import UserError
from nap_core.models import ARCHITECTURES, RECORDS, LoadedModel
from nap_core.models.checkpoint import sha256_of


def randomised(architecture: str, classes: int = 7) -> nn.Module:
    """A network with random weights and, unlike a fresh one, random statistics and offsets in every layer."""
    torch.manual_seed(0)
    network = ARCHITECTURES[architecture].build(classes).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.1)
        network.get_submodule(ARCHITECTURES[architecture].head).bias.normal_()
    return network


def tapped(model: LoadedModel, views: np.ndarray) -> tuple[Tensor, Tensor]:
    """The penultimate map and the network's own logits for views (B, H, W, 3)."""
    found: list[Tensor] = []
    pixels = model.transform.normalise(torch.from_numpy(np.array(views)).permute(0, 3, 1, 2))
    with torch.inference_mode(), model.hook.capture(model.network, found.append):
        logits = model.network(pixels)
    return found[0], logits


def assert_head_of_mean_is_logits(model: LoadedModel, views: np.ndarray) -> None:
    penultimate, logits = tapped(model, views)
    assert penultimate.ndim == 4
    assert penultimate.shape[1] == model.head_weight.shape[1]
    assert min(penultimate.shape[2:]) > 1, "a map of one neuron has no peak"
    assert penultimate.min() >= 0, "the map is read after the ReLU"
    assert penultimate.max() > 0
    by_hand = penultimate.mean((2, 3)).numpy() @ model.head_weight.T + model.head_bias
    np.testing.assert_allclose(by_hand, logits.numpy(), rtol=1e-4, atol=1e-4 * float(logits.abs().max()))


@pytest.mark.parametrize("name", RECORDS)
def test_mean_times_head_is_the_bundled_models_own_logits(name: str) -> None:
    model = models.load(name)
    pictures = datasets.load("photos" if RECORDS[name].trained_on == "ImageNet-1k" else "cifar10")
    assert_head_of_mean_is_logits(model, np.stack([model.transform.view(pictures.image(row)) for row in range(4)]))


# The smallest of each kind is quick.
QUICK = ("resnet20", "densenet_bc_40_12", "efficientnet_lite0")


@pytest.mark.parametrize(
    "architecture",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in ARCHITECTURES],
)
def test_mean_times_head_is_the_logits_of_every_architecture(architecture: str, tmp_path: Path) -> None:
    network = randomised(architecture)
    torch.save(network.state_dict(), path := tmp_path / "weights.pt")
    model = models.load_checkpoint(architecture, path)
    side = model.transform.crop
    views = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    assert_head_of_mean_is_logits(model, views)
    with torch.inference_mode():
        pixels = model.transform.normalise(torch.from_numpy(np.array(views)).permute(0, 3, 1, 2))
        torch.testing.assert_close(model.network(pixels), network(pixels))


class TestCatalogue:
    @pytest.mark.parametrize("name", RECORDS)
    def test_record_fits_its_architecture_and_datasets(self, name: str) -> None:
        record = RECORDS[name]
        assert record.name == name
        assert record.architecture in ARCHITECTURES
        for dataset in (record.id_dataset, record.fit_dataset, *record.ood_datasets):
            assert dataset is None or dataset in datasets.RECORDS
        assert datasets.RECORDS[record.id_dataset].role in ("id", "precomputed")
        assert all(datasets.RECORDS[dataset].role == "ood" for dataset in record.ood_datasets)
        assert record.licence
        assert record.source
        assert record.accuracy is None or 0.5 < record.accuracy < 1

    @pytest.mark.parametrize("name", RECORDS)
    def test_loaded_model_is_ready_to_be_asked(self, name: str) -> None:
        model, record = models.load(name), RECORDS[name]
        assert (model.name, model.title) == (record.name, record.title)
        assert not any(module.training for module in model.network.modules())
        assert model.head_weight.shape == (len(model.classes), len(model.head_weight[0]))
        assert model.head_bias.shape == (len(model.classes),)
        assert model.weights_sha256 == sha256_of(record.weights())

    def test_classes(self) -> None:
        cifar = models.load("resnet20-cifar10")
        assert cifar.classes == datasets.load("cifar10").classes
        imagenet = models.load("efficientnet-lite0-imagenet")
        assert len(imagenet.classes) == 1000
        assert (imagenet.classes[0], imagenet.classes[281], imagenet.classes[999]) == (
            "tench",
            "tabby",
            "toilet tissue",
        )

    def test_one_model_is_loaded_once(self) -> None:
        assert models.load("resnet20-cifar10") is models.load("resnet20-cifar10")

    def test_loaded_model_can_be_the_key_of_a_cache(self) -> None:
        model = models.load("resnet20-cifar10")
        assert {model: 1}[model] == 1

    def test_unknown_model_is_answered_with_the_known_ones(self) -> None:
        with pytest.raises(UserError, match=r"no model called “vgg”\. There are: resnet20-cifar10, efficientnet"):
            models.load("vgg")

    def test_cat_is_a_cat(self) -> None:
        """The whole road from a picture to a class name, with the preprocessing that the weights expect."""
        model = models.load("efficientnet-lite0-imagenet")
        photos = datasets.load("photos")
        row = next(row for row, photo in enumerate(photos.photos) if "cat" in photo.title.lower())
        found = tapped(model, model.transform.view(photos.image(row))[None])[1]
        assert "cat" in model.classes[int(found.argmax())] or "tabby" in model.classes[int(found.argmax())]


def test_extraction_and_tap_agree() -> None:
    """What the app computes from is what the tap reads."""
    model = models.load("resnet20-cifar10")
    images = [datasets.load("cifar10").image(row) for row in range(3)]
    views = np.stack([model.transform.view(image) for image in images])
    np.testing.assert_allclose(extraction.maps(model, images, device="cpu"), tapped(model, views)[0], atol=1e-5)


def test_published_checkpoint_loads(shared: Path) -> None:
    path = shared / "weights" / "densenet_bc_100_12_cifar10.pth.tar"
    model = models.load_checkpoint("densenet_bc_100_12", path, classes=models.CIFAR10_CLASSES)
    assert model.head_weight.shape == (10, 342)
    views = np.stack([model.transform.view(datasets.load("cifar10").image(row)) for row in range(4)])
    assert_head_of_mean_is_logits(model, views)
