"""Torchvision's own weights as models: what is known of each, where the file lies, and how it gets there."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torchvision.models import MobileNet_V3_Small_Weights, get_model, get_model_weights

from nap_core import models
from nap_core.errors import UserError
from nap_core.models import architectures, torchvision_zoo
from nap_core.runs.background import StudyJob
from nap_core.storage.activation_store import Store
from nap_core.storage.downloads import fetch
from nap_core.storage.progress import Progress, RunCallbacks
from nap_core.studies.study import Study, default_study, missing_downloads, missing_images, prepared
from tests.file_server import FileServer

ASKED_FOR = (
    "mobilenet_v2",
    "resnet18",
    "resnet50",
    "vgg16",
    "densenet121",
    "efficientnet_b0",
    "convnext_tiny",
    "regnet_y_400mf",
    "vit_b_16",
    "swin_t",
)
SMALL = "torchvision:mobilenet_v3_small"


def test_the_models_come_after_the_bundled_ones() -> None:
    names = models.names()
    assert names[: len(models.RECORDS)] == tuple(models.RECORDS)
    assert {f"torchvision:{name}" for name in ASKED_FOR} <= {*names}
    assert "torchvision:resnet50:IMAGENET1K_V1" in names
    assert "torchvision:resnet50:IMAGENET1K_V2" not in names  # that is torchvision's default, hence without a word
    assert not {name for name in names if name.startswith(("torchvision:inception", "torchvision:squeezenet"))}
    assert "torchvision:vgg16:IMAGENET1K_FEATURES" not in names  # a network without classes
    assert len(set(names)) == len(names) > 100


@pytest.mark.parametrize("name", torchvision_zoo.names())
def test_every_record_is_whole(name: str) -> None:
    record = models.find(name)
    assert record.name == name and record.trained_on == "ImageNet-1k" and record.id_dataset is None
    assert architectures.find(record.architecture) is not None
    assert len(record.classes()) == 1000
    assert record.accuracy is not None and 0.5 < record.accuracy < 0.9
    assert record.licence and "https://" in record.source
    assert record.transform is not None and record.transform.crop <= record.transform.resize
    (download,) = record.downloads()
    assert download.path == record.weights()
    assert download.url.startswith("https://download.pytorch.org/") and download.url.endswith(download.path.name)
    digest = download.checksum.removeprefix("sha256-prefix:")
    assert len(digest) >= 8 and f"-{digest}.pth" in download.path.name
    assert download.size is not None and download.size > 5e6


def test_what_is_known_of_one() -> None:
    first = models.find("torchvision:resnet50:IMAGENET1K_V1")
    default = models.find("torchvision:resnet50")
    assert (default.title, first.title) == ("ResNet-50", "ResNet-50 (V1)")
    assert (default.accuracy, first.accuracy) == (pytest.approx(0.80858), pytest.approx(0.7613))
    assert default.transform == models.Transform(232, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert first.transform is not None and first.transform.resize == 256
    assert default.classes()[:2] == ("tench", "goldfish")
    swag = models.find("torchvision:vit_b_16:IMAGENET1K_SWAG_E2E_V1")
    assert "non-commercial" in swag.licence and "BSD" in default.licence
    assert swag.transform is not None and (swag.transform.crop, swag.transform.interpolation) == (384, "bicubic")
    with pytest.raises(UserError, match=r"no model called “torchvision:resnet51”.*torchvision:resnet50"):
        models.find("torchvision:resnet51")


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b0", "swin_v2_t", "efficientnet_v2_s"])
def test_the_preprocessing_is_torchvisions(name: str) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (301, 420, 3), dtype=np.uint8))
    transform = models.find(f"torchvision:{name}").transform
    assert transform is not None
    ours = transform.normalise(torch.tensor(transform.view(image)[None]).permute(0, 3, 1, 2))[0]
    theirs = get_model_weights(name).DEFAULT.transforms()(image)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_the_study_that_is_offered() -> None:
    study = default_study("torchvision:resnet50")
    assert study.trained_on == "ImageNet-1k"
    assert (study.id_dataset, study.ood_datasets) == ("cifar10", ("textures", "uniform-noise"))


def test_weights_that_are_not_there_are_named_with_their_place(torch_cache: Path) -> None:
    with pytest.raises(UserError) as refused:
        models.load("torchvision:mobilenet_v2")
    said = str(refused.value)
    for words in (
        "MobileNetV2’s weights are not on this machine yet",
        "(14 MB)",
        "https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth",
        str(torch_cache),
    ):
        assert words in said


def random_weights(name: str, classes: int = 1000) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return get_model(name, weights=None, num_classes=classes).state_dict()


def test_a_file_in_torchs_cache_is_a_model_and_the_same_for_torchvision(torch_cache: Path) -> None:
    state = random_weights("mobilenet_v3_small")
    torch.save(state, torch_cache / models.find(SMALL).weights().name)
    model = models.load(SMALL)
    assert (model.name, model.title, len(model.classes)) == (SMALL, "MobileNetV3-Small", 1000)
    assert model.classes[1] == "goldfish" and model.transform == models.find(SMALL).transform
    theirs = torchvision.models.mobilenet_v3_small(weights=MobileNet_V3_Small_Weights.DEFAULT).eval()  # not fetched
    torch.testing.assert_close(model.network.state_dict(), theirs.state_dict())


@pytest.fixture
def served(file_server: FileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[bytes]:
    """The weights file of ``SMALL`` on a server on this machine, in place of torchvision's: its bytes."""
    torch.save(random_weights("mobilenet_v3_small"), path := tmp_path / "weights.pth")
    content = path.read_bytes()
    name = f"mobilenet_v3_small-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    file_server.files[name] = content
    told = replace(MobileNet_V3_Small_Weights.DEFAULT.value, url=file_server.url(name))
    monkeypatch.setattr(
        torchvision_zoo, "_sets", lambda _name: {SMALL: SimpleNamespace(name="IMAGENET1K_V1", value=told)}
    )
    torchvision_zoo.record.cache_clear()
    yield content
    torchvision_zoo.record.cache_clear()


def test_is_fetched_into_torchs_cache(served: bytes, torch_cache: Path) -> None:
    (download,) = models.find(SMALL).downloads()
    assert not download.present
    heard: list[Progress] = []
    path = fetch(download, RunCallbacks(heard.append))
    assert path.parent == torch_cache and path.read_bytes() == served
    assert heard[-1].done == len(served) and heard[-1].unit == "bytes"
    assert heard[-1].title == "MobileNetV3-Small’s weights"
    assert len(models.load(SMALL).classes) == 1000


def test_a_file_that_is_another_is_refused(served: bytes, torch_cache: Path, file_server: FileServer) -> None:
    (download,) = models.find(SMALL).downloads()
    file_server.files[download.path.name] = served[:-1] + b"?"
    with pytest.raises(UserError):
        fetch(download)
    assert not download.present and not list(torch_cache.glob("*.pth"))


class TestStudy:
    """A study of a model whose weights are on a server and not here."""

    @pytest.fixture
    def study(self, served: bytes, torch_cache: Path, store_root: Path) -> Study:
        return Study(SMALL, "cifar10", ("uniform-noise",), 4)

    def test_its_run_fetches_the_weights_and_keeps_them(self, study: Study, file_server: FileServer) -> None:
        (download,) = missing_downloads(study)
        assert download.path.name in file_server.files and not prepared(study)
        assert missing_images(study, Store()) == {"cifar10": 4, "uniform-noise": 4}
        job = StudyJob(study, Store(), "cpu")
        job.wait(300)
        assert (job.state, job.error) == ("done", None)
        assert job.result is not None and job.result.id.logits.shape == (4, 1000)
        assert not missing_downloads(study) and prepared(study)
        StudyJob(study, Store(), "cpu").wait(300)
        assert len(file_server.requests) == 1  # the second run finds them here

    def test_without_a_network_it_says_which_file_to_put_where(
        self, study: Study, file_server: FileServer, torch_cache: Path
    ) -> None:
        file_server.status = 503
        job = StudyJob(study, Store(), "cpu")
        job.wait(60)
        assert job.state == "failed"
        assert isinstance(job.error, UserError)
        assert file_server.url("") in str(job.error) and str(torch_cache) in str(job.error)
