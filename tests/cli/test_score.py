"""``score``: a JSON line a file, the good ones among the bad; the numbers are analysis.single_image's."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nap_core import datasets, extraction, methods, models
from nap_core.analysis import single_image
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.storage.activation_store import Store
from tests.sentences import Says, states

ROOT = Path(__file__).resolve().parents[2]
MODEL = ("--model", "resnet20-cifar10", "--device", "cpu", "--quiet")
PHOTO = ROOT / "assets/home/known.png"


@pytest.fixture(autouse=True)
def _few_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_image, "KNOWN_IMAGES", 150)


def lines(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


def test_numbers_are_those_of_placement(run) -> None:
    status, out, err = run("score", PHOTO, *MODEL)
    assert (status, err) == (0, "")
    (line,) = lines(out)
    model = models.load("resnet20-cifar10")
    view = model.transform.view(datasets.decode(PHOTO.read_bytes(), PHOTO.name))
    found, _ = extraction.look(model, view[None], device="cpu")
    context = ScoringContext(model, "CIFAR-10")
    known = single_image.known_activations("resnet20-cifar10", Store(), device="cpu")
    expected = single_image.place(
        ImageSet(found), single_image.id_scores(EvaluationData("known", ImageSet(known), {}, context)), context
    )[0]
    assert line["file"] == str(PHOTO)
    assert line["id"] == "cifar10"
    assert list(line["scores"]) == list(methods.STANDARD)
    for spec, placed in expected.items():
        told = line["scores"][spec]
        assert told["score"] == pytest.approx(placed.score, rel=1e-5)
        assert (told["percentile"], told["verdict"], told["w"]) == (placed.percentile, placed.verdict, placed.w)
        assert (told["p_value"], told["threshold"]) == (placed.p_value, placed.threshold)


def test_prediction_with_the_next_ones(run) -> None:
    (line,) = lines(run("score", PHOTO, *MODEL, "--methods", "nap")[1])
    prediction = line["prediction"]
    top = prediction["top5"]
    assert {name: prediction[name] for name in ("index", "class", "probability")} == top[0]
    assert len({one["index"] for one in top}) == 5
    assert [one["probability"] for one in top] == sorted((one["probability"] for one in top), reverse=True)
    assert all(one["class"] == models.CIFAR10_CLASSES[one["index"]] for one in top)
    assert sum(one["probability"] for one in top) <= 1 + 1e-9


def test_bad_images_are_lines_among_the_good_ones(run, says: Says, tmp_path: Path) -> None:
    (empty := tmp_path / "empty.png").write_bytes(b"")
    (text := tmp_path / "text.jpg").write_text("no picture")
    Image.fromarray(np.zeros((1, 4000), np.uint8)).save(hair := tmp_path / "hair.png")
    files = [PHOTO, empty, tmp_path, text, tmp_path / "gone.png", hair, PHOTO]
    status, out, _ = run("score", *files, *MODEL, "--methods", "nap")
    assert status == 1
    found = lines(out)
    assert [line["file"] for line in found] == [str(file) for file in files]
    reasons = [
        "",
        "empty.png empty 0",
        "FOLDER folder",
        "text.jpg not picture 2000",
        "no FOLDER/gone.png",
        "hair.png 4,000 1 30",
        "",
    ]
    for line, facts in zip(found, reasons, strict=True):
        assert ("error" in line) == bool(facts)
        if facts:
            says(line["error"].replace(str(tmp_path), "FOLDER"), facts)
    assert found[0] == found[-1]


def test_nothing_but_bad_images(run, says: Says) -> None:
    status, out, _ = run("score", "gone.png", *MODEL, "--methods", "nap")
    assert status == 1
    (line,) = lines(out)
    assert (line["file"], set(line)) == ("gone.png", {"file", "error"})
    says(line["error"], "no gone.png")


def test_a_given_threshold_needs_no_fit_split(run, checkpoint: Path, archive: Path) -> None:
    asked = ("score", PHOTO, "--model", "resnet20", "--weights", checkpoint, "--id", archive, *MODEL[2:])
    asked += ("--trained-on", "none")
    status, out, err = run(*asked, "--methods", "react:threshold=1.0,nap+react:threshold=1.0")
    assert status == 0 and "fit split" not in err
    assert list(lines(out)[0]["scores"]) == ["react:threshold=1.0", "nap+react:threshold=1.0"]
    status, _, err = run(*asked, "--methods", "react")
    assert status == 2 and states(err, "ReAct fit split --fit")


def test_methods_that_fit_and_a_weight(run) -> None:
    asked = ("--methods", "knn:k=3,nap+knn:k=3", "--w", "0.25", "--fit-limit", 80)
    (line,) = lines(run("score", PHOTO, *MODEL, *asked)[1])
    assert [line["scores"][spec]["w"] for spec in ("knn:k=3", "nap+knn:k=3")] == [None, 0.25]


def test_all_is_all_that_can_place_an_image(run) -> None:
    status, out, err = run("score", PHOTO, *MODEL, "--methods", "all", "--fit-limit", 400)
    assert status == 0
    left_out = {line.removeprefix("Left out ").partition(":")[0] for line in err.splitlines()}
    assert {"odin", "gram", "mc-dropout"} <= left_out
    assert set(lines(out)[0]["scores"]) | left_out == {*methods.RECORDS, *methods.COMBINATIONS}


def test_weights_need_a_reference_and_use_it(run, checkpoint: Path, archive: Path) -> None:
    asked = ("score", PHOTO, "--model", "resnet20", "--weights", checkpoint, "--device", "cpu", "--quiet")
    status, out, _ = run(*asked, "--id", f"mine={archive}", "--methods", "nap")
    assert status == 0
    (line,) = lines(out)
    assert line["id"] == "mine"
    assert line["prediction"]["class"] == f"class {line['prediction']['index']}"
    assert line["scores"]["nap"]["verdict"] in ("like", "edge")  # twelve known images never prove "unlike"
