"""The model check in the app, and pages of a network that does not answer every image, or with probabilities alone."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from tests.pages.conftest import OpenPage

BLACK = (2, 5)
PLUGIN = """
import torch
from torch import nn
from nap_core.models import Transform, entry

class NotOfBlack(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.LeakyReLU(0.2))
        self.fc = nn.Linear(6, 3)
    def forward(self, x):
        pooled = self.body(x).mean((2, 3))
        return self.fc(torch.where((x.mean((1, 2, 3)) < -1.9)[:, None], torch.nan, pooled)).log_softmax(1)

class Probabilities(NotOfBlack):
    def forward(self, x):
        x = self.body(x).mean((2, 3))
        return (9 * nn.functional.normalize(x) @ self.fc.weight.T).softmax(1)

WORDS = dict(transform=Transform(16, 16, (0.5,) * 3, (0.25,) * 3), classes=("a", "b", "c"))
MODELS = [entry(name="not-of-black", build=NotOfBlack, **WORDS), entry(name="of-chances", build=Probabilities, **WORDS)]
"""


@pytest.fixture
def studies(tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Study]:
    """A study of each network; among its ID images are two black ones."""
    (tmp_path / "networks_of_the_check.py").write_text(PLUGIN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("NAP_MODELS", "networks_of_the_check")
    pixels = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 3), dtype=np.uint8)
    labels = np.arange(60) % 3
    np.savez(data_root / "other.npz", images=pixels[30:])
    pixels[list(BLACK)] = 0
    np.savez(data_root / "known.npz", images=pixels[:30], labels=labels[:30])
    names = ("not-of-black", "of-chances")
    return {name: Study(name, "own:known.npz", ("own:other.npz",), 30) for name in names}


def captions(app: AppTest) -> str:
    return " ".join(one.value for one in app.caption)


def the_dialog(model: str) -> None:
    """The page of a test: the dialog's content."""
    from nap_core.studies.study import Study
    from pages.components.study import change_study

    change_study.draw(Study(model, "cifar10", ("textures",), 50))


@pytest.mark.parametrize(
    ("model", "facts"),
    [
        ("resnet20-cifar10", ("nothing out of the ordinary",)),
        ("not-of-black", ("log_softmax", "LeakyReLU")),
        ("of-chances", ("probabilities", "refused")),
    ],
)
@pytest.mark.usefixtures("studies")
def test_the_dialog_shows_it(model: str, facts: tuple[str, ...]) -> None:
    app = AppTest.from_function(the_dialog, args=(model,), default_timeout=120).run()
    assert not app.exception
    assert all(fact in captions(app) for fact in facts)


@pytest.mark.parametrize("page", ["score_histograms", "compare_methods", "max_vs_mean", "w_sensitivity", "channels"])
def test_images_without_an_answer_are_left_out_and_named(
    open_page: OpenPage, studies: dict[str, Study], page: str
) -> None:
    study = studies["not-of-black"]
    part = run(study, Store()).id
    assert len(part.left_out) == len(BLACK)
    app = open_page(page, study)
    said = " ".join(warning.value for warning in app.warning)
    assert "2 of 30" in said and str(part.left_out[0]) in said


@pytest.mark.parametrize("page", ["score_histograms", "compare_methods", "w_sensitivity", "score_designs"])
def test_methods_of_the_scale_are_refused_and_the_sidebar_says_why(
    open_page: OpenPage, studies: dict[str, Study], page: str
) -> None:
    run(studies["of-chances"], Store())
    app = open_page(page, studies["of-chances"])
    assert "up to a constant" in " ".join(one.value for one in app.sidebar.caption)
