"""The activation maps page on a study of 50 images each: what the controls change, and numbers equal to nap_core's."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nap_core import datasets, methods, models
from nap_core.analysis import evaluation
from nap_core.analysis.channels import clearest_pair, ranking
from nap_core.extraction import extract, precomputed
from nap_core.figures.picture import three_digits
from nap_core.methods import EvaluationData
from nap_core.storage.activation_store import Store
from nap_core.studies.study import Study, run
from tests.pages.conftest import OpenPage
from tests.sentences import Says, states

STUDY = Study("resnet20-cifar10", "cifar10", ("textures", "uniform-noise"), 50)


@pytest.fixture(scope="module")
def found() -> EvaluationData:
    return run(STUDY, Store())


@pytest.fixture
def opened(open_page: OpenPage) -> OpenPage:
    return partial(open_page, "activation_maps")


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in app.main.markdown)


def address(app: AppTest) -> dict[str, str]:
    values = {name: app.query_params[name] for name in app.query_params}
    return {name: value if isinstance(value, str) else value[-1] for name, value in values.items()}


def component(app: AppTest, key: str) -> dict[str, Any]:
    """What a gallery or the tiles were given to draw."""
    (one,) = [element for element in app.get("bidi_component") if element.key == key]
    data: dict[str, Any] = json.loads(one.proto.json)
    return data


def head() -> np.ndarray:
    return models.load(STUDY.model).head_weight


def test_opens_with_the_first_images_and_their_strongest_channel(
    opened: OpenPage, found: EvaluationData, says: Says
) -> None:
    app = opened(STUDY)
    says(app.title[0].value, "")
    first = found.id.activations.take([0])
    channel = int(ranking.contributions(first, head())[0].argmax())
    assert address(app)["channel"] == str(channel)
    assert (address(app)["id_image"], address(app)["ood_image"]) == ("cifar10:0", "textures:0")
    maximum, mean = float(first.maximum[0, channel]), float(first.mean[0, channel])
    assert states(text(app), f"{channel} {maximum:.3g} {mean:.3g}")


@pytest.mark.parametrize("order", list(ranking.ORDERS))
def test_order_and_basis_choose_the_channel_that_is_shown_first(
    opened: OpenPage, found: EvaluationData, order: str
) -> None:
    app = opened(STUDY)
    app.selectbox(key="maps-order").set_value(order).run()
    known = ranking.values(found.id.activations.take([0]), order, head())[0]
    met = ranking.values(found.ood["textures"].activations.take([0]), order, head())[0]
    assert address(app)["channel"] == str(int(known.argmax()))
    app.segmented_control(key="maps-basis").set_value("difference").run()
    assert address(app)["channel"] == str(int((known - met).argmax()))
    assert f"by **{ranking.ORDERS[order]}**, **ID − OOD**" in text(app)
    assert not app.exception


def test_a_link_opens_its_images_and_its_channel(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(STUDY, id_image="cifar10:7", ood_image="uniform-noise:11", channel="5")
    assert app.segmented_control(key="maps-ood-dataset").value == "uniform-noise"
    shown = datasets.load("cifar10")
    assert f"**{shown.classes[shown.labels[7]]}** (CIFAR-10)" in text(app)
    assert "**image 11** (Uniform noise)" in text(app)
    assert states(text(app), f"5 {float(found.id.activations.maximum[7, 5]):.3g}")
    assert address(app)["id_image"] == "cifar10:7"


def test_an_address_that_lags_behind_does_not_undo_a_choice_but_a_link_to_the_same_does(
    opened: OpenPage, found: EvaluationData
) -> None:
    app = opened(STUDY, id_image="cifar10:7")
    app.selectbox(key="maps-id-class-cifar10").set_value("frog").run()
    app.button(key="maps-id-surprise").click().run()
    chosen = address(app)["id_image"]
    assert chosen != "cifar10:7"
    app.query_params["id_image"] = "cifar10:7"  # what a quick second click carries along
    app.slider(key="maps-opacity").set_value(25).run()
    assert address(app)["id_image"] == chosen
    app.query_params["id_image"] = "cifar10:7"
    app.query_params["follow"] = "1"  # what Home's card carries
    app.run()
    assert address(app)["id_image"] == "cifar10:7"
    assert "follow" not in address(app)


@pytest.mark.parametrize(
    "asked",
    [
        {"id_image": "cifar10:50"},
        {"id_image": "mnist:1"},
        {"id_image": "cifar10:-1"},
        {"ood_image": "textures:many"},
        {"ood_image": ""},
        {"channel": "64"},
        {"channel": "1e3"},
        {"channel": "²"},
    ],
)
def test_a_link_to_what_is_not_there_is_passed_over(
    opened: OpenPage, found: EvaluationData, asked: dict[str, str]
) -> None:
    app = opened(STUDY, **asked)
    assert address(app)["id_image"] == "cifar10:0"
    assert address(app)["ood_image"] == "textures:0"
    assert int(address(app)["channel"]) < 64


def test_class_filter_and_surprise_stay_within_the_class(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(STUDY)
    app.selectbox(key="maps-id-class-cifar10").set_value("frog").run()
    for _ in range(3):
        app.button(key="maps-id-surprise").click().run()
        assert not app.exception
        row = int(address(app)["id_image"].partition(":")[2])
        assert datasets.load("cifar10").classes[found.id.activations.labels[row]] == "frog"


def test_another_dataset_has_its_own_image_and_keeps_it(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(STUDY, ood_image="textures:4")
    app.segmented_control(key="maps-ood-dataset").set_value("uniform-noise").run()
    assert address(app)["ood_image"] == "uniform-noise:0"
    assert app.selectbox(key="maps-ood-class-uniform-noise").disabled
    app.segmented_control(key="maps-ood-dataset").set_value("textures").run()
    assert address(app)["ood_image"] == "textures:4"


@pytest.mark.parametrize(
    "method",
    [pytest.param(name, marks=() if name in ("energy", "nap+msp") else pytest.mark.slow) for name in methods.STANDARD],
)
def test_the_filmstrip_is_sorted_by_score(opened: OpenPage, found: EvaluationData, method: str) -> None:
    scores = evaluation.method_scores(found, method).ood["textures"]
    app = opened(STUDY)
    for direction, expected in (("highest", np.argsort(-scores)), ("lowest", np.argsort(scores))):
        app.selectbox(key="maps-ood-order").set_value(f"{methods.title(method)}, {direction} first").run()
        assert not app.exception
        # The strip opens where the chosen image lies, so turn to its beginning.
        turn = next(one for one in app.pagination if one.key.startswith("maps-ood-part"))
        turn.set_value(1).run()
        notes = [item["note"] for item in component(app, "maps-ood-strip")["items"]]
        assert notes == [three_digits(float(scores[row])) for row in expected[:40]]


def test_tiles_show_the_maps_and_numbers_of_the_channels_in_their_order(
    opened: OpenPage, found: EvaluationData
) -> None:
    app = opened(STUDY, id_image="cifar10:7", ood_image="textures:3")
    app.selectbox(key="maps-order").set_value("ratio").run()
    drawn = component(app, "channel-tiles")
    ranked = ranking.ranking(found.id.activations.ratio()[7])
    assert [tile["channel"] for tile in drawn["tiles"]] == ranked[:24].tolist()
    assert drawn["top"] == pytest.approx(
        max(found.id.activations.maximum[7].max(), found.ood["textures"].activations.maximum[3].max()), rel=1e-5
    )
    for tile in drawn["tiles"]:
        for half, part, row in zip(tile["halves"], (found.of("cifar10"), found.of("textures")), (7, 3), strict=True):
            maximum, mean = (float(values[row, tile["channel"]]) for values in (part.maximum, part.mean))
            numbers = [float(line.split()[1]) for line in half["lines"]]
            assert numbers == pytest.approx([maximum, mean, maximum / (mean + 1)], rel=0.006, abs=6e-4)
            assert np.max(half["map"]) == pytest.approx(maximum, rel=0.006, abs=6e-4)
            assert np.mean(half["map"]) == pytest.approx(mean, rel=0.006, abs=6e-4)


def test_the_images_that_drive_a_channel_come_highest_peak_first(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(STUDY, channel="9")
    notes = [item["note"] for item in component(app, "maps-id-drivers")["items"]]
    part = found.id.activations
    rows = ranking.ranking(part.maximum[:, 9])[:8]
    assert notes == [
        f"{three_digits(float(part.maximum[row, 9]))} · {three_digits(float(part.mean[row, 9]))}" for row in rows
    ]


def test_show_this_pair_takes_the_pair_of_the_channel_into_the_columns(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(STUDY, channel="3")
    app.selectbox(key="maps-id-class-cifar10").set_value("frog").run()
    pairs = {name: ranking.same_mean_pair(found.id.activations, found.of(name), 3) for name in found.ood}
    name, pair = max(pairs.items(), key=lambda entry: entry[1].difference if entry[1] else -np.inf)
    app.button(key="maps-pair").click().run()
    assert not app.exception
    assert pair is not None
    assert address(app)["id_image"] == f"cifar10:{pair.id_row}"
    assert address(app)["ood_image"] == f"{name}:{pair.ood_row}"
    assert address(app)["channel"] == "3"
    assert app.selectbox(key="maps-id-class-cifar10").value is None
    assert states(text(app), f"{pair.id_maximum:.3g} CIFAR-10 {pair.ood_maximum:.3g}")


def test_find_the_clearest_channel_looks_through_every_channel_and_dataset(
    opened: OpenPage, found: EvaluationData
) -> None:
    app = opened(STUDY)
    pairs = {name: ranking.clearest_pair(found.id.activations, found.of(name)) for name in found.ood}
    name, pair = max(pairs.items(), key=lambda entry: entry[1].difference if entry[1] else -np.inf)
    app.button(key="maps-clearest").click().run()
    assert not app.exception
    assert pair is not None
    assert address(app)["channel"] == str(pair.channel)
    assert address(app)["id_image"] == f"cifar10:{pair.id_row}"
    assert address(app)["ood_image"] == f"{name}:{pair.ood_row}"


def test_a_search_among_some_of_the_images_says_so(
    opened: OpenPage, found: EvaluationData, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(STUDY)
    assert not app.button(key="maps-clearest").help
    every = len(found.id.activations) + sum(len(found.of(name)) for name in found.ood)
    monkeypatch.setattr(clearest_pair, "MOST_SEARCHED", found.id.activations.channels * every // 2)
    assert re.fullmatch(
        rf"Among \d+ of {every} images, the first of each dataset\.", app.run().button(key="maps-clearest").help
    )


def test_pages_of_channels_cover_all_of_them(opened: OpenPage, found: EvaluationData) -> None:
    app = opened(STUDY)
    assert states(text(app), "1 24 64")
    app.pagination(key="maps-tiles-part").set_value(3).run()
    assert states(text(app), "49 64 64")


def test_what_was_looked_at_is_still_there_after_a_visit_to_another_page(
    opened: OpenPage, found: EvaluationData
) -> None:
    app = opened(STUDY, id_image="cifar10:7", ood_image="uniform-noise:11", channel="5")
    app.slider(key="maps-opacity").set_value(25).run()
    app.switch_page("pages/home.py")
    app.run()
    app.switch_page("pages/activation_maps.py")
    app.run()
    assert not app.exception
    assert {name: address(app)[name] for name in ("id_image", "ood_image", "channel")} == {
        "id_image": "cifar10:7",
        "ood_image": "uniform-noise:11",
        "channel": "5",
    }
    assert app.slider(key="maps-opacity").value == 25


def test_without_results_the_page_offers_the_run(opened: OpenPage, store_root: Path, says: Says) -> None:
    app = opened(STUDY)
    says(app.title[0].value, "")
    assert app.button(key="run-main").label.startswith("Run this study")


@pytest.fixture
def bank_study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Study]:
    """A study whose ID images are known by their activations only, here those of the sample photographs."""
    monkeypatch.setattr(precomputed, "FOLDER", tmp_path)
    precomputed.load.cache_clear()
    model = models.load("efficientnet-lite0-imagenet")
    precomputed.save("imagenet-bank", model, extract(model, datasets.load("photos"), store=Store()))
    study = Study("efficientnet-lite0-imagenet", "imagenet-bank", ("textures",), 4)
    run(study, Store())
    yield study
    precomputed.load.cache_clear()


def test_sample_photographs_stand_in_for_images_that_are_not_shipped(opened: OpenPage, bank_study: Study) -> None:
    app = opened(bank_study, id_image="photos:2")
    assert "are not shipped, only their activations: sample photographs stand in" in app.main.info[0].value
    assert "**Espresso** (Sample photographs)" in text(app)
    assert "of 1,280" in text(app)
    assert "of ImageNet reference" in text(app)
    app.selectbox(key="maps-id-order").set_value("NAP, lowest first").run()
    assert not app.exception
