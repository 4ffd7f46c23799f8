"""The Channels page: nap_core's ranking, one channel and its link, and how the classes use the channels."""

import json
import re
from functools import partial
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from nap_core.analysis.channels import class_activation, separability
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from tests.pages.conftest import OpenPage
from tests.sentences import Says, states

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 50)


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture
def opened(open_page: OpenPage, found: EvaluationData) -> OpenPage:
    return partial(open_page, "channels", STUDY)


def figures(app: AppTest) -> list[dict[str, Any]]:
    """The ranking, the ratios, the classes of one channel, classes × channels."""
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.main.markdown, *app.main.caption, *app.main.subheader])


def test_opens_at_the_channel_that_separates_best(opened: OpenPage, found: EvaluationData, says: Says) -> None:
    app = opened()
    says(app.title[0].value, "")
    areas, _ = separability.ratio_auroc(found.id.activations, [found.of(name) for name in found.ood])
    best = int(areas.argmax())
    assert app.selectbox(key="channels-box").value == best
    assert app.query_params["channel"] == str(best)
    assert states(text(app), f"{best} 1 64 AUROC {100 * areas[best]:.1f}")
    assert states(text(app), f"64 {best} AUROC {100 * areas[best]:.1f}")
    table = app.dataframe[0].value
    assert len(table) == 64
    assert table["AUROC, %"].tolist() == pytest.approx(sorted(100 * areas, reverse=True))


def test_one_ood_dataset_ranks_anew(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(channel="12")
    app.selectbox(key="channels-ood-mnist-uniform-noise").set_value("mnist").run()
    assert not app.exception
    areas, _ = separability.ratio_auroc(found.id.activations, [found.of("mnist")])
    rank = int((areas > areas[12]).sum()) + 1
    assert states(text(app), f"12 {rank} 64 AUROC {100 * areas[12]:.1f}")


def test_a_link_opens_a_channel_and_the_list_another(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(channel="12")
    assert app.selectbox(key="channels-box").value == 12
    assert "Channel 12: rank" in text(app)
    use = class_activation.class_use(found.id.activations, STUDY.network().classes)
    top = use.names[use.ranked(12)[0]]
    assert re.search(rf"Channel 12 is strongest on {top} \(\d images?\)", text(app))
    assert "weights and averages correlate by" in text(app)
    app.selectbox(key="channels-box").set_value(3).run()
    assert not app.exception
    assert "Channel 3: rank" in text(app)
    assert app.query_params["channel"] == "3"
    assert figures(app)[-1]["layout"]["annotations"][0]["text"] == "▲ channel 3"


def test_a_channel_that_the_model_lacks_is_passed_over(opened: OpenPage) -> None:
    assert states(text(opened(channel="64")), "rank 1 64")


def test_classes_by_ratio_or_maximum(opened: OpenPage, found: EvaluationData) -> None:
    app = opened()
    assert states(text(app), "50 10 labels")
    app.segmented_control(key="channels_use").set_value("maximum").run()
    assert not app.exception
    assert "average maximum" in figures(app)[-1]["data"][0]["hovertemplate"]


def test_a_bank_is_looked_at_through_the_sample_photographs(open_page: OpenPage) -> None:
    bank = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("uniform-noise",), 20)
    run(bank, Store())
    app = open_page("channels", bank)
    assert "20 ID images of" in text(app)
    assert "of very many channels those that separate best" in text(app)
    assert len(figures(app)) == 4
