"""The page that scores an image: samples, uploads of every kind, the verdict, and numbers equal to nap_core's."""

import struct
import zlib
from functools import partial
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from nap_core import corruptions, datasets, extraction, methods, metrics, models
from nap_core.activations import Activations
from nap_core.analysis import single_image
from nap_core.datasets import uploaded_images
from nap_core.extraction import precomputed
from nap_core.figures import score_image
from nap_core.figures.picture import three_digits
from nap_core.storage.activation_store import Store
from tests.pages.conftest import OpenPage
from tests.sentences import Says, states

LITE, SMALL = "efficientnet-lite0-imagenet", "resnet20-cifar10"


@pytest.fixture
def opened(open_page: OpenPage) -> OpenPage:
    return partial(open_page, "score_image")


def again(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.main.markdown, *app.main.caption))


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def photograph(row: int) -> Image.Image:
    return datasets.load("photos").image(row)


def answer(model: str, picture: Image.Image) -> Activations:
    loaded = models.load(model)
    return extraction.look(loaded, loaded.transform.view(picture)[None])[0]


def drop(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files])
    return again(app)


def verdict(app: AppTest) -> str:
    return next(element.value for element in app.main.markdown if element.value.startswith("####"))


def test_opens_on_a_sample_with_the_photographs_network_whatever_the_study(opened: OpenPage, says: Says) -> None:
    app = opened(model=SMALL)
    says(app.title[0].value, "")
    assert app.selectbox(key="network").value == LITE
    assert not app.error
    found = answer(LITE, photograph(0))
    known = precomputed.load("imagenet-bank", models.load(LITE))
    score, scores = methods.score("nap", found)[0], methods.score("nap", known)
    place = single_image.ImageVerdict("nap", None, float(score), scores)
    assert score_image.grounds(place) in verdict(app)
    assert score_image.opening(place, "ImageNet-1k") in verdict(app)
    predicted = models.load(LITE).classes[found.predictions[0]]
    assert states(text(app), f"EfficientNet-Lite0 {predicted}")
    assert "Cat: 451 × 300 pixels." in text(app)
    threshold = metrics.threshold_at_tpr(scores)
    assert place.reaches_threshold == (score >= threshold)


def test_another_method_gives_another_verdict_and_is_in_the_address(opened: OpenPage) -> None:
    app = opened(method="energy", sample="4")
    assert app.selectbox(key="method").value == "energy"
    score = methods.score("energy", answer(LITE, photograph(3)))[0]
    assert f"Energy {three_digits(score)}" in verdict(app)
    app.selectbox(key="method").set_value("msp")
    again(app)
    score = methods.score("msp", answer(LITE, photograph(3)))[0]
    assert f"MSP {three_digits(score)}" in verdict(app)
    assert app.query_params["method"] in ("msp", ["msp"])
    assert app.query_params["sample"] in ("4", ["4"])
    app.selectbox(key="method").set_value("nap")
    again(app)
    assert "method" not in app.query_params


def test_a_link_that_makes_no_sense_opens_the_first_sample(opened: OpenPage) -> None:
    app = opened(method="magic", network="oracle", sample="99")
    assert (app.selectbox(key="method").value, app.selectbox(key="network").value) == ("nap", LITE)
    assert "Cat: 451" in text(app)


def test_the_small_network_is_compared_with_its_test_images(opened: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_image, "KNOWN_IMAGES", 120)
    app = opened(network=SMALL)
    model, known = models.load(SMALL), datasets.load("cifar10")
    scores = methods.score("nap", extraction.extract(model, known, limit=120, store=Store()))
    place = single_image.ImageVerdict(
        "nap", None, float(methods.score("nap", answer(SMALL, known.image(0)))[0]), scores
    )
    assert score_image.standing(place) in verdict(app)
    assert score_image.opening(place, "CIFAR-10") in verdict(app)
    assert states(text(app), "32 32 32")
    assert not app.info


def test_a_file_is_turned_upright_and_scored_as_it_is(opened: OpenPage) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = photograph(4).transpose(Image.Transpose.ROTATE_90)
    app = drop(opened(), ("my_photo.jpg", encoded(lying, "PNG", exif=exif)))
    score = methods.score("nap", answer(LITE, photograph(4)))[0]
    assert f"NAP {three_digits(score)}" in verdict(app)
    assert "Its name ends in .jpg, but it is a PNG picture and was read as one." in text(app)
    assert "It was turned upright" in text(app)
    assert r"my\_photo.jpg: 512 × 342 pixels" in text(app)


def huge() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_bad_files_get_a_sentence_each_and_the_rest_still_works(opened: OpenPage) -> None:
    good = encoded(photograph(0))
    app = drop(
        opened(),
        ("empty.png", b""),
        ("words.jpg", b"these are words"),
        ("cut.png", good[:4000]),
        ("bomb.zip", b"PK\x03\x04" + bytes(100)),
        ("huge.png", huge()),
        ("good.png", good),
        ("flower.png", encoded(photograph(8))),
    )
    said = [element.value for element in app.error]
    assert len(said) == 5
    for name, sentence in zip(("empty.png", "words.jpg", "cut.png", "bomb.zip", "huge.png"), said, strict=True):
        assert sentence.startswith(f"“{name}” ")
    assert app.dataframe[0].value["file"].tolist() == ["good.png", "flower.png"]
    assert "2 images by NAP" in text(app)


def test_only_bad_files_leave_sentences_and_no_result(opened: OpenPage) -> None:
    app = drop(opened(), ("empty.png", b""))
    assert [element.value[:12] for element in app.error] == ["“empty.png” "]
    assert not app.dataframe
    assert "####" not in text(app)


def test_many_bad_files_do_not_bury_the_page(opened: OpenPage) -> None:
    app = drop(opened(), *((f"{number}.png", b"") for number in range(9)))
    assert len(app.error) == 6
    assert app.expander[0].label == "3 more cannot be read"
    assert "“8.png” is empty" in app.expander[0].markdown[0].value


def test_several_files_make_a_table_whose_numbers_are_nap_cores(opened: OpenPage) -> None:
    rows = (0, 2, 3)
    app = drop(opened(), *((f"{row}.png", encoded(photograph(row))) for row in rows))
    table = app.dataframe[0].value
    known = precomputed.load("imagenet-bank", models.load(LITE))
    for (_, shown), row in zip(table.iterrows(), rows, strict=True):
        found = answer(LITE, photograph(row))
        for method in methods.STANDARD:
            score = methods.score(method, found, methods.ScoringContext(trained_on="ImageNet-1k"))[0]
            scores = methods.score(method, known, methods.ScoringContext(trained_on="ImageNet-1k"))
            assert shown[methods.title(method)] == pytest.approx(100 * np.mean(scores < score), abs=0.11)
        assert shown["prediction"] == models.load(LITE).classes[found.predictions[0]]
        assert shown["image"].startswith("data:image/")
    assert "####" not in text(app)
    key = "score-image-table" + app.dataframe[0].proto.id.rpartition("score-image-table")[2]
    app.session_state[key] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    again(app)
    assert app.header[0].value == "2.png"
    assert f"NAP {three_digits(methods.score('nap', answer(LITE, photograph(2)))[0])}" in verdict(app)


def test_more_files_than_are_taken_are_named(opened: OpenPage, monkeypatch: pytest.MonkeyPatch, says: Says) -> None:
    monkeypatch.setattr(uploaded_images, "MAX_FILES", 2)
    app = drop(opened(), *((f"{row}.png", encoded(photograph(row))) for row in range(3)))
    says(app.warning[0].value, "2 3")
    assert len(app.dataframe[0].value) == 2


def test_tiny_images_are_offered_the_network_that_fits(opened: OpenPage) -> None:
    app = drop(opened(), ("tiny.png", encoded(datasets.load("cifar10").image(1))))
    assert "“tiny.png” is at most 64 pixels wide and high. ResNet-20" in app.info[0].value
    app.button(key="score-image-ask-small").click()
    again(app)
    assert app.selectbox(key="network").value == SMALL
    assert not app.info
    score = methods.score("nap", answer(SMALL, datasets.load("cifar10").image(1)))[0]
    assert f"NAP {three_digits(score)}" in verdict(app)


def test_files_outlive_a_visit_to_another_page_and_can_be_forgotten(opened: OpenPage) -> None:
    app = drop(opened(), ("kept.png", encoded(photograph(4))))
    app.switch_page("pages/home.py")
    again(app)
    app.switch_page("pages/score_image.py")
    again(app)
    assert "kept.png: 512 × 342 pixels" in text(app)
    app.button(key="score-image-forget").click()
    again(app)
    assert "Cat: 451 × 300 pixels" in text(app)
    assert "kept.png" not in text(app)


def test_the_severity_moves_the_sentence_as_nap_core_says(opened: OpenPage) -> None:
    app = opened()
    app.selectbox(key="score-image-corruption").set_value("contrast")
    app.slider(key="score-image-severity").set_value(5)
    again(app)
    model = models.load(LITE)
    views = corruptions.strip("contrast", model.transform.view(photograph(0)))
    scores = methods.score("nap", extraction.look(model, views)[0])
    moved = f"from {three_digits(scores[0])} to {three_digits(scores[5])}"
    assert states(text(app), f"Less contrast 5 lowers NAP {moved}")
    assert states(text(app), "224 224")


def test_the_channels_named_are_the_loudest(opened: OpenPage) -> None:
    app = opened()
    known = precomputed.load("imagenet-bank", models.load(LITE))
    found = answer(LITE, photograph(0))
    terms = (known.maximum.astype(float) / (known.mean.astype(float) + 1)) ** 2
    own = (found.maximum[0].astype(float) / (found.mean[0].astype(float) + 1)) ** 2
    gains = (own - terms.mean(axis=0)) / len(own)
    most, least = int(gains.argmax()), int(gains.argmin())
    assert states(text(app), f"6 {three_digits(np.sort(gains)[-6:].sum())} NAP")
    assert f"in channel {most} the peak is" in text(app)
    assert f"in channel {least} the peak is" in text(app)
