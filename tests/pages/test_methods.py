"""The choice of methods: one for all pages, kept in the address; what it waits for, and why some cannot run."""

import json
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from nap_core import methods
from nap_core.analysis import bootstrap, evaluation
from nap_core.analysis.comparison import AVERAGE, scoreboard
from nap_core.figures import export
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run

ROOT = Path(__file__).resolve().parents[2]
STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 30)
BANK = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 25)
PAGES = ("compare_methods", "score_histograms", "w_sensitivity")


def opened(page: str, study: Study = STUDY, **address: str) -> AppTest:
    """A page by a link, as a visitor of a fresh server gets it."""
    st.cache_resource.clear()
    st.cache_data.clear()
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in {**study.to_query(), **address}.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


@pytest.fixture
def found(store_root: Path) -> EvaluationData:
    """The study in a store of this test's own, without its fit split."""
    return run(STUDY, Store(store_root))


def text(app: AppTest) -> str:
    kinds = (app.main.markdown, app.main.caption, app.main.info, app.main.warning)
    return "\n".join(element.value for kind in kinds for element in kind)


def table(app: AppTest) -> dict:
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def shown(app: AppTest) -> list[str]:
    """The rows of the heat table by their titles."""
    return table(app)["layout"]["yaxis"]["ticktext"]


@pytest.mark.parametrize("page", PAGES)
def test_a_link_opens_the_choice_on_every_page(found: EvaluationData, page: str) -> None:
    specs = ["nap", "nap+maxlogit", "ash-s:percentile=0.9"]
    app = opened(page, methods=",".join(specs).replace("+", " "))  # a plus typed into an address comes as a blank
    assert app.multiselect(key="methods-box").value == specs
    assert app.query_params["methods"] == ",".join(specs)
    assert not app.warning
    assert app.get("plotly_chart")


def test_the_standard_choice_is_not_in_the_address(found: EvaluationData) -> None:
    app = opened("compare_methods")
    assert tuple(app.multiselect(key="methods-box").value) == methods.STANDARD
    assert "methods" not in app.query_params


@pytest.mark.parametrize("bad", ["nap,nonsense", "ash-s:percentile=7", "energy+energy", "knn:k=many"])
def test_an_address_that_cannot_be_read_is_answered_with_a_sentence(found: EvaluationData, bad: str) -> None:
    app = opened("compare_methods", methods=bad)
    assert tuple(app.multiselect(key="methods-box").value) == methods.STANDARD
    assert "The link's methods cannot be read." in app.warning[0].value
    assert app.warning[0].value.endswith("The standard methods are shown.")
    app.multiselect(key="methods-box").set_value(["msp", "nap"]).run()
    assert not app.warning


def test_methods_are_taken_away_and_the_opened_cell_follows(found: EvaluationData) -> None:
    app = opened("compare_methods", compare_method="NAP+Energy", compare_a="Energy")
    app.multiselect(key="methods-box").set_value(["nap", "maxlogit"]).run()
    assert not app.exception
    assert shown(app) == ["NAP", "MaxLogit"]
    assert app.selectbox(key="compare_method").value in ("nap", "maxlogit")
    assert [app.selectbox(key=f"compare_{letter}").value for letter in "ab"] == ["maxlogit", "nap"]
    app.multiselect(key="methods-box").set_value(["msp"]).run()
    assert not app.exception
    assert "It takes two methods to disagree" in text(app)
    app.multiselect(key="methods-box").set_value([]).run()
    assert not app.exception
    assert "Pick a method" in text(app)


def test_a_changed_parameter_changes_the_method_and_its_numbers(found: EvaluationData) -> None:
    app = opened("compare_methods", methods="nap,ash-s,nap+ash-s")
    assert app.selectbox(key="tuned-method").value == 1
    field = app.number_input(key="parameter-1-ash-s-percentile")
    assert (field.value, field.min, field.max) == (0.95, 0.0, 0.99)
    assert "Default 0.95 for CIFAR-10 (ASH paper" in text(app)
    field.set_value(0.8).run()
    assert not app.exception
    assert app.query_params["methods"] == "nap,ash-s:percentile=0.8,nap+ash-s"
    board = scoreboard(evaluation.evaluate(found, ["ash-s:percentile=0.8"]), "fpr95")
    printed = [cell.strip("<>/bu") for cell in table(app)["data"][0]["text"][1]]
    assert printed[-1] == f"{100 * board.value('ash-s:percentile=0.8', AVERAGE):.1f}"
    app.selectbox(key="tuned-method").set_value(2).run()
    app.number_input(key="parameter-2-nap-epsilon").set_value(0.5).run()
    assert app.selectbox(key="tuned-method").value == 2
    assert app.query_params["methods"] == "nap,ash-s:percentile=0.8,nap:epsilon=0.5+ash-s"


def test_back_at_the_default_the_name_is_short_again(found: EvaluationData) -> None:
    app = opened("compare_methods", methods="ash-s:percentile=0.9")
    app.number_input(key="parameter-0-ash-s-percentile").set_value(0.95).run()
    assert app.query_params["methods"] == "ash-s"


def test_what_waits_is_named_and_runs_in_the_background(found: EvaluationData) -> None:
    app = opened("compare_methods", methods="nap,knn,nap+knn,odin")
    assert shown(app) == ["NAP"]
    assert "**KNN** and **NAP+KNN** wait for the fit split, 5,000 training images to be seen once." in text(app)
    assert "**ODIN** waits for a pass of its own over 90 images." in text(app)
    assert app.button(key="run-methods").label == "Run these 3 methods"


def test_what_has_run_is_shown_after_a_reload(found: EvaluationData) -> None:
    evaluation.method_scores(found, "odin")
    app = opened("compare_methods", methods="nap,odin")
    assert shown(app) == ["NAP", "ODIN"]
    assert not [button for button in app.main.button if button.key == "run-methods"]


def test_what_cannot_run_says_why_and_the_rest_is_shown(store_root: Path) -> None:
    run(BANK, Store(store_root))
    app = opened("compare_methods", BANK, methods="nap,knn,odin,energy")
    assert shown(app) == ["NAP", "Energy"]
    assert "KNN needs a fit split (training images of ImageNet-1k from which it estimates), and there is none." in text(
        app
    )
    assert "ODIN needs the images themselves, and only activations are at hand." in text(app)
    assert not [button for button in app.main.button if button.key == "run-methods"]
    app = opened("compare_methods", BANK, methods="nap,knn,vim,she,mahalanobis,odin,gram")
    assert app.main.expander[0].label == "6 of the chosen methods cannot run on this study"
    app = opened("compare_methods", BANK, methods="knn")
    assert not app.get("plotly_chart")


def test_w_page_offers_the_combinations_of_the_choice(found: EvaluationData) -> None:
    app = opened("w_sensitivity", methods="nap,nap+maxlogit,nap-variance+gen")
    assert app.segmented_control(key="w_combination").options == ["NAP+MaxLogit", "Variance+GEN"]
    app.segmented_control(key="w_combination").set_value("nap-variance+gen").run()
    assert not app.exception
    assert "0 is Variance alone, 1 is GEN alone" in app.slider(key="w_gen").label
    assert opened("w_sensitivity", methods="msp,nap").segmented_control(key="w_combination").options == ["NAP+Energy"]
    many = "nap+msp,nap+energy,nap+gen,nap+maxlogit"
    app = opened("w_sensitivity", methods=many)
    assert app.selectbox(key="w_combination_box").value == "nap+energy"


def test_score_page_places_every_chosen_method_and_names_those_left_out(store_root: Path) -> None:
    app = opened("score_image", network="resnet20-cifar10", sample="3", methods="gen,nap,odin,knn")
    assert app.selectbox(key="method").options == ["GEN", "NAP"]
    assert "**ODIN** needs a pass of its own over the ID images: left out here." in text(app)
    assert "**KNN** waits for the fit split" in text(app)
    app.multiselect(key="methods-box").set_value(["nap", "energy"]).run()
    assert not app.exception
    assert app.selectbox(key="method").value == "nap"


def test_catalogue_lists_every_method_with_the_choice_ticked(found: EvaluationData) -> None:
    app = opened("compare_methods")
    app.button(key="add-methods").click().run()
    boxes = {box.key: box.value for box in app.checkbox if box.key.startswith("catalogue-")}
    expected = {f"catalogue-{name}" for name in (*methods.RECORDS, *methods.COMBINATIONS)}
    assert set(boxes) == expected
    assert {key.removeprefix("catalogue-") for key, on in boxes.items() if on} == set(methods.STANDARD)


def test_table_is_sorted_and_filtered(found: EvaluationData) -> None:
    app = opened("compare_methods")
    app.selectbox(key="compare_order").set_value("mnist").run()
    board = scoreboard(evaluation.evaluate(found), "fpr95").sorted_by("mnist")
    assert shown(app) == [methods.title(name) for name in board.methods]
    app.selectbox(key="filter-family").set_value("logits").run()
    app.segmented_control(key="filter-nap").set_value("without").run()
    assert not app.exception
    assert set(shown(app)) == {"MSP", "Energy"}
    app.text_input(key="filter-words").set_value("nothing has these words").run()
    assert not app.exception
    assert len(shown(app)) == 5
    assert "No chosen method passes the filter" in text(app)


def test_exports_are_what_nap_core_makes(found: EvaluationData, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {}
    button = st.download_button

    def kept(label: str, data: object, **options: object) -> bool:
        made[options["key"]] = data
        return button(label, data, **options)

    monkeypatch.setattr(st, "download_button", kept)
    opened("compare_methods", methods="nap,energy")
    results = evaluation.evaluate(found, ["nap", "energy"])
    rows = [evaluation.method_scores(found, name) for name in ("nap", "energy")]
    intervals = pd.concat([bootstrap.intervals(row) for row in rows], ignore_index=True)
    titles = {"cifar10": "CIFAR-10", "mnist": "MNIST", "uniform-noise": "Uniform noise"}
    csv = made["export-csv"]().decode().splitlines()
    expected = export.tidy_table(results, intervals).to_csv(index=False).splitlines()
    without_seconds = [position for position, name in enumerate(expected[0].split(",")) if name != "seconds"]
    for line, wanted in zip(csv, expected, strict=True):
        assert [line.split(",")[place] for place in without_seconds[:14]] == [
            wanted.split(",")[place] for place in without_seconds[:14]
        ]
    assert made["export-latex"]().decode() == export.latex_table(results, titles, STUDY.sentence())
    assert STUDY.sentence() in made["export-html"]().decode()


def test_long_intervals_are_computed_on_demand(found: EvaluationData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.components.results.results_table.AT_ONCE", 0.0)
    app = opened("compare_methods", methods="nap,energy")
    keys = [
        json.loads(element.proto.spec)["layout"].get("xaxis", {}).get("title", {})
        for element in app.get("plotly_chart")
    ]
    assert {"text": "FPR95, average"} not in keys
    app.button(key="compute-intervals").click().run()
    assert not app.exception
    keys = [
        json.loads(element.proto.spec)["layout"].get("xaxis", {}).get("title", {})
        for element in app.get("plotly_chart")
    ]
    assert {"text": "FPR95, average"} in keys
    app.selectbox(key="compare_order").set_value("mnist").run()
    assert not [button for button in app.main.button if button.key == "compute-intervals"]
