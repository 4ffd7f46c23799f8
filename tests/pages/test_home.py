"""Home: the two images before any run, the button, the histogram after it, and the ways on."""

from functools import partial
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from nap_core import metrics
from nap_core.analysis import evaluation, home_example
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from tests.sentences import Says

ROOT = Path(__file__).resolve().parents[2]
STUDY = Study("resnet20-cifar10", "cifar10", ("textures", "uniform-noise"), 50)


@pytest.fixture
def app(store_root: Path) -> AppTest:
    """Home on an empty store."""
    st.cache_resource.clear()
    st.cache_data.clear()
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in app.main.markdown)


def test_first_visit_shows_the_pair_and_offers_the_default_run(app: AppTest, says: Says) -> None:
    app.run()
    assert not app.exception
    says(app.title[0].value, "")
    pair = home_example.load()
    assert f"Channel {pair.channel} averages" in text(app)
    assert f"peaks at {pair.id_image.maximum:#.3g}".rstrip(".") in text(app)
    assert f"**{pair.id_image.nap:.2f}** and **{pair.ood_image.nap:.2f}**" in text(app)
    assert app.button(key="run-main").label == "Run the default study (about 10 s)"
    assert not app.main.info
    # Six times hundreds of images of 64 channels, three numbers of four bytes of each; the fit split is not counted.
    assert any("about 2.5 MB in the store. What is done is kept" in caption.value for caption in app.main.caption)


def test_running_a_study_puts_its_histogram_in_the_place_of_the_button(app: AppTest) -> None:
    for name, value in STUDY.to_query().items():
        app.query_params[name] = value
    app.run()
    app.button(key="run-main").click().run()
    found = run(STUDY, Store())  # waits for nothing that the background run has done already
    for _ in range(50):
        app.run()
        assert not app.exception
        if "NAP rejects" in text(app):
            break
    scores = evaluation.method_scores(found, "nap")
    told = 100 * (1 - metrics.fpr_at_tpr(scores.id, scores.ood["textures"]))
    assert f"{told:.1f}\xa0% of Textures" in text(app)
    assert not [button for button in app.button if button.key == "run-main"]


def test_three_cards_lead_on(app: AppTest) -> None:
    app.run()
    links = [element.proto for element in app.get("page_link")]
    assert [link.label for link in links] == ["**Look inside**", "**Try your own image**", "**Compare methods**"]
    pair = home_example.load()
    assert f"channel={pair.channel}" in links[0].query_string
    assert f"id_image={pair.id_image.dataset}%3A{pair.id_image.row}" in links[0].query_string
    assert "follow=1" in links[0].query_string


def test_a_missing_pair_is_a_sentence_not_a_traceback(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(home_example, "load", partial(home_example.load, tmp_path / "nothing"))
    app.run()
    assert not app.exception
    assert "Get the folder assets/home again" in app.error[0].value
