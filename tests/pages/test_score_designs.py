"""The page of score designs: its numbers are nap_core's, an expression is shared, and every mistake is a sentence."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from nap_core.analysis import oracle, score_variants
from nap_core.analysis.comparison import AVERAGE
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from pages.components.study import workspace
from tests.pages.conftest import OpenPage

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "textures", "uniform-noise"), 50)


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture
def opened(open_page: OpenPage, found: EvaluationData) -> OpenPage:
    return partial(open_page, "score_designs", STUDY)


def alts(app: AppTest) -> str:
    return "\n".join(element.proto.alt for element in app.get("plotly_chart"))


def said(app: AppTest) -> str:
    kinds = (app.main.markdown, app.main.caption, app.main.info, app.main.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def test_opens_with_table_6_of_the_study(opened: OpenPage, found: EvaluationData) -> None:
    app = opened()
    assert app.title[0].value == "Which score reads the peak best?"
    table = score_variants.design_table(found).set_index(["method", "ood"])
    shown = app.dataframe[0].value.set_index("Score")
    value, change = table.loc[("nap+energy", AVERAGE), ["fpr95", "fpr95_change"]]
    assert shown.loc["NAP+Energy", "Average"] == f"{100 * value:.1f} ({100 * change:+.1f})".replace("-", "−")
    assert shown.loc["NAP+Energy", "Table 6 (paper)"] == "9.02 (−17.53)"
    assert "of the four" in alts(app)
    for w in score_variants.default_weights(found).values():
        assert f"{w:g}" in said(app)


def test_another_method_metric_and_w(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(design_with="MSP", design_metric="AUROC", design_w="Best")
    assert app.selectbox(key="design_with").value == "msp"
    best = score_variants.best_weights(found, "msp")
    table = score_variants.design_table(found, other="msp", weights=best).set_index(["method", "ood"])
    shown = app.dataframe[0].value.set_index("Score")
    assert shown.loc["Minus+MSP", "MNIST"].startswith(f"{100 * table.loc[('nap-minus+msp', 'mnist'), 'auroc']:.1f} (")
    assert "Table 6 (paper)" not in shown.columns
    assert "is read off these very OOD images" in said(app)


def test_an_expression_is_drawn_and_compared(opened: OpenPage, found: EvaluationData) -> None:
    w = score_variants.default_weights(found)["nap-minus"]
    app = opened(expression="max - mean", expression_w_energy=f"{w:g}")
    assert app.text_input(key="expression").value == "max - mean"
    shown = app.dataframe[1].value.set_index("Score")
    table = score_variants.design_table(found).set_index(["method", "ood"])
    for score, method in {"Own": "nap-minus", "NAP": "nap", "Own+Energy": "nap-minus+energy"}.items():
        fpr95, auroc = table.loc[(method, "mnist"), ["fpr95", "auroc"]]
        assert shown.loc[score, "MNIST"] == f"{100 * fpr95:.1f} / {100 * auroc:.1f}"
    assert "The AUROC of your score on average over 3 OOD datasets" in said(app)
    assert r"\mathrm{max}_j - \mathrm{mean}_j" in app.latex[0].value


def test_an_example_is_written_into_the_field(opened: OpenPage) -> None:
    app = opened()
    app.pills(key="expression_example").set_value("Variance").run()
    assert not app.exception
    assert app.text_input(key="expression").value == "var"
    app.text_input(key="expression").set_value("var + 1").run()
    assert app.pills(key="expression_example").value is None
    app.selectbox(key="expression_over").set_value("largest").run()
    assert not app.exception
    assert r"\max_j" in app.latex[0].value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("max /", "The expression ends at character 5"),
        ("__import__('os').system('ls')", "cannot be read"),
        ("max / (mean - mean)", "CIFAR-10: “/” at character 5 divides by zero in channel 0 of image 1"),
        ("2 ** 3", r"“2 \*\* 3” is the same for every image"),
        ("(" * 500, "characters; at most 200"),
    ],
)
def test_a_link_with_a_bad_expression_gives_a_sentence(opened: OpenPage, text: str, sentence: str) -> None:
    app = opened(expression=text)
    assert sentence in app.main.warning[0].value
    assert len(app.get("plotly_chart")) == 3  # the designs and both of ε are still there


def test_what_is_negative_is_said(opened: OpenPage) -> None:
    assert "Your score is negative for 200 of 200 images" in said(opened(expression="-1 - max"))
    assert "is negative" not in said(opened(expression="max"))


def test_the_oracle_is_trained_on_a_click(opened: OpenPage, found: EvaluationData) -> None:
    app = opened()
    app.button(key="run-oracle").click().run()
    job = workspace.jobs().task_of(("oracle", STUDY))
    job.wait(60)
    app.run()
    assert not app.exception
    expected = oracle.oracle(found)
    assert f"Spearman {expected.correlation:.2f}".replace("-", "−") in alts(app)
    assert "The oracle has seen OOD labels, which no method may" in said(app)


def test_one_ood_dataset_and_too_few_images_for_an_oracle(open_page: OpenPage) -> None:
    few = Study("resnet20-cifar10", "cifar10", ("mnist",), 12)
    run(few, Store())
    app = open_page("score_designs", few)
    assert "Average" not in app.dataframe[0].value.columns
    assert any("it takes 20 ID and 20 OOD images at least" in one.value for one in app.info)
    assert not [button for button in app.button if button.key == "run-oracle"]


def test_a_reference_bank_has_designs_and_an_oracle(open_page: OpenPage) -> None:
    bank = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 25)
    run(bank, Store())
    app = open_page("score_designs", bank)
    assert "Table 6 (paper)" not in app.dataframe[0].value.columns
    assert app.button(key="run-oracle")
    assert not app.warning
