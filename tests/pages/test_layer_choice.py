"""Another layer and another preprocessing: picked in the dialog, kept in the address, used on every page."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from nap_core import models
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, default_study, run
from tests.pages.conftest import OpenPage

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "textures"), 12)
CHANGED = replace(STUDY, layer="layer2", transform="40/40/bicubic")
PAGES = (
    "home",
    "activation_maps",
    "max_vs_mean",
    "score_histograms",
    "w_sensitivity",
    "score_designs",
    "score_image",
    "compare_methods",
    "published",
)


def _dialog() -> None:
    import streamlit as st

    from pages.components.study import change_study, workspace

    st.session_state.picked = change_study._picked(workspace.current_study())


def drawn(study: Study) -> AppTest:
    """The part of the dialog that picks the study; AppTest opens no dialogs."""
    app = AppTest.from_function(_dialog, default_timeout=60)
    app.session_state.study = study
    return app.run()


@pytest.fixture
def _without_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.components.study.workspace.require_frame", lambda: None)


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in app.caption)


@pytest.mark.usefixtures("_without_the_frame")
class TestDialog:
    def test_says_what_was_found_and_offers_every_layer_with_its_shape(self) -> None:
        app = drawn(STUDY)
        assert not app.exception
        assert models.load(STUDY.model).structure.sentence() in words(app)
        box = app.selectbox(key="layer-resnet20-cifar10")
        assert box.options[0] == "the model's own · 64 × 8 × 8"
        assert {"layer2 · 32 × 16 × 16", "penultimate · 64 × 8 × 8"} <= {*box.options}
        assert app.session_state.picked == STUDY

    def test_a_layer_is_picked(self) -> None:
        app = drawn(STUDY)
        app.selectbox(key="layer-resnet20-cifar10").set_value("layer2").run()
        assert app.session_state.picked == replace(STUDY, layer="layer2")
        assert "The logits stay the network's own" in words(app)
        app.selectbox(key="layer-resnet20-cifar10").set_value("").run()
        assert app.session_state.picked == STUDY

    def test_another_preprocessing_is_picked(self) -> None:
        app = drawn(STUDY)
        assert "Mean (0.4914, 0.4822, 0.4465)" in words(app)
        app.selectbox(key="view-resnet20-cifar10").set_value("other").run()
        assert app.session_state.picked == STUDY  # nothing was changed yet
        app.number_input(key="view-resize-resnet20-cifar10").set_value(40).run()
        app.selectbox(key="view-filter-resnet20-cifar10").set_value("bicubic").run()
        assert app.session_state.picked == replace(STUDY, transform="40/32/bicubic")
        app.number_input(key="view-crop-resnet20-cifar10").set_value(64).run()
        assert app.session_state.picked is None
        assert "The crop needs" in app.info[0].value

    def test_starts_from_what_the_study_has(self) -> None:
        app = drawn(CHANGED)
        assert app.selectbox(key="layer-resnet20-cifar10").value == "layer2"
        assert app.number_input(key="view-crop-resnet20-cifar10").value == 40
        assert app.session_state.picked == CHANGED

    def test_the_papers_steps_are_offered_where_they_differ(self) -> None:
        lite = drawn(default_study("efficientnet-lite0-imagenet"))
        options = lite.selectbox(key="view-efficientnet-lite0-imagenet").options
        assert options[:2] == ["256/224/bicubic · the weights' own", "256/224/bilinear · as the paper uses it"]
        assert not any("paper" in option for option in drawn(STUDY).selectbox(key="view-resnet20-cifar10").options)

    def test_a_network_of_the_users_own_that_cannot_be_used_is_a_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = (
            "from nap_core.models import Transform, entry\n"
            "MODELS = [entry(name='broken', build=lambda: 1 / 0, transform=Transform(8, 8, (0,) * 3, (1,) * 3), "
            "classes=['a'])]"
        )
        (tmp_path / "broken_models.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("NAP_MODELS", "broken_models")
        app = drawn(STUDY)
        app.selectbox(key="change-study-model").set_value("broken").run()
        assert not app.exception
        assert app.session_state.picked is None
        assert "The model “broken” of broken_models cannot be used: ZeroDivisionError" in app.info[0].value

    def test_a_bank_keeps_to_its_layer(self) -> None:
        app = drawn(default_study("efficientnet-lite0-imagenet"))
        app.selectbox(key="layer-efficientnet-lite0-imagenet").set_value("_blocks.10").run()
        assert app.session_state.picked is None
        assert "holds activations, of the model's own layer" in app.info[0].value


@pytest.mark.slow  # tests/pages/test_any_network.py opens every page of another network quickly
@pytest.mark.parametrize("page", PAGES)
def test_every_page_draws(open_page: OpenPage, page: str) -> None:
    run(CHANGED, Store())
    app = open_page(page, CHANGED)
    assert not app.error
    assert "link_fault" not in app.session_state
    said = " ".join(element.value for element in app.sidebar.markdown)
    assert "read at layer2" in said and "seen at 40/40/bicubic" in said
    assert app.query_params["layer"] == "layer2" and app.query_params["view"] == "40/40/bicubic"


def test_channels_are_the_layers_and_none_speaks_for_a_class(open_page: OpenPage) -> None:
    run(CHANGED, Store())
    app = open_page("activation_maps", CHANGED)
    assert "contribution to the predicted class" not in app.selectbox(key="maps-order").options
    said = "\n".join(element.value for element in app.main.markdown)
    assert "of 32 by **" in said
    assert "largest weight is for" not in said


def test_an_image_is_seen_as_the_study_says(open_page: OpenPage) -> None:
    app = open_page("score_image", CHANGED, network=CHANGED.model, sample="1")
    assert not app.error
    assert any("40 × 40 pixels: short side to 40" in element.value for element in app.main.caption)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"layer": "layer9"}, "no layer “layer9” that puts out a map"),
        ({"view": "large"}, "“large” is no preprocessing"),
        ({"view": "4/4"}, "maps of one neuron"),
    ],
)
def test_what_the_network_has_not_is_answered_with_the_default_study(
    open_page: OpenPage, changed: dict[str, str], sentence: str
) -> None:
    app = open_page("home", None, **STUDY.to_query(), **changed)
    assert any(sentence in warning.value for warning in app.sidebar.warning)
    assert not {"layer", "view"} & {*app.query_params}
