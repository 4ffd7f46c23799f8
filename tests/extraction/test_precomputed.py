"""Reference banks: activations of images that are not shipped."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nap_core import datasets, models
from nap_core.activations import Activations
from nap_core.errors import UserError
from nap_core.extraction import extract, precomputed

MODEL = models.load("resnet20-cifar10")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(precomputed, "FOLDER", tmp_path / "bank")
    return tmp_path / "bank"


@pytest.fixture(scope="module")
def activations() -> Activations:
    return extract(MODEL, datasets.load("cifar10"), limit=8, device="cpu")


def test_what_is_saved_is_loaded(folder: Path, activations: Activations) -> None:
    path = precomputed.save("round-trip", MODEL, activations)
    assert path == folder / "round-trip.npz"
    found = precomputed.load("round-trip", MODEL)
    for name in ("maximum", "mean", "variance"):
        # Half precision has eleven bits: half a part in a thousand, and steps of 2⁻²⁴ close to zero.
        np.testing.assert_allclose(getattr(found, name), getattr(activations, name), rtol=5e-4, atol=1e-7)
        assert getattr(found, name).dtype == np.float32
    np.testing.assert_array_equal(found.labels, activations.labels)
    assert found.labels.dtype == np.int64


def test_logits_are_the_head_of_the_mean(folder: Path, activations: Activations) -> None:
    path = precomputed.save("logits", MODEL, activations)
    found = precomputed.load("logits", MODEL)
    np.testing.assert_allclose(found.logits, found.mean @ MODEL.head_weight.T + MODEL.head_bias)
    np.testing.assert_allclose(found.logits, activations.logits, rtol=0.01, atol=0.02)
    with np.load(path) as archive:
        assert set(archive.files) == {"weights_sha256", "labels", "maximum", "mean", "variance"}


@pytest.mark.usefixtures("folder")
def test_bank_of_other_weights_is_refused(activations: Activations) -> None:
    precomputed.save("other", MODEL, activations)
    with pytest.raises(UserError, match=r"made with other weights than ResNet-20's\. Reinstall"):
        precomputed.load("other", replace(MODEL, weights_sha256="0" * 64))


def test_bundled_bank_belongs_to_the_bundled_model() -> None:
    record = models.RECORDS["efficientnet-lite0-imagenet"]
    model = models.load(record.name)
    found = precomputed.load(record.id_dataset, model)
    assert len(found) == datasets.RECORDS[record.id_dataset].size
    assert found.maximum.shape[1] == model.head_weight.shape[1]
    assert (found.maximum >= found.mean).all()
    assert (found.mean >= 0).all()
    assert (found.labels >= 0).all()
    assert np.mean(found.predictions == found.labels) > 0.8  # photographs that the network knows
    assert precomputed.load(record.id_dataset, model) is found
