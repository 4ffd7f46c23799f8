"""``models --check``: what the examination of a network showed, in words and as JSON."""

import json
from pathlib import Path

from tests.cli.conftest import Run


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
