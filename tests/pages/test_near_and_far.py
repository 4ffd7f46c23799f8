"""The near and far page: what is drawn before and after the shift, near and far from the address, Table 12."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nap_core.analysis import covariate_shift, evaluation
from nap_core.figures.near_and_far import findings
from nap_core.figures.score_histograms import label
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.near_far import grouped, nearness
from nap_core.studies.study import Study, run
from pages.components.study import workspace
from tests.pages.conftest import OpenPage
from tests.pages.test_w_sensitivity import figures, text

STUDY = Study("resnet20-cifar10", "cifar10", ("fashion-mnist", "mnist", "uniform-noise"), 30)


@pytest.fixture(autouse=True, scope="module")
def _few_images_of_its_own() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(covariate_shift, "IMAGES", 4)
        patch.setattr(covariate_shift, "SEED", 7)  # what another test has stored is none of these
        yield


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture
def opened(open_page: OpenPage, found: EvaluationData) -> OpenPage:
    return partial(open_page, "near_and_far", STUDY)


def ticks(app: AppTest) -> list[str]:
    return figures(app)[0]["layout"]["xaxis"]["ticktext"]


def test_the_button_completes_the_figure(opened: OpenPage, found: EvaluationData) -> None:
    app = opened()
    assert app.title[0].value == "How far away must an image be?"
    assert ticks(app) == ["far-OOD", "OOD,<br>not placed"]
    button = app.button(key="run-shift")
    assert "300 to go through" in button.label
    button.click().run()
    job = workspace.jobs().task_of(("covariate shift", STUDY))
    job.wait(120)
    assert job.state == "done"
    app.run()
    assert not app.exception
    assert ticks(app)[:2] == ["clean<br>ID", "1"]
    row = evaluation.method_scores(found, "nap+energy")
    response = covariate_shift.respond(found, covariate_shift.shifted(STUDY, job.result), row)
    line = next(one for one in figures(app)[0]["data"] if one.get("name") == label(row))
    assert line["y"] == pytest.approx(response.shift.kept.tolist())
    assert len(figures(app)) == 3
    assert "CIFAR-10-C" in text(app)


def test_a_shared_link_places_datasets_and_opens_a_method(opened: OpenPage, found: EvaluationData) -> None:
    covariate_shift.extraction_plan(STUDY).run(Store())
    app = opened(near="Fashion-MNIST", shift_method="Energy", shift_metric="AUROC")
    assert ticks(app)[-2:] == ["near-OOD", "far-OOD"]
    rows = [evaluation.method_scores(found, spec) for spec in ("nap", "msp", "energy", "nap+msp", "nap+energy")]
    shifted = covariate_shift.shifted(STUDY, covariate_shift.extraction_plan(STUDY).run(Store()))
    responses = [covariate_shift.respond(found, shifted, row) for row in rows]
    groups = grouped(nearness(STUDY, near=["fashion-mnist"]))
    for sentence in findings(responses, "energy", groups, "CIFAR-10"):
        assert sentence in text(app)
    assert "Energy under covariate shift" in [one.value for one in app.subheader]
    assert "each against clean ID images" in text(app) or any(
        "each against clean ID images" in one.proto.alt for one in app.get("plotly_chart")
    )


def test_what_nobody_placed_is_told(opened: OpenPage) -> None:
    app = opened()
    assert "Whether Fashion-MNIST is near or far, no benchmark here says" in text(app)
    app.multiselect(key="far").set_value(["fashion-mnist"]).run()
    assert not app.exception
    assert "no benchmark here says: mark" not in text(app)
    assert ticks(app)[-1] == "far-OOD"


def test_table_12_shows_this_study_where_cifar100_is_met(open_page: OpenPage, data_root: Path) -> None:
    draw = np.random.default_rng(0)
    np.savez(data_root / "cifar100.npz", images=draw.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8))
    study = Study("resnet20-cifar10", "cifar10", ("own:cifar100.npz",), 12)
    found = run(study, Store())
    app = open_page("near_and_far", study)
    assert ticks(app)[-1] == "near-OOD"
    table = app.dataframe[0].value.set_index("Method")
    expected = evaluation.evaluate(found, ["energy"]).iloc[0]
    assert table.loc["Energy", "AUROC this study"] == pytest.approx(100 * expected["auroc"])
    assert table.loc["Energy", "AUROC paper"] == pytest.approx(89.76)
    assert "compare how methods rank" in text(app)


def test_without_cifar100_the_papers_network_stands_alone(opened: OpenPage) -> None:
    app = opened()
    assert "AUROC this study" not in app.dataframe[0].value
    assert "take CIFAR-10 as ID and CIFAR-100" in text(app)


def test_images_that_are_not_shipped_leave_near_and_far(open_page: OpenPage) -> None:
    bank = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 5)
    run(bank, Store())
    app = open_page("near_and_far", bank)
    assert any("cannot be distorted" in one.value for one in app.info)
    assert ticks(app) == ["far-OOD"]
