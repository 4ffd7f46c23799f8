"""The bundled reference bank: what it holds, where it comes from, how large it is."""

import csv

import numpy as np

from nap_core import models
from nap_core.extraction import precomputed

FILES = precomputed.FOLDER / "imagenet-bank.npz", precomputed.FOLDER / "imagenet-bank.csv"


def test_the_network_knows_the_photographs_in_the_bank() -> None:
    model = models.load("efficientnet-lite0-imagenet")
    found = precomputed.load("imagenet-bank", model)
    assert found.maximum.shape == (1000, 1280)
    assert (found.maximum >= found.mean).all()
    assert found.maximum.max() <= 6  # ReLU6
    assert 0 <= found.labels.min() <= found.labels.max() < len(model.classes)
    assert 0.87 < np.mean(found.predictions == found.labels) < 0.91


def test_every_photograph_has_its_author_source_and_licence() -> None:
    with FILES[1].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["file"] for row in rows}) == len(rows) == 1000
    for row in rows:
        assert row["author"]
        assert row["landing_page"].startswith(("https://", "http://"))
        assert row["licence"] == "CC-BY-2.0"


def test_it_is_small() -> None:
    assert sum(file.stat().st_size for file in FILES) < 8.5e6
