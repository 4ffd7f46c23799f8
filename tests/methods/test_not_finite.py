"""Images that the network does not answer with finite numbers are left out of every set, and said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nap_core import extraction, methods
from nap_core.analysis import evaluation
from nap_core.datasets import ArrayImages
from nap_core.datasets.subset import subset
from nap_core.errors import UserError
from nap_core.methods import EvaluationData, ImageSet, ScoringContext
from nap_core.methods.context import evaluation_data
from nap_core.methods.inputs import finite
from nap_core.models import LoadedModel
from nap_core.storage.activation_store import Store
from tests.models.test_output import Network, assembled, seeded

BLACK = (1, 4)


class NotOfBlack(Network):
    """Its answer to a black image is NaN."""

    def forward(self, x: Tensor) -> Tensor:
        black = x.mean((1, 2, 3)) < -1.9
        return torch.where(black[:, None], torch.nan, super().forward(x))


def images(name: str, black: tuple[int, ...], count: int = 7) -> ArrayImages:
    pixels = np.random.default_rng(len(name)).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)
    pixels[list(black)] = 0
    return ArrayImages(name, name.title(), tuple("abcd"), np.arange(count) % 4, pixels, np.arange(count))


@pytest.fixture
def model() -> LoadedModel:
    return assembled(seeded(lambda z: z, kind=NotOfBlack))


@pytest.fixture
def data(model: LoadedModel, store_root: Path) -> EvaluationData:
    context = ScoringContext(model, store=Store(store_root), device="cpu")
    return evaluation_data("known", {"known": images("known", BLACK), "other": images("other", ())}, context)


def test_rows_and_images_stay_together(data: EvaluationData, model: LoadedModel) -> None:
    part, whole = data.id, images("known", BLACK)
    assert (part.left_out, len(part.activations), len(part.images)) == (BLACK, 5, 5)
    assert [part.index(row) for row in range(5)] == [0, 2, 3, 5, 6]
    again = extraction.extract(model, part.images, device="cpu")
    np.testing.assert_allclose(again.logits, part.activations.logits, rtol=1e-5)
    np.testing.assert_array_equal(part.activations.labels, whole.labels[[0, 2, 3, 5, 6]])
    np.testing.assert_array_equal(part.images.labels, part.activations.labels)
    assert part.images.fingerprint != whole.fingerprint
    assert not data.ood["other"].left_out


def test_tables_have_the_rest(data: EvaluationData) -> None:
    table = evaluation.evaluate(data, ["nap", "energy", "odin"])
    assert (set(table["n_id"]), set(table["n_ood"])) == ({5}, {7})
    assert np.isfinite(table["auroc"]).all() and np.isfinite(table["id_accuracy"]).all()


def test_they_are_named(data: EvaluationData) -> None:
    (sentence,) = data.left_out({"known": "Known images"})
    assert "Known images" in sentence and "2 of 7" in sentence and "1, 4" in sentence


def test_the_fit_split(model: LoadedModel) -> None:
    context = ScoringContext(model, fit_images=images("fit", BLACK, 30), device="cpu")
    assert len(context.fit("KNN").activations) == len(context.fit("KNN").images) == 28


def test_methods_that_run_over_the_fit_split_again(data: EvaluationData, model: LoadedModel) -> None:
    layered = replace(model, architecture=replace(model.architecture, layers=("body",)))
    whole, kept = images("fit", BLACK, 30), np.delete(np.arange(30), BLACK)
    scores = [
        methods.score("nac-ue:layers=1", data.id, ScoringContext(layered, fit_images=fit, device="cpu"))
        for fit in (whole, subset(whole, kept))
    ]
    np.testing.assert_array_equal(*scores)


def test_no_image_at_all(model: LoadedModel) -> None:
    sources = {"known": images("known", tuple(range(7))), "other": images("other", ())}
    with pytest.raises(UserError, match="no image of known"):
        evaluation_data("known", sources, ScoringContext(model, device="cpu"))


def test_a_map_that_is_not_finite(data: EvaluationData) -> None:
    mean = np.array(data.id.activations.mean)
    mean[0, 0] = np.inf
    assert finite(ImageSet(replace(data.id.activations, mean=mean))).left_out == (0,)


def test_sets_without_such_images_stay_the_same_object(data: EvaluationData) -> None:
    assert finite(data.ood["other"]) is data.ood["other"]
