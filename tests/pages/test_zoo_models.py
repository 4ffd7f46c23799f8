"""Torchvision's models in the dialog that changes the study: what is told of each before anything is downloaded."""

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from nap_core import models
from nap_core.models import architectures, torchvision_zoo
from nap_core.studies.study import default_study
from pages.components.study import user_model_list
from tests.pages.conftest import OpenPage

ROOT = Path(__file__).resolve().parents[2]


def draw() -> None:
    from nap_core.studies.study import default_study
    from pages.components.study import change_study

    change_study.draw(default_study())


@pytest.fixture
def dialog(torch_cache: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.chdir(ROOT)
    app = AppTest.from_function(draw, default_timeout=120).run()
    assert not app.exception
    return app


def captions(app: AppTest) -> str:
    return "\n".join(element.value for element in app.caption)


def test_every_model_is_offered_the_bundled_ones_first(dialog: AppTest) -> None:
    options = dialog.selectbox(key=user_model_list.PICKED).options
    assert len(options) == len(models.RECORDS) + len(torchvision_zoo.names())
    assert options[0] == "ResNet-20 · trained on CIFAR-10"
    assert "ResNet-50 · torchvision, 80.9\N{NO-BREAK SPACE}% · 103 MB to download" in options
    assert "ResNet-50 (V1) · torchvision, 76.1\N{NO-BREAK SPACE}% · 103 MB to download" in options


@pytest.mark.parametrize("name", ["vgg16", "vit_b_16", "convnext_tiny", "resnet18"])
def test_one_that_is_picked_says_where_nap_is_read_and_what_will_be_fetched(dialog: AppTest, name: str) -> None:
    dialog.selectbox(key=user_model_list.PICKED).set_value(f"torchvision:{name}").run()
    assert not dialog.exception and not dialog.error
    assert architectures.find(name).note in captions(dialog)
    said = captions(dialog) + "\n".join(element.value for element in (*dialog.info, *dialog.markdown))
    assert f"{architectures.find(name).title}’s weights" in said and "download.pytorch.org" in said
    assert any("Download, use and run this study" in button.label for button in dialog.button)


def test_an_id_dataset_that_it_cannot_know_is_named(dialog: AppTest) -> None:
    assert not dialog.warning
    dialog.selectbox(key=user_model_list.PICKED).set_value("torchvision:resnet18").run()
    assert "CIFAR-10 shows none of its classes" in dialog.warning[0].value


def test_weights_that_are_here_are_not_announced(dialog: AppTest, torch_cache: Path) -> None:
    torch.manual_seed(0)
    network = architectures.find("shufflenet_v2_x0_5").build(1000)
    torch.save(network.state_dict(), models.find("torchvision:shufflenet_v2_x0_5").weights())
    dialog.run()
    options = dialog.selectbox(key=user_model_list.PICKED).options
    assert "ShuffleNetV2 ×0.5 · torchvision, 60.6\N{NO-BREAK SPACE}%" in options


def test_a_link_to_one_asks_before_it_downloads(open_page: OpenPage, torch_cache: Path) -> None:
    app = open_page("activation_maps", default_study("torchvision:resnet18"))
    assert not app.error
    words = " ".join(element.value for element in (*app.sidebar.markdown, *app.sidebar.caption))
    assert "ID: **CIFAR-10**" in words and "was trained on ImageNet-1k: the ID images show none of its classes" in words
    assert "ResNet-18" in " ".join(element.value for element in app.sidebar.markdown)
    assert app.button(key="run-main").label.startswith("Download and run this study")
    assert not list(torch_cache.iterdir())
