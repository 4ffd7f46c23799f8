"""Compare methods: the numbers on the page are nap_core's, and the boxes change what is shown."""

import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from nap_core import methods
from nap_core.analysis import evaluation
from nap_core.analysis.comparison import AVERAGE, compare_images, disagreement, scoreboard, verdicts
from nap_core.figures.compare_methods import disagreement_reading
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from pages.components.study import workspace
from tests.sentences import Says, states

ROOT = Path(__file__).resolve().parents[2]
STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 50)
BANK = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 25)


def opened(study: Study, **parameters: str) -> AppTest:
    """The page on a study whose activations are in the store."""
    st.cache_resource.clear()
    st.cache_data.clear()
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in {**study.to_query(), **parameters}.items():
        app.query_params[name] = value
    app.switch_page("pages/compare_methods.py").run()
    assert not app.exception
    return app


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture
def app(found: EvaluationData) -> AppTest:
    return opened(STUDY)


def figures(app: AppTest) -> list[dict]:
    """Table, histogram and ROC curves, as they are sent to the browser."""
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def lines(figure: dict) -> dict[str, dict]:
    return {trace["name"]: trace for trace in figure["data"] if trace.get("mode") == "lines" and "name" in trace}


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.main.markdown, *app.main.caption])


def plain(cell: str) -> str:
    for mark in ("<b>", "</b>", "<u>", "</u>"):
        cell = cell.replace(mark, "")
    return cell


@pytest.mark.parametrize("metric", ["fpr95", "auroc"])
def test_table_prints_the_evaluation(app: AppTest, found: EvaluationData, metric: str, says: Says) -> None:
    app.segmented_control(key="compare_metric").set_value(metric).run()
    assert not app.exception
    board = scoreboard(evaluation.evaluate(found), metric)
    printed = [[plain(cell) for cell in row] for row in figures(app)[0]["data"][0]["text"]]
    assert printed == [[f"{100 * value:.1f}" for value in row] for row in board.values]
    says(app.title[0].value, "")
    assert states(text(app), f"50 CIFAR-10 {100 * evaluation.id_accuracy(found):.1f}")


def test_best_method_on_average_is_open_at_first(app: AppTest, found: EvaluationData) -> None:
    best = scoreboard(evaluation.evaluate(found), "fpr95").leaders(AVERAGE)[0]
    assert app.selectbox(key="compare_method").value == best
    assert app.selectbox(key="compare_against").value == AVERAGE
    assert "Against both OOD datasets together" in text(app)


def test_boxes_open_another_cell(app: AppTest, found: EvaluationData) -> None:
    app.selectbox(key="compare_method").set_value("energy")
    app.selectbox(key="compare_against").set_value("uniform-noise").run()
    assert not app.exception
    table, histogram, roc, *_ = figures(app)
    frame = table["layout"]["shapes"][0]
    assert (frame["x0"] + frame["x1"]) / 2 == 1
    assert (frame["y0"] + frame["y1"]) / 2 == list(methods.STANDARD).index("energy")
    assert "Energy" in json.dumps(histogram)
    assert "Energy" in max(lines(roc), key=lambda name: lines(roc)[name]["line"]["width"])
    row = evaluation.evaluate(found, ["energy"]).set_index("ood").loc["uniform-noise"]
    assert states(text(app), f"Energy {100 * row['fpr95']:.1f} Uniform noise")
    assert states(text(app), "Uniform noise AUROC")


def test_link_opens_the_same_cell_and_the_same_pair(found: EvaluationData) -> None:
    app = opened(
        STUDY,
        compare_metric="AUROC",
        compare_method="MSP",
        compare_against="MNIST",
        compare_a="NAP+Energy",
        compare_b="MSP",
    )
    assert app.segmented_control(key="compare_metric").value == "auroc"
    boxes = [app.selectbox(key=f"compare_{name}").value for name in ("method", "against", "a", "b")]
    assert boxes == ["msp", "mnist", "nap+energy", "msp"]


def test_link_of_another_study_falls_back_to_what_there_is(found: EvaluationData) -> None:
    app = opened(STUDY, compare_method="ODIN", compare_against="Textures", compare_metric="x", compare_a="?")
    assert app.selectbox(key="compare_against").value == AVERAGE
    assert app.selectbox(key="compare_a").value == "energy"


def test_disagreements_are_counted_and_change_with_the_boxes(app: AppTest, found: EvaluationData) -> None:
    for a, b in (("energy", "nap"), ("msp", "nap+energy")):
        app.selectbox(key="compare_a").set_value(a)
        app.selectbox(key="compare_b").set_value(b).run()
        assert not app.exception
        pair = [evaluation.method_scores(found, name) for name in (a, b)]
        expected = disagreement(compare_images(*pair, "cifar10"))
        assert disagreement_reading(expected, pair[0].title, pair[1].title) in text(app)
        for images, first, second in ((expected.only_a, "A", "B"), (expected.only_b, "B", "A")):
            said, refused = (pair[0] if letter == "A" else pair[1] for letter in (first, second))
            count = "no image" if images.empty else f"{len(images):,} image{'s' if len(images) > 1 else ''}"
            assert f"**{first} ({said.title}) says ID, {second} ({refused.title}) says OOD**: {count}" in text(app)


def test_method_is_not_compared_with_itself(app: AppTest) -> None:
    app.selectbox(key="compare_b").set_value("energy").run()
    assert not app.exception
    assert "Pick two different ones" in app.main.info[0].value


@pytest.mark.parametrize(("name", "row"), [("cifar10", 4), ("uniform-noise", 0)])
def test_clicked_image_shows_every_methods_verdict(app: AppTest, found: EvaluationData, name: str, row: int) -> None:
    app.session_state["compare_image"] = (name, row)
    app.run()
    assert not app.exception
    shown = app.main.dataframe[0].value
    rows = [evaluation.method_scores(found, method) for method in methods.STANDARD]
    expected = verdicts(rows, "cifar10", name, row)
    right = "ID" if name == "cifar10" else "OOD"
    for verdict, accepted in zip(shown["Verdict"], expected["accepted"], strict=True):
        said = "ID" if accepted else "OOD"
        assert verdict == f"{said}, {'right' if said == right else 'wrong'}"
    assert shown["Above this share of ID images"].tolist() == [
        f"{100 * share:.1f}\xa0%" for share in expected["percentile"]
    ]


@pytest.mark.parametrize("place", [("textures", 0), ("mnist", 50), ("cifar10", 999)])
def test_image_of_an_earlier_study_is_forgotten(app: AppTest, place: tuple[str, int]) -> None:
    app.session_state["compare_image"] = place
    app.run()
    assert not app.exception
    assert not app.main.dataframe
    assert "A click on an image shows" in text(app)


def test_bank_has_no_pictures_and_says_so() -> None:
    run(BANK, Store())
    app = opened(BANK)
    board = scoreboard(evaluation.evaluate(run(BANK, Store())), "fpr95")
    assert AVERAGE not in board.columns
    assert app.selectbox(key="compare_against").options == ["Uniform noise"]
    pair = [evaluation.method_scores(run(BANK, Store()), name) for name in ("energy", "nap")]
    expected = disagreement(compare_images(*pair, "imagenet-bank"))
    apart = [side for side in (expected.only_a, expected.only_b) if side["is_id"].any()]
    assert apart, "each method refuses one of 25, and not the same"
    assert text(app).count("ImageNet reference comes as activations only") == len(apart)


def test_one_image_of_each() -> None:
    study = Study("resnet20-cifar10", "cifar10", ("mnist",), 1)
    run(study, Store())
    app = opened(study)
    assert states(text(app), "1 CIFAR-10")
    for figure in figures(app):
        assert figure["data"]


def test_study_that_is_not_in_the_store_is_offered_first(store_root: Path) -> None:
    app = opened(STUDY)
    assert app.button(key="run-main")
    assert not app.get("plotly_chart")
    assert not list(store_root.glob("*/manifest.json"))


@pytest.mark.slow  # the whole fit split with gradients; test_own measures a small one
def test_coverage_of_the_model_is_measured_once(app: AppTest) -> None:
    app.button(key="run-coverage-resnet20-cifar10").click().run()
    job = workspace.jobs().task_of(("NAC-ME", "resnet20-cifar10", ""))
    job.wait(300)
    assert job.state == "done"
    app.run()
    assert not app.exception
    assert app.metric[0].label == "NAC-ME of ResNet-20"
    assert app.metric[0].value == f"{job.result:.3f}"
    assert 0 < job.result < 1


def test_a_bank_has_no_coverage() -> None:
    run(BANK, Store())
    app = opened(BANK)
    assert "NAC-ME needs training images of ImageNet-1k" in "".join(one.value for one in app.caption)
