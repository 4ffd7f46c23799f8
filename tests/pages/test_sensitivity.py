"""The sensitivity page: each section shows nap_core's numbers, long work has its button, and links keep the section."""

from collections.abc import Iterator
from functools import partial

import pytest

from nap_core import methods
from nap_core.analysis import evaluation, overhead, sensitivity
from nap_core.analysis.sensitivity import input_size
from nap_core.figures.score_histograms import label
from nap_core.figures.sensitivity import fpr_table
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from pages.components.study import workspace
from tests.pages.conftest import OpenPage
from tests.pages.test_w_sensitivity import figures, text

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 40)
BANK = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 5)


@pytest.fixture(autouse=True, scope="module")
def _little_work() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(input_size, "IMAGES", 10)
        patch.setattr(input_size, "FACTORS", (0.1, 1.0, 1.25))
        patch.setattr(overhead, "IMAGES", 4)
        yield


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture
def opened(open_page: OpenPage, found: EvaluationData) -> OpenPage:
    return partial(open_page, "sensitivity", STUDY)


def finished(owner: tuple[object, ...]) -> object:
    """What the background work called ``owner`` found."""
    job = workspace.jobs().task_of(owner)
    job.wait(120)
    assert job.state == "done", job.error
    return job.result


def test_opens_with_the_number_of_images(opened: OpenPage, found: EvaluationData) -> None:
    app = opened()
    assert app.title[0].value == "How sensitive are the numbers?"
    row = evaluation.method_scores(found, "nap+energy")
    table = sensitivity.by_images(row)
    expected = table.query("ood == 'average' and metric == 'fpr95'")["median"].tolist()
    line = next(one for one in figures(app)[0]["data"] if one.get("name") == label(row))
    assert line["y"] == pytest.approx(expected)
    assert "None of the chosen methods estimates from training images" in text(app)


def test_method_dataset_and_metric_come_from_the_link(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(sensitivity_method="NAP", sensitivity_against="MNIST", sensitivity_metric="AUROC")
    table = sensitivity.by_images(evaluation.method_scores(found, "nap"))
    part = table.query("ood == 'mnist' and metric == 'auroc'")
    data = figures(app)[0]["data"]
    assert next(one for one in data if one.get("name") == "NAP")["y"] == pytest.approx(part["median"].tolist())
    band = next(one for one in data if one.get("fill") == "toself")
    assert band["y"] == pytest.approx([*part["high"], *part["low"][::-1]])


def test_other_sizes_are_seen_in_the_background(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(sensitivity="Input size")
    assert not figures(app)
    app.button(key="run-input-sizes").click().run()
    finished(("input sizes", STUDY))
    app.run()
    assert not app.exception
    assert "Not at 3 pixels" in text(app)
    assert "maps of one neuron" in text(app)
    row = evaluation.method_scores(found, "nap+energy")
    table = input_size.figures(input_size.by_size(STUDY, Store())[2], "nap+energy", row.w)
    line = next(one for one in figures(app)[0]["data"] if one.get("name") == label(row))
    assert line["x"] == [32, 40]
    assert line["y"][1] == pytest.approx(table["fpr95"].mean())


def test_fpr_at_any_tpr(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(sensitivity="TPR", sensitivity_tpr="90")
    rows = [evaluation.method_scores(found, spec) for spec in methods.STANDARD]
    expected = fpr_table(rows, 0.9, {"mnist": "MNIST", "uniform-noise": "Uniform noise"})
    shown = app.dataframe[0].value
    assert shown["average"].tolist() == pytest.approx(expected["average"].tolist())
    app.slider(key="sensitivity_tpr").set_value(99).run()
    assert app.dataframe[0].value["MNIST"].tolist() != shown["MNIST"].tolist()


def test_the_cost_is_measured_when_asked_for(opened: OpenPage) -> None:
    app = opened(sensitivity="Cost")
    assert not figures(app)
    app.button(key="run-cost").click().run()
    found = finished(("cost", STUDY, None))
    app.run()
    assert not app.exception
    alt = app.get("plotly_chart")[0].proto.alt
    assert found.device in alt
    assert "0.0462\xa0% (0.0817 s of 176.7155 s)" in alt


def test_activations_without_images_say_what_cannot_be_done(open_page: OpenPage) -> None:
    run(BANK, Store())
    app = open_page("sensitivity", BANK, sensitivity="Input size")
    assert any("activations, not images" in one.value for one in app.info)
    app = open_page("sensitivity", BANK, sensitivity="Cost")
    assert app.button(key="run-cost")
