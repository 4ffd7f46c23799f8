"""Old names of address parameters open what the new ones open, and the address then has the new ones only."""

from collections.abc import Mapping

import pytest
from streamlit.testing.v1 import AppTest

from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from pages.components.study import url_state
from tests.pages.conftest import OpenPage
from tests.pages.test_activation_maps import address

STUDY = Study("resnet20-cifar10", "cifar10", ("mnist", "uniform-noise"), 20)
SMALL = "resnet20-cifar10"
# By page: its old parameters with their values, and what its controls then show.
LINKS: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "activation_maps": (
        {"known": "cifar10:3", "met": "uniform-noise:5"},
        {"maps-ood-dataset": "uniform-noise"},
    ),
    "score_image": ({"ask": SMALL, "by": "energy"}, {"network": SMALL, "method": "energy"}),
    "near_and_far": (
        {"far_measure": "AUROC", "far_method": "Energy"},
        {"shift_metric": "auroc", "shift_method": "energy"},
    ),
    "sensitivity": (
        {"hangs_on": "TPR", "hangs_method": "NAP", "hangs_against": "MNIST", "hangs_tpr": "90"},
        {"sensitivity": "tpr", "sensitivity_method": "nap", "sensitivity_against": "mnist", "sensitivity_tpr": 90},
    ),
}


def controls(app: AppTest) -> dict[str, object]:
    """The value of every control of the page, by key."""
    kinds = (app.selectbox, app.segmented_control, app.slider)
    return {control.key: control.value for kind in kinds for control in kind}


@pytest.mark.parametrize("page", list(LINKS))
def test_an_old_link_opens_what_it_opened_and_is_written_anew(open_page: OpenPage, page: str) -> None:
    run(STUDY, Store())
    old, shown = LINKS[page]
    app = open_page(page, STUDY, **old)
    assert {key: controls(app)[key] for key in shown} == shown
    now = address(app)
    assert not set(now) & set(url_state.ALIASES)
    for name, value in old.items():
        assert now[url_state.ALIASES[name]] == value


def test_an_old_metric_of_sensitivity(open_page: OpenPage) -> None:
    run(STUDY, Store())
    app = open_page("sensitivity", STUDY, hangs_metric="AUROC")
    assert app.segmented_control(key="sensitivity_metric").value == "auroc"


def test_the_new_name_wins_over_the_old(open_page: OpenPage) -> None:
    run(STUDY, Store())
    app = open_page("activation_maps", STUDY, known="cifar10:3", id_image="cifar10:4")
    assert address(app)["id_image"] == "cifar10:4"


def test_every_old_name_is_tried_here() -> None:
    assert {*(name for old, _ in LINKS.values() for name in old), "hangs_metric"} == set(url_state.ALIASES)


def test_no_name_is_old_and_new_or_a_studys() -> None:
    assert not set(url_state.ALIASES) & set(url_state.ALIASES.values())
    assert not set(url_state.ALIASES.values()) & set(STUDY.to_query())


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("0", 0), (None, None), ("", None), ("-1", None), ("1.5", None), ("²", None)]
)
def test_whole_numbers_of_an_address(text: str | None, number: int | None) -> None:
    assert url_state.whole(text) == number


def test_writing_leaves_other_parameters_and_takes_out_what_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    query: dict[str, str] = {"channel": "3", "model": "m"}
    monkeypatch.setattr(url_state.st, "query_params", query)
    written: Mapping[str, str | None] = {"channel": None, "item": "table-1"}
    url_state.write(**written)
    assert query == {"model": "m", "item": "table-1"}
