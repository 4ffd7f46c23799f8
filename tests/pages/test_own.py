"""A study of a visitor's own model and images works on every page; what is no longer there is answered."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from nap_core import datasets, models
from nap_core.analysis import evaluation
from nap_core.models import ARCHITECTURES, timm_networks, user_models
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, default_study, run
from pages.components.study import user_image_list, user_model_list, workspace
from tests.pages.conftest import OpenPage
from tests.sentences import Says, states

CLASSES = ("owl", "robin", "wren")
PAGES = (
    "home",
    "activation_maps",
    "max_vs_mean",
    "score_histograms",
    "w_sensitivity",
    "score_image",
    "compare_methods",
    "published",
)


def pictures(folder: Path, places: list[str]) -> None:
    rng = np.random.default_rng(len(places))
    for place in places:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)


@pytest.fixture
def birds(tmp_path: Path, data_root: Path, models_folder: Path) -> Study:
    """A network of three birds, folders of two of them in another order than the network's, and an archive."""
    torch.manual_seed(0)
    torch.save(ARCHITECTURES["resnet20"].build(3).state_dict(), tmp_path / "birds.pth")
    name = models.add(tmp_path / "birds.pth", "resnet20", "Birds", trained_on="three birds", classes=CLASSES)
    pictures(data_root / "garden", [f"{one}/{index}.png" for one in ("wren", "robin") for index in range(6)])
    pictures(data_root / "training", [f"{one}/{index}.png" for one in CLASSES for index in range(20)])
    (data_root / "garden" / "wren" / "broken.png").write_bytes(b"no picture")
    rng = np.random.default_rng(9)
    np.savez(data_root / "fog.npz", images=rng.integers(0, 256, (10, 32, 32, 3), dtype=np.uint8))
    return Study(name, "own:garden", ("own:fog.npz", "textures"), 10, "own:training")


def test_its_address_opens_it_again(birds: Study) -> None:
    assert Study.from_query(birds.to_query()) == birds


def test_training_data_that_nobody_has_named_are_said_to_be_unknown(
    birds: Study, tmp_path: Path, open_page: OpenPage
) -> None:
    name = models.add(tmp_path / "birds.pth", "resnet20", "CIFAR-10", classes=CLASSES)
    unknown = open_page("home", replace(birds, model=name))
    assert states("\n".join(one.value for one in unknown.sidebar.caption), "not been said benchmark")
    known = open_page("home", birds)
    assert not states("\n".join(one.value for one in known.sidebar.caption), "not been said")


def test_labels_are_the_networks_classes_and_the_fit_split_is_used(birds: Study) -> None:
    found = run(birds, Store())
    shown = datasets.load("own:garden")
    names = [shown.classes[label] for label in shown.labels[:10]]
    assert [CLASSES[label] for label in found.id.activations.labels] == names
    table = evaluation.evaluate(found, ["knn", "energy"])
    right = np.mean([CLASSES[one] == name for one, name in zip(found.id.activations.predictions, names, strict=True)])
    assert table["id_accuracy"].dropna().to_numpy() == pytest.approx(right)
    assert len(found.context.fit("KNN").activations) == 60
    assert set(found.context.labelled_fit("ViM").activations.labels) == {0, 1, 2}


def test_the_offered_study_knows_the_images_whose_classes_the_model_has(birds: Study, data_root: Path) -> None:
    pictures(data_root / "any", ["cat/1.png", "dog/1.png"])
    assert default_study(birds.model).id_dataset == "own:garden"


@pytest.mark.slow  # tests/pages/test_any_network.py opens every page of another network quickly
@pytest.mark.parametrize("page", PAGES)
def test_every_page_draws(open_page: OpenPage, birds: Study, page: str) -> None:
    run(birds, Store())
    app = open_page(page, birds)
    assert not app.error
    words = " ".join(element.value for element in app.sidebar.markdown)
    for part in ("Birds", "garden", "fog", "Textures"):
        assert part in words
    assert "link_fault" not in app.session_state
    assert any("1 of 13 files could not be read" in one.label for one in app.sidebar.expander)
    assert app.query_params["fit"] == "own:training"


def test_an_image_is_compared_with_the_studys_id_images(open_page: OpenPage, birds: Study) -> None:
    app = open_page("score_image", birds)
    assert app.selectbox(key="network").value == birds.model
    said = "\n".join(element.value for element in app.main.markdown)
    assert "three birds" in said
    assert "Birds predicts" in said


def test_the_coverage_of_ones_own_model_is_measured_on_ones_own_fit_split(open_page: OpenPage, birds: Study) -> None:
    run(birds, Store())
    app = open_page("compare_methods", birds)
    app.button(key=f"run-coverage-{birds.model}").click().run()
    workspace.jobs().task_of(("NAC-ME", birds.model, "own:training")).wait(120)
    app.run()
    assert not app.exception
    assert app.metric[0].label == "NAC-ME of Birds"
    assert 0 < float(app.metric[0].value) < 1


@pytest.mark.parametrize("gone", ["garden", "model"])
def test_what_is_no_longer_there_is_answered_with_the_default_study(
    open_page: OpenPage, birds: Study, data_root: Path, gone: str
) -> None:
    address = birds.to_query()
    if gone == "garden":
        shutil.rmtree(data_root / "garden")
    else:
        user_models.remove(birds.model)
    app = open_page("home", None, **address)
    assert any("There is no" in warning.value for warning in app.sidebar.warning)
    assert "ResNet-20" in " ".join(element.value for element in app.sidebar.markdown)


def test_what_goes_while_it_is_looked_at_is_answered_too(open_page: OpenPage, birds: Study, data_root: Path) -> None:
    app = open_page("home", birds)
    shutil.rmtree(data_root / "garden")
    app.run()
    assert not app.exception
    assert any("no folder or file called “garden”" in warning.value for warning in app.sidebar.warning)


def test_images_that_come_while_it_is_looked_at_are_seen(open_page: OpenPage, birds: Study, data_root: Path) -> None:
    run(birds, Store())
    app = open_page("score_histograms", birds)
    assert "run-main" not in [button.key for button in app.main.button]
    shutil.rmtree(data_root / "garden")
    pictures(data_root / "garden", ["wren/1.png", "robin/1.png"])
    app.run()
    assert not app.exception
    assert app.button(key="run-main").label == "Run this study (2 images)"


@pytest.fixture
def drawn() -> Callable[[Callable[[], None]], AppTest]:
    """Draws a part of the dialog alone: AppTest opens no dialogs."""

    def drawn(part: Callable[[], None]) -> AppTest:
        app = AppTest.from_function(part, default_timeout=60).run()
        assert not app.exception
        return app

    return drawn


def _models() -> None:
    from pages.components.study import user_model_list

    user_model_list.adder()


def _images() -> None:
    from pages.components.study import user_image_list

    user_image_list.adder()


def test_a_checkpoint_that_is_refused_says_why(drawn: Callable[..., AppTest], models_folder: Path) -> None:
    app = drawn(_models)
    app.file_uploader(key="own-model-file").set_value([("bad.pth", b"nothing", "application/octet-stream")])
    app.run()
    app.button(key="own-model-add").click().run()
    assert not app.exception
    assert "bad.pth" in app.error[0].value
    assert user_model_list.kept() == {}


def test_a_model_is_removed(drawn: Callable[..., AppTest], birds: Study) -> None:
    app = drawn(_models)
    app.button(key=f"own-model-remove-{birds.model}").click().run()
    assert "was removed" in app.success[0].value
    assert user_model_list.kept() == {}


def test_an_archive_that_is_refused_says_why(drawn: Callable[..., AppTest], data_root: Path) -> None:
    app = drawn(_images)
    app.file_uploader[0].set_value([("birds.zip", b"nothing", "application/zip")])
    app.run()
    app.button(key="own-images-add").click().run()
    assert "no .zip archive" in app.error[0].value
    assert user_image_list.offered() == {}


def test_how_a_dataset_is_read_is_shown_and_chosen(drawn: Callable[..., AppTest], data_root: Path) -> None:
    pixels, labels = np.zeros((10, 8, 8, 3), np.uint8), np.arange(10)
    np.savez(data_root / "blood.npz", test_images=pixels, test_labels=labels[:, None], val_images=pixels[:4])
    pictures(data_root / "pets", ["train/1.png", "val/2.png", "val/notes.txt.png"])
    (data_root / "pets" / "val" / "notes.txt").write_text("no image")
    assert set(user_image_list.offered()) == {"own:blood.npz", "own:blood.npz:val", "own:pets:train", "own:pets:val"}
    app = drawn(_images)
    app.selectbox(key="own-images-option-name").set_value("own:pets").run()
    app.selectbox(key="own-images-option-part-own:pets").set_value("val").run()
    assert any("1 ending in .txt" in one.label for one in app.expander)
    assert any("2 images" in one.value for one in app.caption)
    app.selectbox(key="own-images-option-count-own:pets").set_value("from-1").run()
    app.text_input(key="own-images-option-window-own:pets").set_value("0..4095").run()
    app.button(key="own-images-option-add").click().run()
    assert not app.exception
    assert app.session_state["own-images-as"] == ("own:pets:val:from-1:0..4095",)
    app.text_input(key="own-images-option-window-own:pets").set_value("5..1").run()
    assert "empty" in app.error[0].value


def test_labels_that_match_nothing_are_remarked(open_page: OpenPage, birds: Study, data_root: Path) -> None:
    pictures(data_root / "garden", ["eagle/0.png"])
    (data_root / "garden" / "notes.txt").write_text("no image")
    app = open_page("home", birds)
    said = "\n".join(element.value for element in app.sidebar.markdown)
    assert "“eagle”" in said and "ending in .txt" in said


def test_mean_and_deviation_in_0_to_255_are_offered_divided(drawn: Callable[..., AppTest], models_folder: Path) -> None:
    app = drawn(_models)
    usual = app.text_input(key="own-model-Mean-resnet18").value
    app.text_input(key="own-model-Mean-resnet18").set_value("123.675, 116.28, 103.53").run()
    assert "255" in app.warning[0].value
    app.text_input(key="own-model-Standard deviation-resnet18").set_value("58.395 57.12 57.375").run()
    app.button(key="own-model-divide").click().run()
    assert not app.exception and not app.warning
    assert app.text_input(key="own-model-Mean-resnet18").value == usual == "0.485, 0.456, 0.406"
    assert app.text_input(key="own-model-Standard deviation-resnet18").value == "0.229, 0.224, 0.225"


def test_a_timm_checkpoint_is_added_by_name(drawn: Callable[..., AppTest], tmp_path: Path, models_folder: Path) -> None:
    torch.manual_seed(0)
    torch.save(timm.create_model("resnet10t", num_classes=3).state_dict(), tmp_path / "birds.pth")
    app = drawn(_models)
    app.segmented_control(key="own-model-architectures-of").set_value("timm").run()
    box = app.selectbox(key="own-model-architecture-timm")
    assert box.value is None and len(box.options) > 1000
    assert app.button(key="own-model-add").disabled
    box.set_value("timm:resnet10t").run()
    assert app.number_input(key="own-model-crop-timm:resnet10t").value == 224
    app.file_uploader(key="own-model-file").set_value(
        [("birds.pth", (tmp_path / "birds.pth").read_bytes(), "application/octet-stream")]
    )
    app.run()
    app.button(key="own-model-add").click().run()
    assert not app.exception
    assert "a timm:resnet10t with 3 classes. Found: the map that enters “global_pool”" in app.success[0].value
    (name,) = user_model_list.kept()
    assert models.load(name).logits_from_means


def test_without_timm_the_page_says_how_to_get_it(
    drawn: Callable[..., AppTest], models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timm_networks, "is_installed", lambda: False)
    timm_networks.names.cache_clear()
    app = drawn(_models)
    app.segmented_control(key="own-model-architectures-of").set_value("timm").run()
    assert "pip install timm==" in app.info[0].value
    assert app.button(key="own-model-add").disabled
    timm_networks.names.cache_clear()


def test_images_that_stand_in_two_sets_are_counted_and_left_out_on_a_click(
    open_page: OpenPage, birds: Study, data_root: Path, says: Says
) -> None:
    shutil.copy(data_root / "garden" / "wren" / "0.png", data_root / "training" / "wren" / "copied.png")
    study = replace(birds, images=12)
    run(study, Store()).context.fit("The test")
    app = open_page("score_histograms", study)
    says(app.warning[0].value, "1 12 garden fit split")
    app.button(key="overlap").click().run()
    assert not app.exception
    assert app.query_params["distinct"] in ("1", ["1"])
    says(app.warning[0].value, "garden: 1 of 12 fit split 10 0")
    assert len(run(replace(study, distinct="1"), Store()).id.activations) == 11
    app.button(key="overlap").click().run()
    assert "distinct" not in app.query_params
