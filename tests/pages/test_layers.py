"""The Layers page: the run that it asks for, nap_core's numbers at each depth, products, and what cannot be done."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from nap_core import metrics
from nap_core.analysis import layers
from nap_core.analysis.evaluation import MethodScores
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from pages.components.study import workspace
from tests.pages.conftest import OpenPage

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 24)
PICKED = ("bn1", "layer1", "layer2", "")


@pytest.fixture(scope="module")
def scores() -> dict[str, MethodScores]:
    run(STUDY, Store())
    return layers.layer_scores(layers.run_layers(STUDY, Store(), PICKED))


@pytest.fixture
def opened(open_page: OpenPage) -> OpenPage:
    return partial(open_page, "layers", STUDY)


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.main.markdown, *app.main.caption])


def test_opens_at_the_layers_of_figure_5(opened: OpenPage, scores: dict[str, MethodScores]) -> None:
    app = opened()
    assert app.title[0].value == "At which depth does the peak appear?"
    assert app.multiselect(key="layers-resnet20-cifar10").value == list(PICKED)
    assert app.query_params["layers"] == "bn1,layer1,layer2,penultimate"
    areas = [sum(metrics.auroc(one.id, met) for met in one.ood.values()) / 2 for one in scores.values()]
    assert all(
        f"{100 * area:.1f}\xa0% at {name}" in text(app)
        for area, name in zip(areas, ("c1", "s1", "s2", "p"), strict=True)
    )
    assert len(app.get("plotly_chart")) == 5
    own = metrics.auroc(scores[""].id, scores[""].ood["mnist"])
    assert f"NAP’s AUROC {100 * own:.1f}\xa0%." in text(app)


def test_products_stand_beside_table_7(opened: OpenPage, scores: dict[str, MethodScores]) -> None:
    app = opened()
    table = app.dataframe[0].value.set_index("NAP at")
    names = ["c1", "s1", "s2", "p", "c1,s1,s2,p", "s1,s2,p", "s2,p"]
    assert table.index.tolist() == [f"NAP({name})" for name in names]
    assert table["AUROC Table 7"].tolist() == pytest.approx([51.99, 50.47, 78.44, 92.45, 58.99, 64.26, 87.81])
    pair = layers.product([scores["layer2"], scores[""]])
    assert table.loc["NAP(s2,p)", "FPR95 MNIST"] == pytest.approx(100 * metrics.fpr_at_tpr(pair.id, pair.ood["mnist"]))
    app.multiselect(key="layers-product").set_value(["c1", "p"]).run()
    assert not app.exception
    mine = layers.product([scores["bn1"], scores[""]])
    table = app.dataframe[0].value.set_index("NAP at")
    assert table.loc["NAP(c1,p)", "AUROC MNIST"] == pytest.approx(100 * metrics.auroc(mine.id, mine.ood["mnist"]))


def test_a_link_names_layers_metric_and_what_is_missing_is_run(
    opened: OpenPage, scores: dict[str, MethodScores]
) -> None:
    app = opened(layers="layer1.0,layer2,nowhere", layers_metric="FPR95")
    assert app.multiselect(key="layers-resnet20-cifar10").value == ["layer1.0", "layer2"]
    assert app.segmented_control(key="layers_metric").value == "fpr95"
    assert "72 images" in app.button(key="run-layers").label
    assert not app.get("plotly_chart")
    app.button(key="run-layers").click().run()
    job = workspace.jobs().task_of(("layers", STUDY, ("layer1.0", "layer2")))
    job.wait(120)
    assert job.state == "done"
    app.run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 3
    assert "at layer1.0" in text(app)


def test_no_layer_is_answered(opened: OpenPage, scores: dict[str, MethodScores]) -> None:
    app = opened()
    app.multiselect(key="layers-resnet20-cifar10").set_value([]).run()
    assert not app.exception
    assert app.info[0].value == "Pick a layer to read NAP at."


def test_a_bank_has_one_depth(open_page: OpenPage) -> None:
    bank = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 5)
    run(bank, Store())
    app = open_page("layers", bank)
    assert "holds activations of the penultimate layer" in app.info[0].value
