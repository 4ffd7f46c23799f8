"""A method below chance is marked, and a click searches its parameters; the values found are part of the address."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from nap_core import methods
from nap_core.analysis import distorted_images, evaluation, parameter_search
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from pages.components.study import workspace
from tests.pages.conftest import OpenPage
from tests.sentences import states

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "fashion-mnist"), 20)
SPEC = "ash-s"


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in app.main.caption)


def rows(app: AppTest) -> list[str]:
    return json.loads(app.get("plotly_chart")[0].proto.spec)["layout"]["yaxis"]["ticktext"]


def finish(app: AppTest) -> None:
    job = workspace.jobs().task_of(("parameters", STUDY, SPEC, None))
    job.wait(120)
    assert job.state == "done", job.error
    app.run()
    assert not app.exception


@pytest.mark.parametrize("key", ["run-below-chance-0", "run-tuned-search"])
def test_a_click_searches_and_the_address_has_the_values(open_page: OpenPage, key: str) -> None:
    data = run(STUDY, Store())
    app = open_page("compare_methods", STUDY, methods=f"energy,{SPEC}")
    areas = evaluation.evaluate(data, [SPEC])["auroc"]
    assert [row.startswith("▼") for row in rows(app)] == [False, True]
    assert states(text(app), f"ASH-S {100 * areas.mean():.1f} 2 of 2 0.95 DenseNet-BC-100-12 CIFAR-10")
    app.button(key=key).click().run()
    finish(app)
    result = parameter_search.search(data, distorted_images.extracted(data), SPEC)
    assert result.found != SPEC
    assert app.query_params["methods"] == f"energy,{result.found}"
    assert methods.title(result.found) in rows(app)[1] and not any(row.startswith("▼") for row in rows(app))
    assert states(text(app), f"ASH-S {100 * result.auroc:.1f} {100 * result.before:.1f}")

    # The default can be had again, and only this visitor's click replaced it.
    other = AppTest.from_file(app._script_path, default_timeout=300)
    for name, value in (STUDY.to_query() | {"methods": SPEC}).items():
        other.query_params[name] = value
    other.switch_page("pages/compare_methods.py").run()
    assert other.query_params["methods"] == SPEC and rows(other)[0].startswith("▼")


def test_defaults_of_another_network_are_named_once(open_page: OpenPage) -> None:
    run(STUDY, Store())
    app = open_page("compare_methods", STUDY, methods="energy,ash-p,ash-b")
    (line,) = [one.value for one in app.main.caption if "DenseNet-BC-100-12" in one.value]
    assert states(line, "ASH-P 0.9 CIFAR-10 ASH-B 0.95 CIFAR-10")
    assert not [button for button in app.button if "below-chance" in (button.key or "")]
