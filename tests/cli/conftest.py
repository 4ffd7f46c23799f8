"""Images and weights that a user might bring, and the command line run in this process."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nap_core import models
from nap_core.cli import main

Run = Callable[..., tuple[int, str, str]]
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit status, stdout and stderr of a call."""

    def call(*argv: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            status = main([str(word) for word in argv])
        except SystemExit as leaving:  # argparse
            status = leaving.code
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def rows(run: Run) -> Callable[..., list[dict]]:
    """The rows that ``evaluate … --json -`` prints, after it went well."""

    def call(*argv: object) -> list[dict]:
        status, out, err = run("evaluate", *argv, "--json", "-", "--device", "cpu")
        assert status == 0, err
        return json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))

    return call


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Twelve images and their labels in an .npz."""
    np.savez(path := tmp_path / "mine.npz", images=PIXELS, labels=np.arange(12) % 10)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same images in class folders named after two classes of CIFAR-10, in another order than its own."""
    root = tmp_path / "pictures"
    for index, pixels in enumerate(PIXELS):
        place = root / ("truck" if index % 2 else "frog")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{index:02}.png")
    return root


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A ResNet-20 for 100 classes as DataParallel saves it."""
    torch.manual_seed(0)
    state = models.ARCHITECTURES["resnet20"].build(100).state_dict()
    state = {f"module.{name}": value for name, value in state.items()}
    torch.save({"epoch": 1, "state_dict": state}, path := tmp_path / "hundred.pth.tar")
    return path
