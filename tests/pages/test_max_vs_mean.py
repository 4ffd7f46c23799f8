"""The page Max vs mean: its controls change what is drawn, and what it says equals what nap_core computes."""

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nap_core import nap, studies
from nap_core.analysis.channels.max_mean_points import points_of
from nap_core.analysis.channels.separability import channel_auroc, peak_curve
from nap_core.figures.max_vs_mean import reading
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study
from pages.components.channels import channel_strip
from pages.components.results import figure_view

ROOT = Path(__file__).resolve().parents[2]
CHOSEN = Study("resnet20-cifar10", "cifar10", ("mnist", "textures"), 50)
TITLES = {"cifar10": "CIFAR-10", "mnist": "MNIST", "textures": "Textures"}


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return studies.run(CHOSEN, Store())


@pytest.fixture
def app(found: EvaluationData, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.chdir(ROOT)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=180)
    for name, value in CHOSEN.to_query().items():
        app.query_params[name] = value
    app.run()
    return app.switch_page("pages/max_vs_mean.py").run()


def figure(app: AppTest) -> dict[str, Any]:
    (chart,) = app.get("plotly_chart")
    spec: dict[str, Any] = json.loads(chart.proto.spec)
    return spec


def clouds(app: AppTest) -> dict[str, np.ndarray]:
    """The means that are drawn, by dataset, in the order of drawing."""
    return {
        trace["legendgroup"]: np.frombuffer(base64.b64decode(trace["x"]["bdata"]), trace["x"]["dtype"])
        for trace in figure(app)["data"]
        if trace["type"] == "scattergl"
    }


def said(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.info) for element in kind)


def component(app: AppTest, key: str) -> dict[str, Any]:
    (one,) = [element for element in app.get("bidi_component") if element.key == key]
    data: dict[str, Any] = json.loads(one.proto.json)
    return data


def expected_reading(found: EvaluationData, names: list[str], channel: int | None = None, floor: float = 0.1) -> str:
    parts = [points_of(name, found.of(name), channel=channel, floor=floor) for name in names]
    return reading({part.dataset: peak_curve(part.mean, part.maximum) for part in parts}, TITLES, channel)


def test_the_page_asks_its_question_and_answers_it_from_the_data(app: AppTest, found: EvaluationData) -> None:
    assert not app.exception
    assert app.title[0].value == "Does the peak stand above the mean?"
    assert expected_reading(found, list(TITLES)) in said(app)
    drawn = clouds(app)
    assert list(drawn) == ["mnist", "textures", "cifar10"]  # ID in front
    for name, means in drawn.items():
        mean = found.of(name).mean
        np.testing.assert_array_equal(means, mean[mean > 0.1])
    total = sum(map(len, drawn.values()))
    assert f"{total:,} points" in said(app)
    assert f"{3 * 50 * found.id.activations.channels - total:,} with a mean up to the threshold left out" in said(app)
    (chart,) = app.get("plotly_chart")
    assert chart.proto.alt == expected_reading(found, list(TITLES))


def test_id_goes_behind(app: AppTest) -> None:
    app.segmented_control(key="scatter-front").set_value("OOD").run()
    assert not app.exception
    assert list(clouds(app)) == ["cifar10", "mnist", "textures"]


def test_the_threshold_can_be_moved_and_switched_off(app: AppTest, found: EvaluationData) -> None:
    app.number_input(key="scatter-floor").set_value(0.5).run()
    assert not app.exception
    assert len(clouds(app)["mnist"]) == np.sum(found.ood["mnist"].activations.mean > 0.5)
    assert expected_reading(found, list(TITLES), floor=0.5) in said(app)
    app.toggle(key="scatter-leave-out").set_value(False).run()
    assert len(clouds(app)["mnist"]) == found.ood["mnist"].activations.mean.size
    assert "left out" not in said(app)
    app.toggle(key="scatter-leave-out").set_value(True).run()
    app.number_input(key="scatter-floor").set_value(1000.0).run()
    assert not app.exception
    assert "there are too few points to compare CIFAR-10 with MNIST or Textures" in said(app)


def test_datasets_can_be_chosen(app: AppTest, found: EvaluationData) -> None:
    pills = app.button_group(key="scatter-ood-mnist-textures")
    pills.set_value(["textures"]).run()
    assert not app.exception
    assert list(clouds(app)) == ["textures", "cifar10"]
    assert expected_reading(found, ["cifar10", "textures"]) in said(app)
    aurocs = channel_auroc(found.id.activations.ratio(), found.ood["textures"].activations.ratio())
    best = component(app, "channel-strip")["items"][0]
    assert best["caption"] == f"channel {np.argmax(aurocs)}"
    app.button_group(key="scatter-ood-mnist-textures").set_value([]).run()
    assert not app.exception
    assert "Pick an OOD dataset" in said(app)


def test_channels_are_ranked_by_their_auroc_against_all_chosen_datasets(app: AppTest, found: EvaluationData) -> None:
    unknown = np.concatenate([found.of(name).ratio() for name in found.ood])
    aurocs = channel_auroc(found.id.activations.ratio(), unknown)
    ranked = np.argsort(-aurocs, kind="stable")
    strip = component(app, "channel-strip")
    assert strip["selected"] is None
    assert [item["caption"] for item in strip["items"]] == [f"channel {place}" for place in ranked[:12]]
    assert strip["items"][0]["note"] == f"AUROC {100 * aurocs.max():.1f}\xa0%"
    options = app.selectbox(key="scatter-channel-box").options
    assert options[:2] == ["All channels", f"Channel {ranked[0]}, AUROC {100 * aurocs.max():.1f}\xa0%"]
    assert len(options) == 1 + found.id.activations.channels


def test_a_channel_narrows_the_scatter_and_the_way_back_is_clear(app: AppTest, found: EvaluationData) -> None:
    last = int(
        np.argmin(
            channel_auroc(found.id.activations.ratio(), np.concatenate([found.of(name).ratio() for name in found.ood]))
        )
    )
    app.selectbox(key="scatter-channel-box").set_value(last).run()
    assert not app.exception
    assert expected_reading(found, list(TITLES), channel=last) in said(app)
    mean = found.id.activations.mean[:, last]
    np.testing.assert_array_equal(clouds(app)["cifar10"], mean[mean > 0.1])
    assert "".join(app.query_params["channel"]) == str(last)
    strip = component(app, "channel-strip")  # the chosen one stands beside the best, though it is the worst
    assert strip["items"][strip["selected"]]["caption"] == f"channel {last}"
    (back,) = [button for button in app.button if button.label == "All channels"]
    back.click().run()
    assert expected_reading(found, list(TITLES)) in said(app)
    assert "channel" not in app.query_params


def test_a_click_in_the_strip_picks_the_channel_and_a_second_one_drops_it(
    app: AppTest, found: EvaluationData, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicks = [2]
    draw = channel_strip.gallery
    monkeypatch.setattr(
        channel_strip, "gallery", lambda *given, **named: (draw(*given, **named), clicks.pop() if clicks else None)[1]
    )
    wanted = int(component(app, "channel-strip")["items"][2]["caption"].removeprefix("channel "))
    app.run()
    assert not app.exception
    assert app.selectbox(key="scatter-channel-box").value == wanted
    assert expected_reading(found, list(TITLES), channel=wanted) in said(app)
    clicks.append(2)
    app.run()
    assert expected_reading(found, list(TITLES)) in said(app)


def test_a_link_opens_its_channel_and_passes_over_one_that_is_not_there(
    found: EvaluationData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for asked, channel in (("17", 17), ("9999", None), ("²", None), ("-3", None)):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=180)
        app.switch_page("pages/max_vs_mean.py")
        for name, value in {**CHOSEN.to_query(), "channel": asked}.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        assert expected_reading(found, list(TITLES), channel=channel) in said(app)


def selecting(monkeypatch: pytest.MonkeyPatch, box: list[dict[str, Any]], lasso: list[dict[str, Any]]) -> None:
    """Let the figure answer as the browser does after something was drawn over it."""
    draw = figure_view.show

    def show(*given: Any, **named: Any) -> Any:
        draw(*given, **named)
        return SimpleNamespace(selection=SimpleNamespace(box=box, lasso=lasso))

    monkeypatch.setattr(figure_view, "show", show)


def test_a_lasso_shows_the_images_behind_its_points(
    app: AppTest, found: EvaluationData, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Draw a lasso" in said(app)
    corners = {"x": [0.5, 1.5, 1.5, 0.5], "y": [2.0, 2.0, 4.0, 4.0]}
    selecting(monkeypatch, [], [{"xref": "x4", "yref": "y4", **corners}])
    app.run()
    assert not app.exception
    inside = {
        name: (part.mean > 0.5) & (part.mean < 1.5) & (part.maximum > 2) & (part.maximum < 4)
        for name, part in ((name, found.of(name)) for name in found.parts)
    }
    points = sum(int(one.sum()) for one in inside.values())
    images = sum(int(one.any(axis=1).sum()) for one in inside.values())
    assert f"**{points:,} points from {images:,} images**" in said(app)
    assert f"{images - 24:,} more are not" in said(app)
    items = component(app, "picked-images")["items"]
    assert len(items) == 24
    most = max(int(one.sum(axis=1).max()) for one in inside.values())
    name = {title: name for name, title in TITLES.items()}[items[0]["caption"]]
    row = int(np.argmax(inside[name].sum(axis=1)))
    assert items[0]["note"] == f"NAP {nap.nap_score(found.of(name))[row]:.3g}"
    highest = int(np.argmax(np.where(inside[name][row], found.of(name).maximum[row], 0)))
    assert items[0]["detail"] == f"ch. {highest} + {most - 1}"
    assert items[0]["source"].startswith("data:image/png;base64,")


def test_what_is_drawn_over_a_margin_or_over_nothing_picks_nothing(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    selecting(monkeypatch, [{"xref": "x3", "yref": "y3", "x": [0, 9], "y": [0, 9]}], [])
    app.run()
    assert not app.exception
    assert "Draw a lasso" in said(app)
    monkeypatch.undo()
    monkeypatch.chdir(ROOT)
    selecting(monkeypatch, [{"xref": "x4", "yref": "y4", "x": [500, 501], "y": [0, 1]}], [])
    app.run()
    assert not app.exception
    assert "No point lies inside what was drawn." in said(app)


def test_controls_survive_a_visit_to_another_page(app: AppTest) -> None:
    app.segmented_control(key="scatter-front").set_value("OOD").run()
    app.number_input(key="scatter-floor").set_value(0.3).run()
    app.selectbox(key="scatter-channel-box").set_value(5).run()
    app.switch_page("pages/home.py").run()
    app.switch_page("pages/max_vs_mean.py").run()
    assert not app.exception
    assert app.segmented_control(key="scatter-front").value == "OOD"
    assert app.number_input(key="scatter-floor").value == 0.3
    assert app.selectbox(key="scatter-channel-box").value == 5


def test_images_that_are_not_shipped_are_counted_and_named_in_words() -> None:
    def script() -> None:
        import numpy as np

        from nap_core.analysis.channels.max_mean_points import Points, Region
        from nap_core.analysis.evaluation import MethodScores
        from pages.components.images.selected_images import picked_images

        place, ones = np.arange(3), np.ones(3, np.float32)
        parts = [Points(name, 1, place, ones, ones, 0) for name in ("imagenet-bank", "textures")]
        scores = MethodScores("nap", None, np.ones(3), {"textures": np.full(3, 0.5)})
        titles = {"imagenet-bank": "ImageNet reference", "textures": "Textures"}
        picked_images(parts, Region(((0, 0, 2, 2),)), scores, titles, dict.fromkeys(titles, "#2f7de1"))

    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    assert "**6 points from 6 images**" in said(app)
    assert "ImageNet reference comes as activations only" in said(app)
    items = component(app, "picked-images")["items"]
    assert [(item["caption"], item["note"], item["detail"]) for item in items] == [
        ("Textures", "NAP 0.500", "channel 0")
    ] * 3
