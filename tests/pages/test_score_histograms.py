"""The score histograms page: its numbers are nap_core's, its controls change the figure, a bar fills the strips."""

import json
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from nap_core import methods, metrics
from nap_core.analysis import evaluation
from nap_core.figures.score_histograms import bins_of, images_in_bin
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from pages.components.results import figure_view
from tests.pages.conftest import OpenPage

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 50)


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture
def opened(open_page: OpenPage) -> OpenPage:
    return partial(open_page, "score_histograms", STUDY)


@pytest.fixture
def app(opened: OpenPage, found: EvaluationData) -> AppTest:
    return opened()


def figure(app: AppTest) -> dict[str, Any]:
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def printed(app: AppTest) -> list[str]:
    """What stands above the panels, row by row."""
    notes = [note["text"] for note in figure(app)["layout"]["annotations"]]
    return [text.replace("<b>", "").replace("</b>", "") for text in notes if "FPR95" in text]


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.main.markdown, *app.main.subheader, *app.main.caption])


def expected(found: EvaluationData, method: str, ood: str, tpr: float = 0.95) -> str:
    scores = evaluation.method_scores(found, method)
    fpr95, auroc = metrics.fpr_at_tpr(scores.id, scores.ood[ood]), metrics.auroc(scores.id, scores.ood[ood])
    threshold = metrics.threshold_at_tpr(scores.id, tpr)
    kept, passed = (metrics.share_reaching(values, threshold) for values in (scores.id, scores.ood[ood]))
    return (
        f"FPR95 {100 * fpr95:.1f}\xa0% · AUROC {100 * auroc:.1f}\xa0%"
        f"<br>at the line: TPR {100 * kept:.1f}\xa0%, FPR {100 * passed:.1f}\xa0%"
    )


def test_opens_with_the_methods_of_figure_2_and_nap_cores_numbers(app: AppTest, found: EvaluationData) -> None:
    assert app.title[0].value == "How far apart are the scores?"
    assert tuple(app.multiselect(key="methods-box").value) == methods.STANDARD
    shown = ("energy", "nap", "nap+energy", "msp", "nap+msp")
    assert printed(app) == [expected(found, method, ood) for method in shown for ood in ("mnist", "uniform-noise")]
    assert "At the threshold that keeps 95\xa0% of CIFAR-10" in text(app)
    assert not app.subheader


def test_another_tpr_moves_threshold_and_fpr_and_keeps_fpr95(app: AppTest, found: EvaluationData) -> None:
    before = [shape["x0"] for shape in figure(app)["layout"]["shapes"]]
    app.slider(key="tpr").set_value(80.0).run()
    assert not app.exception
    assert printed(app)[0] == expected(found, "energy", "mnist", 0.8)
    assert all(new > old for new, old in zip([s["x0"] for s in figure(app)["layout"]["shapes"]], before, strict=True))
    assert "At the threshold that keeps 80\xa0% of CIFAR-10" in text(app)


def test_methods_are_rows_in_the_order_they_were_picked(app: AppTest, found: EvaluationData) -> None:
    app.multiselect(key="methods-box").set_value(["msp", "nap"]).run()
    assert printed(app)[::2] == [expected(found, method, "mnist") for method in ("msp", "nap")]
    app.multiselect(key="methods-box").set_value([]).run()
    assert not app.exception
    assert "Pick a method" in app.info[0].value
    assert not app.get("plotly_chart")


def test_all_together_is_one_column(app: AppTest, found: EvaluationData) -> None:
    app.segmented_control(key="histogram_view").set_value("All together").run()
    assert not app.exception
    scores = evaluation.method_scores(found, "nap")
    assert len(printed(app)) == 5
    assert f"AUROC {100 * metrics.auroc(scores.id, scores.pooled):.1f}\xa0%" in printed(app)[1]


def test_a_link_opens_methods_view_and_threshold(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(tpr="90", histogram_view="All together", methods="nap")
    assert app.slider(key="tpr").value == 90
    assert len(printed(app)) == 1
    assert "keeps 90\xa0% of CIFAR-10, NAP" in text(app)


def test_a_click_on_a_column_shows_its_images(
    opened: OpenPage, found: EvaluationData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser's selection is played: the point that plotly would hand over is taken from the figure."""
    scores = evaluation.method_scores(found, "nap")
    position = int(bins_of(scores).index(scores.ood["mnist"][:1])[0])
    show = figure_view.show

    def clicked(shown: Any, key: str, **options: Any) -> Any:
        show(shown, key, **options)
        columns = [trace for trace in shown.figure.data if trace.customdata is not None]
        data = next(trace.customdata[position] for trace in columns if trace.customdata[0][:2] == ["nap", "mnist"])
        return SimpleNamespace(selection=SimpleNamespace(points=[{"customdata": data}]))

    monkeypatch.setattr(figure_view, "show", clicked)
    app = opened()
    known, unknown = images_in_bin(scores, position, "cifar10", ["mnist"])
    assert app.subheader[0].value == f"NAP, {bins_of(scores).words(position)}"
    assert _strip(app, "MNIST", len(unknown), sum(item.wrong for item in unknown)) in text(app)
    assert _strip(app, "CIFAR-10", len(known), sum(item.wrong for item in known)) in text(app)
    monkeypatch.setattr(figure_view, "show", show)
    # The threshold draws the figure anew, without selection; the strips stay and follow it.
    app.slider(key="tpr").set_value(50.0).run()
    assert not app.exception
    known, unknown = images_in_bin(scores, position, "cifar10", ["mnist"], 0.5)
    assert _strip(app, "MNIST", len(unknown), sum(item.wrong for item in unknown)) in text(app)
    # Without the method in the figure there is no bar to speak of.
    app.multiselect(key="methods-box").set_value(["energy"]).run()
    assert not app.subheader


def _strip(app: AppTest, group: str, count: int, wrong: int) -> str:
    """How the line above a strip begins, put together here once more."""
    if count == 0:
        return f"**{group}**: no image scores"
    return (
        f"**{group}**: {count} image{'s score' if count > 1 else ' scores'} {app.subheader[0].value.split(', ')[1]}, "
        + (
            f"on the {'wrong' if wrong else 'right'} side"
            if count == 1
            else f"{'all' if wrong == count else wrong or 'none'} of them on the wrong side"
        )
    )


def _many_placed() -> None:
    from nap_core.figures.score_histograms import Placed
    from pages.components.images.histogram_images import placed_images

    titles, hues = {"mnist": "MNIST", "imagenet-bank": "the bank"}, {"mnist": "#c8352c", "imagenet-bank": "#2f7de1"}
    placed_images([Placed("mnist", row, 3.0, True) for row in range(25)], "MNIST", "above 2", titles, hues, "a")
    placed_images([Placed("mnist", 0, 3.0, False)], "MNIST", "above 4", titles, hues, "b")
    placed_images([Placed("imagenet-bank", 0, 1.0, True)] * 2, "the bank", "below 2", titles, hues, "c")


def test_strips_say_what_is_left_out_and_what_has_no_images() -> None:
    app = AppTest.from_function(_many_placed, default_timeout=60).run()
    assert not app.exception
    lines = [element.value for element in app.markdown]
    assert lines[0] == (
        "**MNIST**: 25 images score above 2, all of them on the wrong side of the threshold. "
        "The 24 most misplaced are shown, 1 more is not."
    )
    assert lines[1] == "**MNIST**: 1 image scores above 4, on the right side of the threshold."
    assert "comes as activations only" in app.caption[0].value
