"""The w sensitivity page: numbers equal nap_core's, the slider moves what it should and nothing is computed twice."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from nap_core import methods, metrics
from nap_core.analysis import evaluation, weight_search
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.storage.activation_store import Store
from nap_core.studies.study import SEARCHED, Study, run
from pages.components.methods.all_combinations import TABLE_11
from pages.components.study import workspace
from tests.pages.conftest import OpenPage
from tests.sentences import Says, states

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "textures", "uniform-noise"), 50)


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture
def opened(open_page: OpenPage) -> OpenPage:
    return partial(open_page, "w_sensitivity", STUDY)


@pytest.fixture
def app(opened: OpenPage, found: EvaluationData) -> AppTest:
    return opened()


def figures(app: AppTest) -> list[dict[str, Any]]:
    """FPR95, AUROC and the histograms, as they are sent to the browser."""
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.main.markdown, *app.main.caption])


def average(found: EvaluationData, method: str, w: float) -> tuple[float, float]:
    """FPR95 and AUROC averaged over the study's OOD datasets, in percent."""
    scores = evaluation.method_scores(found, method, w=w)
    pairs = [(metrics.fpr_at_tpr(scores.id, v), metrics.auroc(scores.id, v)) for v in scores.ood.values()]
    fpr95, auroc = zip(*pairs, strict=True)
    return 100 * sum(fpr95) / len(pairs), 100 * sum(auroc) / len(pairs)


def test_opens_at_the_papers_w_with_nap_cores_numbers(app: AppTest, found: EvaluationData, says: Says) -> None:
    says(app.title[0].value, "")
    assert (
        app.slider(key="w_energy").value
        == methods.default_w("nap+energy", ScoringContext(trained_on="CIFAR-10"))
        == 0.4
    )
    fpr95, auroc = average(found, "nap+energy", 0.4)
    assert states(text(app), f"FPR95 {fpr95:.1f} 0.4") or states(text(app), f"FPR95 lowest 0.4 {fpr95:.1f}")
    assert states(text(app), f"AUROC {auroc:.1f} 0.4") or states(text(app), f"AUROC highest 0.4 {auroc:.1f}")


@pytest.mark.parametrize("w", [0.0, 0.65, 1.0])
def test_the_slider_moves_dots_histogram_and_table(app: AppTest, found: EvaluationData, w: float) -> None:
    before = figures(app)
    app.slider(key="w_energy").set_value(w).run()
    assert not app.exception
    after = figures(app)
    expected = average(found, "nap+energy", w)
    for old, new, value in zip(before[:2], after[:2], expected, strict=True):
        assert [trace for trace in old["data"] if trace["mode"] == "lines"] == [
            trace for trace in new["data"] if trace["mode"] == "lines"
        ]
        marks = next(trace for trace in new["data"] if trace["mode"] == "markers" and not trace.get("name"))
        assert marks["x"] == [w] * 4
        assert 100 * marks["y"][-1] == pytest.approx(value)
    assert after[2]["layout"]["xaxis"]["title"]["text"] == f"NAP+Energy (w = {w:g}) score"
    table = app.dataframe[0].value
    assert table["OOD dataset"].tolist() == ["MNIST", "Textures", "Uniform noise", "average"]
    assert table[f"FPR95 w = {w:g}"].tolist()[-1] == pytest.approx(expected[0])
    assert table[f"AUROC w = {w:g}"].tolist()[-1] == pytest.approx(expected[1])


def test_the_ends_are_the_methods_alone(app: AppTest, found: EvaluationData) -> None:
    table = app.dataframe[0].value
    for name, method in (("NAP", "nap"), ("Energy", "energy")):
        scores = evaluation.method_scores(found, method)
        expected = [100 * metrics.fpr_at_tpr(scores.id, values) for values in scores.ood.values()]
        assert table[f"FPR95 {name}"].tolist()[:-1] == pytest.approx(expected)


@pytest.mark.parametrize("method", ["nap+msp", "nap+energy"])
def test_says_where_the_combination_helps_and_how_scores_are_made_positive(
    app: AppTest, found: EvaluationData, method: str
) -> None:
    app.segmented_control(key="w_combination").set_value(method).run()
    assert not app.exception
    curve = evaluation.weight_curve(found, method)
    other = methods.combination_parts(method)[1]
    lower = [line[:-1].min() < line[-1] for line in curve.fpr95]
    titles = ("MNIST", "Textures", "Uniform noise")
    count = {0: "any of the 3", 3: "all 3"}.get(sum(lower), f"{sum(lower)} of 3")
    claim = f"{methods.title(method)} has a lower" if any(lower) else f"has {methods.title(method)} a lower"
    sentence = next(element.value for element in app.main.markdown if claim in element.value)
    assert states(sentence, f"FPR95 {other.title} {count}")
    first = sentence.split("With one w for all")[0]
    if any(lower):
        assert [title in first for title in titles] == [not better for better in lower]
    assert other.record.positive.note in text(app)
    assert app.slider(key=f"w_{other.record.name}").value == methods.default_w(
        method, ScoringContext(trained_on="CIFAR-10")
    )


def test_each_combination_keeps_its_own_w(app: AppTest) -> None:
    app.slider(key="w_energy").set_value(0.8).run()
    app.segmented_control(key="w_combination").set_value("nap+msp").run()
    app.slider(key="w_msp").set_value(0.2).run()
    app.segmented_control(key="w_combination").set_value("nap+energy").run()
    assert not app.exception
    assert app.slider(key="w_energy").value == 0.8


def test_a_link_opens_combination_and_w(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(w_combination="NAP+MSP", w_msp="0.75")
    assert app.slider(key="w_msp").value == 0.75
    assert "at w = 0.75" in text(app)
    assert "MSP alone" in text(app)


def test_the_curve_is_computed_once(opened: OpenPage, found: EvaluationData, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    compute = evaluation.weight_curve

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments[1])
        return compute(*arguments, **options)

    monkeypatch.setattr(evaluation, "weight_curve", counted)
    app = opened()
    for w in (0.0, 0.5, 1.0):
        app.slider(key="w_energy").set_value(w).run()
    assert "nap+energy" in calls and len(calls) == len(set(calls))
    assert set(calls) <= set(TABLE_11)


def test_every_combination_that_waits_for_nothing_is_there_at_once(opened: OpenPage) -> None:
    app = opened()
    assert app.subheader[0].value == "All combinations at once"
    table = app.dataframe[1].value
    assert table["Combination"].tolist()[:2] == ["NAP+MSP", "NAP+Energy"]
    assert table["its w"].tolist()[:2] == [0.5, 0.4]
    app.slider(key="w_energy").set_value(0.75).run()
    assert "FPR95 w = 0.75" in app.dataframe[1].value.columns
    alone = app.dataframe[1].value.set_index("Combination").loc["NAP+Energy", "FPR95 alone"]
    assert alone == pytest.approx(app.dataframe[0].value.iloc[-1]["FPR95 Energy"])
    waiting = app.button(key="w-add-combinations")
    assert "NAP+KNN" in waiting.label
    waiting.click().run()
    assert not app.exception
    assert app.button(key="run-methods")


@pytest.fixture(scope="module")
def pseudo_ood(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EvaluationData, ImageSet]:
    """A store of its own, with the study and its pseudo-OOD images."""
    root = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAP_STORE", str(root))
        data = run(STUDY, Store())
        return root, data, weight_search.extracted(data)


@pytest.fixture
def searched(
    pseudo_ood: tuple[Path, EvaluationData, ImageSet], monkeypatch: pytest.MonkeyPatch
) -> tuple[EvaluationData, ImageSet]:
    """The study and its pseudo-OOD images; NAP_STORE points to the store that holds both."""
    root, data, images = pseudo_ood
    monkeypatch.setenv("NAP_STORE", str(root))
    return data, images


@pytest.mark.usefixtures("store_root")  # other tests begin where nothing has been searched
def test_w_is_searched_without_the_ood_images(opened: OpenPage) -> None:
    found = run(STUDY, Store())
    app = opened()
    app.button(key="run-w-search").click().run()
    job = workspace.jobs().task_of(("pseudo-OOD", STUDY))
    job.wait(120)
    assert job.state == "done"
    app.run()
    assert not app.exception
    result = weight_search.search(found, ImageSet(job.result[0]), "nap+energy")
    alt = [element.proto.alt for element in app.get("plotly_chart")]
    assert any(f"The search gives NAP+Energy w = {result.w:g}" in one for one in alt) or (
        f"The search gives NAP+Energy w = {result.w:g}" in text(app)
    )
    assert len(app.dataframe[-1].value) == len(result.steps)
    # A search alone changes no number: the published w is used until the study says otherwise.
    assert opened().slider(key="w_energy").value == 0.4


def test_the_searched_w_is_part_of_the_study(opened: OpenPage, searched: tuple[EvaluationData, ImageSet]) -> None:
    w = weight_search.search(*searched, "nap+energy").w
    app = opened()
    assert "w" not in app.query_params
    app.toggle(key="use-searched-w").set_value(True).run()
    assert not app.exception
    assert app.query_params["w"] == "searched"
    assert app.slider(key="w_energy").value == w
    assert f"w = {w:g} was searched on distorted images" in text(app)
    assert f"NAP+Energy {w:g}" in text(app)
    sidebar = "\n".join(one.value for one in app.sidebar.markdown)
    assert "w searched on distorted images" in sidebar
    app.toggle(key="use-searched-w").set_value(False).run()
    assert "w" not in app.query_params
    assert app.slider(key="w_energy").value == 0.4


def test_a_link_with_the_searched_w_gives_its_numbers_on_every_page(
    open_page: OpenPage, searched: tuple[EvaluationData, ImageSet]
) -> None:
    w = weight_search.search(*searched, "nap+energy").w
    app = open_page("compare_methods", replace(STUDY, weights=SEARCHED))
    assert not app.exception
    assert f"NAP+Energy {w:g}" in text(app)
    expected = evaluation.evaluate(searched[0], ["nap+energy"], {"nap+energy": w})["auroc"].mean()
    assert any(f"{100 * expected:.1f}" in element.proto.spec for element in app.get("plotly_chart"))


@pytest.mark.usefixtures("store_root")
def test_a_link_with_the_searched_w_says_so_where_nothing_was_searched(open_page: OpenPage) -> None:
    run(STUDY, Store())
    for page in ("score_histograms", "w_sensitivity"):
        app = open_page(page, replace(STUDY, weights=SEARCHED))
        assert not app.exception
        assert any("nothing has been searched yet" in one.value for one in app.sidebar.warning)
        assert app.button(key="run-w-search-sidebar")
        assert "was searched on" not in text(app) and "w searched on" not in text(app)
    assert app.slider(key="w_energy").value == 0.4


@pytest.mark.usefixtures("store_root")
def test_a_link_with_the_searched_w_offers_the_search_in_an_empty_store(open_page: OpenPage) -> None:
    study = replace(STUDY, weights=SEARCHED)
    app = open_page("score_histograms", study)
    assert any("w still has to be searched" in one.value for one in app.sidebar.warning)
    app.button(key="run-w-search-sidebar").click().run()
    job = workspace.jobs().task_of(("study and w", study))
    job.wait(120)
    assert job.state == "done", job.error
    app.run()
    assert not app.exception
    assert not app.sidebar.warning


def test_a_slider_that_nobody_moved_follows_the_w_of_the_study(
    opened: OpenPage, searched: tuple[EvaluationData, ImageSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_search, "binary_search", lambda _auroc: (0.15, ()))
    app = opened()
    app.segmented_control(key="w_combination").set_value("nap+msp").run()
    app.slider(key="w_msp").set_value(0.7).run()
    app.segmented_control(key="w_combination").set_value("nap+energy").run()
    assert app.slider(key="w_energy").value == 0.4
    app.toggle(key="use-searched-w").set_value(True).run()
    assert not app.exception
    assert app.slider(key="w_energy").value == 0.15
    app.segmented_control(key="w_combination").set_value("nap+msp").run()
    assert app.slider(key="w_msp").value == 0.7


def test_images_that_are_not_shipped_cannot_be_distorted(open_page: OpenPage) -> None:
    bank = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 5)
    run(bank, Store())
    app = open_page("w_sensitivity", bank)
    assert not app.exception
    assert any("cannot be distorted" in one.value for one in app.info)
