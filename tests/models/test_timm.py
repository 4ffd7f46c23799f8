"""timm's architectures with a checkpoint of one's own: the classes by the file, the rest found in the network."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from nap_core import datasets, extraction, models
from nap_core.analysis import evaluation
from nap_core.errors import UserError
from nap_core.models import architectures, timm_networks, user_models
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run

# name → does the head read the mean of the map, where is the map or attention read
FAMILIES = {
    "resnet10t": (True, "input of global_pool"),
    "convnext_atto": (False, "input of head.global_pool, rectified"),
    "efficientnet_b0": (True, "input of global_pool"),
    "vit_tiny_patch16_224": (False, "attention of the class token in blocks.11.attn"),
    "regnetx_002": (True, "input of head.global_pool"),
    "mobilenetv3_small_050": (False, "input of global_pool"),
    "swin_tiny_patch4_window7_224": (False, "input of head.global_pool, rectified"),
}
CLASSES = 7


def saved(name: str, folder: Path, ending: str = ".safetensors") -> Path:
    """A file of a network with random weights and statistics."""
    torch.manual_seed(0)
    network = timm.create_model(name, pretrained=False, num_classes=CLASSES)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.bias.normal_(0, 0.1)
        head = network.get_classifier()
        head.weight.normal_(0, 0.1)
        head.bias.normal_()
    path = folder / f"weights{ending}"
    if ending == ".safetensors":
        save_file(network.state_dict(), path)
    else:
        torch.save({"state_dict": network.state_dict(), "epoch": 3}, path)
    return path


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name.startswith("swin") else name for name in FAMILIES]
)
def test_what_is_kept_times_the_head_is_the_networks_own_logits(name: str, tmp_path: Path) -> None:
    model = models.load_checkpoint(f"timm:{name}", saved(name, tmp_path))
    reads_mean, where = FAMILIES[name]
    assert (model.logits_from_means, str(model.hook)) == (reads_mean, where)
    assert len(model.classes) == CLASSES
    found = extraction.extract(model, datasets.load("photos"), limit=3, device="cpu")
    assert (found.features is None) == reads_mean
    scale = float(np.abs(found.logits).max())
    np.testing.assert_allclose(model.logits_of(found.pooled), found.logits, rtol=1e-3, atol=1e-4 * scale)
    views = np.stack([model.transform.view(datasets.load("photos").image(row)) for row in range(3)])
    pixels = model.transform.normalise(torch.from_numpy(views).permute(0, 3, 1, 2))
    with torch.inference_mode():
        np.testing.assert_allclose(model.network(pixels).numpy(), found.logits, rtol=1e-3, atol=1e-4 * scale)


def test_layers_of_a_cnn_are_found(tmp_path: Path) -> None:
    model = models.load_checkpoint("timm:resnet10t", saved("resnet10t", tmp_path))
    assert model.architecture.layers == ("layer1", "layer2", "layer3", "layer4")


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_a_checkpoint_is_kept_and_goes_through_a_study(ending: str, tmp_path: Path, models_folder: Path) -> None:
    name = models.add(saved("resnet10t", tmp_path, ending), "timm:resnet10t", "Birds")
    assert models.find(name).architecture == "timm:resnet10t"
    found = run(Study(name, "cifar10", ("mnist",), 4), Store(), device="cpu")
    methods = ["nap", "energy", "ash-s", "nap+energy"]
    assert set(evaluation.evaluate(found, methods)["method"]) == set(methods)


def test_a_transformer_for_other_images_is_built_for_them(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES, img_size=96)
    torch.save(network.state_dict(), path := tmp_path / "weights.pth")
    with pytest.raises(UserError, match=r"does not take images of 224 × 224 pixels: .*\. Set the centre crop to 96\."):
        models.load_checkpoint("timm:vit_tiny_patch16_224", path)
    small = architectures.find("timm:vit_tiny_patch16_224").transform.changed("96/96")
    model = models.load_checkpoint("timm:vit_tiny_patch16_224", path, transform=small)
    pixels = torch.randn(2, 3, 96, 96)
    with torch.inference_mode():
        torch.testing.assert_close(model.network(pixels), network.eval()(pixels))
    assert model.structure.shape[1:] == (6, 6)


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224", "convnext_atto", "inception_v4"])
def test_preprocessing_is_timms(name: str) -> None:
    settings = timm.get_pretrained_cfg(name)
    theirs = timm.data.create_transform(
        **timm.data.resolve_data_config(pretrained_cfg=settings.to_dict(), use_test_size=True), is_training=False
    )
    ours = architectures.find(f"timm:{name}").transform
    image = datasets.load("photos").image(0).convert("RGB")
    view = torch.from_numpy(np.array(ours.view(image))).permute(2, 0, 1)[None]
    torch.testing.assert_close(ours.normalise(view)[0], theirs(image), rtol=1e-5, atol=1e-5)


def test_every_name_is_listed_and_none_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "create_model", lambda *_args, **_named: pytest.fail("a network was built"))
    timm_networks.names.cache_clear()
    names = timm_networks.names()
    assert len(names) > 1000 and len(set(names)) == len(names)
    assert {"timm:resnet18", "timm:vit_base_patch16_224"} <= {*names}
    assert all(architectures.find(name).transform.checked() for name in names[::50])
    assert not {*names} & {*architectures.names()}


def test_another_networks_file_is_told_by_its_entries(tmp_path: Path) -> None:
    path = saved("resnet10t", tmp_path)
    with pytest.raises(
        UserError, match=r"do not fit this network: \d+ missing \(conv1\.weight, layer1\.1\..*\d+ unexpected"
    ):
        models.load_checkpoint("timm:resnet18", path)
    with pytest.raises(UserError, match=r"has no head\.fc\.weight: it is not a checkpoint of timm:convnext_atto"):
        models.load_checkpoint("timm:convnext_atto", path)


def test_no_such_architecture(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no architecture called “timm:resnet9000”.*and timm's as timm:NAME"):
        models.load_checkpoint("timm:resnet9000", saved("resnet10t", tmp_path))
    assert architectures.find("resnet10t") is None


@pytest.fixture
def without_timm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "timm", None)
    monkeypatch.setattr(timm_networks, "is_installed", lambda: False)
    timm_networks.names.cache_clear()
    yield
    timm_networks.names.cache_clear()  # the next test has it again


@pytest.mark.usefixtures("without_timm")
def test_without_timm_the_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    assert timm_networks.names() == ()
    with pytest.raises(UserError, match=r"which is not installed\. Install it: pip install timm=="):
        models.load_checkpoint("timm:resnet18", tmp_path / "weights.pth")


def test_a_kept_model_says_it_too(tmp_path: Path, models_folder: Path, request: pytest.FixtureRequest) -> None:
    name = models.add(saved("resnet10t", tmp_path), "timm:resnet10t", "Birds")
    request.getfixturevalue("without_timm")
    assert user_models.names() == (name,)
    with pytest.raises(UserError, match="pip install timm"):
        models.find(name)


def test_the_requirements_name_the_version_that_the_sentence_names() -> None:
    wanted = timm_networks.INSTALL.removeprefix("pip install ")
    extra = (Path(__file__).resolve().parents[2] / "requirements-extra.txt").read_text()
    assert wanted in extra.split()
    assert wanted == f"timm=={timm.__version__}"
