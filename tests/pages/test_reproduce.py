"""The page of the paper's tables and figures: each is there, runs on the study, and says what it cannot do."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from nap_core import metrics
from nap_core.analysis import evaluation
from nap_core.methods import EvaluationData
from nap_core.paper import ENTRIES
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from pages.components.study import workspace
from tests.pages.conftest import OpenPage

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "textures"), 40)
MEASURED = [entry for entry in ENTRIES.values() if entry.measured]


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture
def opened(open_page: OpenPage, found: EvaluationData) -> OpenPage:
    return partial(open_page, "reproduce", STUDY)


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.main.markdown, *app.main.caption, *app.main.info])


def reproduced(app: AppTest, name: str) -> AppTest:
    """The page after an entry was run."""
    app.button(key=f"run-{name}").click().run()
    job = workspace.jobs().task_of(("reproduction", STUDY, name))
    job.wait(120)
    assert job.state == "done", job.error
    app.run()
    assert not app.exception
    return app


def test_every_entry_is_listed_and_none_is_open(opened: OpenPage) -> None:
    app = opened()
    assert app.title[0].value == "Does the paper hold on my study?"
    labels = [one.label for one in app.main.expander]
    assert [entry.label for entry in ENTRIES.values() if not any(f"**{entry.label}**" in one for one in labels)] == []
    assert app.button(key="run-reproduce-all").label == f"Reproduce all {len(MEASURED)}"
    assert not [one for one in app.button if one.key in {f"run-{entry.name}" for entry in MEASURED}]


def test_a_table_is_run_and_its_numbers_are_nap_cores(opened: OpenPage, found: EvaluationData) -> None:
    app = reproduced(opened(item="table-6"), "table-6")
    table = app.dataframe[0].value
    scores = evaluation.method_scores(found, "nap+energy", w=0.4)
    here = table.loc["Energy x NAP (w = 0.4)", ("MNIST", "here")]
    assert here == pytest.approx(100 * metrics.fpr_at_tpr(scores.id, scores.ood["mnist"]))
    assert table["Average in the paper", "paper"].iloc[0] == pytest.approx(26.55)
    assert "It holds" in text(app) or "It does not hold" in text(app)
    assert "is not set against its average" in text(app)
    label = next(one.label for one in app.main.expander if "**Table 6**" in one.label)
    assert " of 14" in label
    app.segmented_control(key="metric").set_value("auroc").run()
    auroc = app.dataframe[0].value.loc["Energy x NAP (w = 0.4)", ("MNIST", "here")]
    assert auroc == pytest.approx(100 * metrics.auroc(scores.id, scores.ood["mnist"]))


def test_a_link_leads_on_with_the_methods_of_the_table(opened: OpenPage) -> None:
    app = opened(item="table-13")
    assert app.button(key="link-table-13-0").label == "Compare methods"


def test_statements_and_pictures_say_where_they_are(opened: OpenPage) -> None:
    app = opened(item="table-1")
    methods = app.dataframe[0].value
    assert methods.set_index("Method")["Looks within a channel"].to_dict()["NAP"] == "yes"
    app = opened(item="figure-7")
    assert "is no Transformer" in text(app)
    assert not [one for one in app.button if one.key == "run-figure-7"]


def test_the_papers_own_study_is_told_and_can_be_opened(opened: OpenPage) -> None:
    app = opened(item="table-9")
    assert "github.com/deeplearning-wisc/dice" in text(app)
    app = opened(item="table-3")
    assert "registered people" in text(app)
    app.button(key="open-table-3-0").click().run()
    assert not app.exception
    assert app.session_state.study.model == "torchvision:mobilenet_v2:IMAGENET1K_V1"


def test_a_bank_has_its_numbers_and_says_what_it_cannot(open_page: OpenPage) -> None:
    bank = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 5)
    run(bank, Store())
    app = open_page("reproduce", bank, item="table-11")
    app.button(key="run-table-11").click().run()
    job = workspace.jobs().task_of(("reproduction", bank, "table-11"))
    job.wait(60)
    app.run()
    assert not app.exception
    assert any("cannot be distorted" in one.value for one in app.error)


def test_before_the_study_is_run_the_list_is_there(open_page: OpenPage) -> None:
    app = open_page("reproduce", Study("resnet20-cifar10", "cifar10", ("gaussian-noise",), 33), item="table-6")
    assert app.button(key="run-main")
    assert "as soon as your study has been run" in text(app)
