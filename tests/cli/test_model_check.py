"""``models --check``: what the examination of a network showed, in words and as JSON."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import PIXELS, Run


def test_a_sound_network_passes(run: Run) -> None:
    status, out, _ = run("models", "--check", "resnet20-cifar10")
    assert status == 0 and "Passed" in out and "output of penultimate" in out


def test_json(run: Run, checkpoint: Path) -> None:
    status, out, _ = run("models", "--check", "resnet20", "--weights", checkpoint, "--json", "--quiet")
    found = json.loads(out)
    assert (status, found["classes"], found["output"], found["level"]) == (0, 100, "logits", "passed")
    assert found["map_shape"] == [64, 8, 8]


def test_options_of_the_check_alone(run: Run) -> None:
    status, _, err = run("models", "--view", "32/32")
    assert status == 2 and "--check" in err


def test_a_plug_in_that_ends_in_log_softmax(run: Run, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "ends_in_log_softmax.py").write_text(
        "from torch import nn\n"
        "from nap_core.models import Transform, entry\n"
        "def build():\n"
        "    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),\n"
        "                         nn.Linear(8, 3), nn.LogSoftmax(1))\n"
        "T = Transform(16, 16, (0.5,) * 3, (0.5,) * 3)\n"
        "MODELS = [entry(name='ends', build=build, classes=list('abc'), transform=T)]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("NAP_MODELS", "ends_in_log_softmax")
    status, out, _ = run("models", "--check", "ends", "--json")
    found = json.loads(out)
    assert (status, found["output"], found["level"]) == (0, "log_softmax", "note")
    status, out, _ = run("models", "--check", "ends")
    assert status == 0 and "NOTE (output)" in out and "log_softmax" in out
    status, _, err = run("evaluate", "--model", "ends", "--id", "cifar10", "--ood", "mnist", "--limit", 4, "--quiet")
    assert status == 0 and "log_softmax" in err


@pytest.fixture
def not_of_black(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plug-in whose answer to a black image is NaN, and an archive of six images whose third is black."""
    (tmp_path / "not_of_black.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "from nap_core.models import Transform, entry\n"
        "class Network(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        torch.manual_seed(0)\n"
        "        self.body, self.fc = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU()), nn.Linear(6, 3)\n"
        "    def forward(self, x):\n"
        "        pooled = self.body(x).mean((2, 3))\n"
        "        return self.fc(torch.where((x.mean((1, 2, 3)) < -1.9)[:, None], torch.nan, pooled))\n"
        "T = Transform(16, 16, (0.5,) * 3, (0.25,) * 3)\n"
        "MODELS = [entry(name='not-of-black', build=Network, classes=list('abc'), transform=T)]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("NAP_MODELS", "not_of_black")
    pixels = PIXELS.copy()
    pixels[2] = 0
    Image.fromarray(pixels[2]).save(tmp_path / "black.png")
    Image.fromarray(pixels[0]).save(tmp_path / "other.png")
    np.savez(path := tmp_path / "images.npz", images=pixels)
    return path


def test_images_without_an_answer_are_left_out(run: Run, not_of_black: Path) -> None:
    words = ("--model", "not-of-black", "--id", not_of_black, "--ood", "mnist", "--limit", 12)
    status, out, err = run("evaluate", *words, "--methods", "nap,energy", "--json", "-", "--quiet")
    assert (status, {row["n_id"] for row in json.loads(out)}) == (0, {11})
    assert "1 of 12 images" in err


def test_a_single_image_without_an_answer(run: Run, not_of_black: Path) -> None:
    files = [not_of_black.parent / name for name in ("other.png", "black.png", "nowhere.png", "other.png")]
    words = ("--model", "not-of-black", "--id", not_of_black, "--methods", "nap", "--quiet")
    status, out, _ = run("score", *files, *words)
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 1 and ["error" in line for line in lines] == [False, True, True, False]
    assert "finite" in lines[1]["error"] and lines[0]["scores"] == lines[3]["scores"]
